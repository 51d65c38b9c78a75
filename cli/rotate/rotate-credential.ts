import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Credential, modeFault } from '#core/credentials.ts'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import { SecretFile } from '#runtime/config.ts'
import { backupTargetOf } from '../backup.ts'
import { PROGRAM } from '../cli.ts'
import type { AskOnTerminal } from '../countersign-key.ts'
import { mailFindings, modelFindings, odooFindings } from '../doctor-reach.ts'
import { onTheMachine, placeOf } from '../list-credentials.ts'
import { environmentOf, type ZoneHome } from '../zone-home.ts'
import { randomSecret } from '../zone-secrets.ts'
import { backupLock } from './backup-lock.ts'
import { grafanaLock } from './grafana-lock.ts'
import { odooDbLock } from './odoo-db-lock.ts'
import { redisLock } from './redis-lock.ts'
import { type Lock, swapSecret, textOf } from './swap-secret.ts'
import { servicesOf, type ZoneServices } from './zone-services.ts'

export interface RotateOptions {
  /** A file with the new value, of what others give. */
  readonly file?: string
  /** Nothing of the zone runs on this machine now: only the file is replaced. */
  readonly stopped?: boolean
  /** Where Grafana answers. */
  readonly url?: string
  /** Where the backups are. */
  readonly target?: string
}

export interface Rotated {
  readonly name: string
  /** false: nothing was changed; `steps` are what does it. */
  readonly isDone: boolean
  /** An earlier run had begun it. */
  readonly isFinished: boolean
  /** Services that were started anew. */
  readonly restarted: readonly string[]
  /** What the person has to do besides. */
  readonly steps: readonly string[]
}

const USERS: Readonly<Record<string, 'default' | 'watch' | 'board'>> = {
  'redis-password': 'default',
  'redis-watch': 'watch',
  'redis-board': 'board',
}
/** They hold the lock, not the key. */
const HOLDERS = ['redis', 'odoo-db', 'grafana']

/**
 * Puts another one in the place of a secret that this program can replace, or says the exact steps. Throws ERR_NOT_RUNNING when whoever takes it
 * cannot be told of the new one, ERR_USAGE; then the old one still holds, and the next run goes on.
 */
export async function rotateCredential(
  home: ZoneHome,
  credential: Credential,
  options: RotateOptions,
  terminal: AskOnTerminal,
  env: NodeJS.ProcessEnv,
): Promise<Rotated> {
  const { name, origin, zones } = credential
  onTheMachine(home, `rotate ${name}`)
  if (zones[home.zone] === undefined)
    throw new CountersignError(
      'ERR_ZONE_FORBIDDEN',
      `rotate ${name}: the ${home.zone} zone has none, it belongs to the other; run it there`,
    )
  const steps = stepsOf(credential, home)
  if (origin === 'other') return { name, isDone: false, isFinished: false, restarted: [], steps }
  const file = placeOf(home, credential)
  const services = options.stopped ? undefined : await servicesOf(home, env)
  const readers = (zones[home.zone] ?? []).filter((one) => !HOLDERS.includes(one))
  const again = [...new Set([...(credential.readAtStart ? readers : []), 'sync'])]
  const { isFinished, restarted } = await swapSecret({
    ...{ home, file },
    make: () =>
      origin === 'given'
        ? givenValue(home, credential, options, terminal)
        : randomSecret(origin === 'watch' ? 'watch' : 'random'),
    async test(next) {
      const [bad] = (await tryGiven(home, credential, next)).filter(({ result }) => result === 'failed')
      if (bad)
        throw new CountersignError(
          'ERR_USAGE',
          `rotate ${name}: the new one is not taken: ${bad.found}; nothing was changed`,
        )
    },
    lock: await lockOf(home, credential, file, options, services, env),
    restart: async () => (await services?.restart(again)) ?? [],
  })
  const restart = `What runs of ${again.join(', ')} has to be started anew: docker compose -f compose.${home.zone}.yml restart ${again.join(' ')}`
  return { name, isDone: true, isFinished, restarted, steps: [...(services ? [] : [restart]), ...steps] }
}

