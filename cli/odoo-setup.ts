import { chown, rename, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { replaceFile } from '#adapters/keys/replace-file.ts'
import { odooCalls } from '#adapters/odoo/odoo-calls.ts'
import type { OdooUser } from '#adapters/odoo/setup-odoo.ts'
import type { SetupStep } from '#adapters/odoo/setup-records.ts'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import { parseConfig, SecretFile } from '#runtime/config.ts'
import { odooSettings } from '#runtime/settings.ts'
import { PROGRAM } from './cli.ts'
import { type AskOnTerminal, renewGuard } from './countersign-key.ts'
import { environmentOf, type ZoneHome } from './zone-home.ts'

/** Five creates at once, each with Odoo's retries. */
const CHECK_LIMIT_MS = 120_000

export interface OdooSetupOptions {
  readonly adminKeyFile?: string
  readonly cloudKey?: string
  readonly dryRun?: boolean
  readonly newKeys?: boolean
  readonly keepAuditSettings?: boolean
}

export interface OdooSetup {
  readonly steps: readonly SetupStep[]
  /** Where a key was written; undefined: none was made. */
  readonly keys: Readonly<Partial<Record<OdooUser, string>>>
  /** What the cloud's key can do and what not, where it is at hand. */
  readonly findings: readonly Finding[]
  /** What the person has to do besides. */
  readonly todo: readonly string[]
}

/**
 * Sets the zone's Odoo up with an administrator's key, which is not stored, writes the keys that were made, and proves what the cloud's can do.
 * Throws ERR_ZONE_FORBIDDEN in the cloud, ERR_USAGE, ERR_CONFIG_INVALID, ERR_ODOO_*.
 */
export async function setUpBooks(
  home: ZoneHome,
  options: OdooSetupOptions,
  terminal: AskOnTerminal,
): Promise<OdooSetup> {
  if (home.zone !== 'local')
    throw new CountersignError(
      'ERR_ZONE_FORBIDDEN',
      'odoo setup in the cloud zone: an administrator’s key is for the local machine; run it there',
    )
  const server = serverOf(home)
  const adminKey = await administratorsKey(options.adminKeyFile, terminal)
  const { setUpOdoo, SETUP_LIMIT_MS } = await import('#adapters/odoo/setup-odoo.ts')
  const files: Record<OdooUser, string> = {
    cloud: cloudKeyFile(home, options.cloudKey),
    local: join(home.secrets, 'odoo-key'),
  }
  const keys: Partial<Record<OdooUser, string>> = {}
  const todo: string[] = []
  const steps = await setUpOdoo(odooCalls({ ...server, key: () => adminKey, limitMs: SETUP_LIMIT_MS }), {
    isDry: options.dryRun === true,
    areKeysNew: options.newKeys === true,
    isAuditLeft: options.keepAuditSettings === true,
    async writeKey(user, key) {
      const file = files[user]
      if (await holdsSomething(file)) {
        await rename(file, `${file}.before`)
        todo.push(`What stood in ${file} stands in ${file}.before now.`)
      }
      await replaceFile(file, `${key}\n`, 0o600)
      const { uid, gid } = await stat(home.secrets)
      if (process.getuid?.() === 0) await chown(file, uid, gid)
      keys[user] = file
    },
  })
  if (Object.keys(keys).length > 0) todo.push(...(await renewGuard(home)))
  if (keys.cloud !== undefined)
    todo.push(
      `Carry ${keys.cloud} to the cloud zone, as secrets/odoo-key there (mode 0600), run \`${PROGRAM} init cloud\` there again, and remove it here.`,
    )
  const isProvable = options.dryRun !== true && (await holdsSomething(files.cloud))
  return { steps, keys, todo, findings: isProvable ? await checkOdoo(home, options.cloudKey) : [] }
}

/** The proofs, under the cloud's key: of this zone where it is the cloud, else of `cloudKey`. Throws ERR_USAGE, ERR_CONFIG_INVALID. */
export async function checkOdoo(home: ZoneHome, cloudKey: string | undefined): Promise<Finding[]> {
  const server = serverOf(home)
  const own = new SecretFile(environmentOf(home).COUNTERSIGN_ODOO_KEY_FILE ?? join(home.secrets, 'odoo-key'))
  const cloud = home.zone === 'cloud' && cloudKey === undefined ? own : new SecretFile(cloudKeyFile(home, cloudKey))
  cloud.read()
  const open = (file: SecretFile) => odooCalls({ ...server, key: () => file.read(), limitMs: CHECK_LIMIT_MS })
  const { proveDraftsOnly } = await import('#adapters/odoo/prove-drafts.ts')
  const hasOther = home.zone === 'local' && (await holdsSomething(own.path))
  return proveDraftsOnly(open(cloud), hasOther ? open(own) : undefined)
}

export function renderSetup({ steps, keys, todo }: OdooSetup): string {
  const changed = steps.filter(({ did }) => did !== 'kept')
  const kept = steps.length - changed.length
  const lines = changed.map(({ what, did, fields }) => `${SAY[did]} ${what}${fields ? ` (${fields.join(', ')})` : ''}`)
  const files = Object.entries(keys).map(([user, file]) => `The key of the ${user} zone is in ${file}.`)
  const rest =
    changed.length === 0
      ? `Nothing to do: all ${kept} things are there as they should be.`
      : `${kept} more were there already.`
  return [...lines, rest, ...files, ...todo].join('\n')
}

const SAY: Readonly<Record<SetupStep['did'], string>> = {
  ...{ kept: 'there:       ', made: 'made:        ', changed: 'put right:   ' },
  ...{ 'would-make': 'would make:  ', 'would-change': 'would change:' },
}

function serverOf(home: ZoneHome): { url: string; database: string } {
  const { odooUrl, odooDb } = odooSettings
  const verdict = parseConfig({ odooUrl, odooDb }, environmentOf(home))
  if (!verdict.ok) throw new CountersignError('ERR_CONFIG_INVALID', verdict.faults.join('; '))
  const { config } = verdict
  if (config.odooUrl && config.odooDb) return { url: config.odooUrl, database: config.odooDb }
  throw new CountersignError(
    'ERR_CONFIG_INVALID',
    `${home.envFile} names no Odoo: set COUNTERSIGN_ODOO_URL and COUNTERSIGN_ODOO_DB there`,
  )
}

/** An empty file is none: containers mount one where there is no key. */
function holdsSomething(file: string): Promise<boolean> {
  return stat(file).then(
    ({ size }) => size > 0,
    () => false,
  )
}

function cloudKeyFile(home: ZoneHome, given: string | undefined): string {
  return given === undefined ? join(home.root, 'odoo-key-cloud') : resolve(given)
}

/** Out of a file that nobody else can read, or typed; kept nowhere. */
async function administratorsKey(file: string | undefined, terminal: AskOnTerminal): Promise<string> {
  if (file !== undefined) {
    const path = resolve(file)
    const found = await stat(path).catch(() => undefined)
    if (found && (found.mode & 0o077) !== 0)
      throw new CountersignError('ERR_USAGE', `${path} can be read by others: chmod 600 it, or make a new key`)
    return new SecretFile(path).read()
  }
  if (!terminal)
    throw new CountersignError('ERR_USAGE', 'odoo setup: there is no terminal to ask on; say --admin-key-file')
  const key = await terminal((ask) =>
    ask('API key of an administrator of Odoo (it is not kept)', {
      hidden: true,
      faultIn: (text) => (/^[0-9a-f]{40}$/.test(text) ? undefined : 'an API key has 40 characters, 0 to 9 and a to f'),
    }),
  )
  if (key) return key
  throw new CountersignError('ERR_USAGE', 'odoo setup: no key was typed; nothing was changed')
}