export function stepsOf({ steps = [] }: Credential, home: ZoneHome): string[] {
  return steps.map((step) =>
    step
      .replaceAll('ZONE', home.zone)
      .replaceAll('HOME', home.root)
      .replace(/^countersign /, `${PROGRAM} `),
  )
}

async function lockOf(
  home: ZoneHome,
  { name }: Credential,
  file: string,
  options: RotateOptions,
  services: ZoneServices | undefined,
  env: NodeJS.ProcessEnv,
): Promise<Lock> {
  const runs = async (holder: string) => {
    if (options.stopped) return undefined
    if (services) return (await services.running()).includes(holder) ? services : undefined
    throw new CountersignError(
      'ERR_NOT_RUNNING',
      `rotate ${name}: ${holder} has to be told, and Docker does not answer here, or compose.${home.zone}.yml is not in this folder; --stopped if nothing of the zone runs`,
    )
  }
  const user = USERS[name]
  if (user) {
    const at = await runs('redis')
    return at ? redisLock(at, user) : {}
  }
  if (name === 'odoo-db-password') {
    const at = await runs('odoo-db')
    // Its database remembers the old one, whether it runs or not.
    if (at || (await textOf(file)) === '') return at ? odooDbLock(at) : {}
    throw new CountersignError(
      'ERR_NOT_RUNNING',
      `rotate ${name}: the database has to be told; docker compose -f compose.cloud.yml up -d odoo-db`,
    )
  }
  if (name === 'grafana-password')
    return grafanaLock(options.url ?? `http://127.0.0.1:${env.COUNTERSIGN_GRAFANA_PORT || '3000'}`)
  if (name === 'backup-password') return backupLock(backupTargetOf(home, options, env), file)
  return {}
}

/** Out of a file that nobody else can read, or typed; tried before anything is changed. */
async function givenValue(
  home: ZoneHome,
  credential: Credential,
  { file }: RotateOptions,
  terminal: AskOnTerminal,
): Promise<string> {
  const { name, what } = credential
  const value = file === undefined ? await typed(name, what, terminal) : await readGiven(file)
  if (value === (await textOf(placeOf(home, credential))))
    throw new CountersignError('ERR_USAGE', `rotate ${name}: that is the old one; nothing was changed`)
  return value
}

async function readGiven(file: string): Promise<string> {
  const path = resolve(file)
  const fault = modeFault((await stat(path).catch(() => ({ mode: 0 }))).mode)
  if (fault) throw new CountersignError('ERR_USAGE', `${path} ${fault}`)
  return new SecretFile(path).read()
}

async function typed(name: string, what: string, terminal: AskOnTerminal): Promise<string> {
  if (!terminal)
    throw new CountersignError(
      'ERR_USAGE',
      `rotate ${name}: there is no terminal to ask on; say --file <file with the new one>`,
    )
  const value = await terminal((ask) => ask(`New: ${what}`, { hidden: true }))
  if (value) return value
  throw new CountersignError('ERR_USAGE', `rotate ${name}: nothing was typed; nothing was changed`)
}

/** Whether a new value that others gave is taken, with everything else as the settings say. */
async function tryGiven(home: ZoneHome, { check, setting }: Credential, file: string): Promise<Finding[]> {
  if (!setting) return []
  const env = { ...environmentOf(home), [setting]: file }
  if (check === 'mailbox') return (await mailFindings(home.zone, env)).filter((one) => one.check === 'mailbox')
  if (check === 'sending') return (await mailFindings(home.zone, env)).filter((one) => one.check === 'sending')
  if (check === 'model') return modelFindings(home.zone, env)
  if (check === 'odoo') return odooFindings(home.zone, env)
  return []
}
