import { existsSync, readdirSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { bundleRefs, bundleRepository, unbundle } from '#adapters/git/bundle.ts'
import { DUMP, dumpOdoo, tryOutOdoo } from '#adapters/postgres/odoo-database.ts'
import { openRestic, type ResticOptions } from '#adapters/restic/restic.ts'
import { copyZone } from '#adapters/zone-copy/copy-zone.ts'
import { ownFolder } from '#adapters/zone-copy/own-folder.ts'
import { takeContents } from '#adapters/zone-copy/take-contents.ts'
import { readLedgers } from '#cli/audit.ts'
import { DAMAGED_HINT, MANIFEST } from '#core/backup-manifest.ts'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import type { Zone } from '#core/zone-policy.ts'
import { VERSION } from '#runtime/version.ts'
import type { BackupTargetConfig } from './config.ts'
import type { BackupDeps } from './deps.ts'
import { LEDGERS } from './drill.ts'

/** As compose.cloud.yml names it. */
const ODOO_DATABASE = 'countersign'
/** In a home: what is to be put back into Odoo's database once that runs. */
export const ODOO_RESTORE = 'odoo-restore'
/** Bundle → the repository that it is made of, by their places in a zone home. */
export const REPOSITORIES: Readonly<Record<string, string>> = {
  'hub/vault.bundle': 'hub/vault.git',
  'state/repo.bundle': 'state/repo.git',
}

export type BackupPlace = {
  readonly home: string
  readonly zone: Zone
  readonly agent: string
  readonly config: BackupTargetConfig
  readonly signal?: AbortSignal
  readonly onProgress?: () => void
}

/** Where the backups of a zone home go, as restic is told of it. Throws ERR_CONFIG_INVALID. */
export function resticOptionsOf({ home, config, signal, onProgress }: BackupPlace): ResticOptions {
  const target = config.target ?? config.mount
  if (target === undefined)
    throw new CountersignError('ERR_CONFIG_INVALID', 'COUNTERSIGN_BACKUP_TARGET is empty: where are backups to go?')
  return {
    target,
    passwordFile: config.password.path,
    cacheDir: ownFolder(home).cacheDir,
    ...(config.s3Key && { s3KeyFile: config.s3Key.path }),
    ...(config.sshKey && {
      ssh: {
        keyFile: config.sshKey.path,
        knownHostsFile: resolve(config.knownHosts ?? join(home, 'trust/known_hosts')),
      },
    }),
    ...(config.egress && { egress: config.egress }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  }
}

/** Everything a backup works with, put together for one zone home. */
export function backupDeps(place: BackupPlace): BackupDeps {
  const { home, zone, agent, config } = place
  const own = ownFolder(home)
  const store = openRestic(resticOptionsOf(place))
  const odoo = odooOf(home, config)
  return {
    ...(odoo && { odoo }),
    ...{ zone, agent, program: VERSION, clock: { now: Date.now }, store, isAppendOnly: config.appendOnly },
    status: own.status,
    oneAtATime: own.oneAtATime,
    scratch: own.scratch,
    async copy(folder) {
      if (!odoo?.dump && config.odoo !== 'off') refuseWithoutBooks(home)
      const { skipped } = await copyZone(home, folder, agent)
      for (const [bundle, repository] of Object.entries(REPOSITORIES))
        await bundleRepository(join(home, repository), join(folder, bundle))
      return skipped
    },
    takeContents: (folder) => takeContents(folder, bundleRefs),
    readManifest: (folder) => readFile(join(folder, MANIFEST), 'utf8').catch(() => ''),
    writeManifest: (folder, text) => writeFile(join(folder, MANIFEST), text, { mode: 0o600 }),
    checkRepositories,
    verifyLedgers: (folder) => verifyLedgers(folder, agent),
  }
}

/** Odoo's database is this zone's when its folder is here and has something in it. */
function odooOf(home: string, config: BackupTargetConfig): BackupDeps['odoo'] {
  const server = odooServer(config)
  if (!server) return undefined
  return {
    tryOut: (folder, made) => tryOutOdoo(folder, made, config.odooTrial),
    ...(hasBooks(home) && { dump: (folder: string) => dumpOdoo(home, server, ODOO_DATABASE, folder) }),
  }
}

function hasBooks(home: string): boolean {
  return existsSync(join(home, 'odoo-db')) && readdirSync(join(home, 'odoo-db')).length > 0
}

/** A backup without the books of a zone that has some would be the newest, and is not whole. */
function refuseWithoutBooks(home: string): void {
  const refuse = (found: string) => {
    const off = 'if you have given Odoo up, set COUNTERSIGN_BACKUP_ODOO=off'
    throw new CountersignError('ERR_BACKUP_FAILED', `dumping Odoo's database: ${found}; ${off}`)
  }
  if (hasBooks(home)) refuse('it cannot be asked from here, run this in the container of the backup (docs/backup.md)')
  if (existsSync(join(home, ODOO_RESTORE, DUMP))) refuse('it is still to be put back (`countersign restore --odoo`)')
}

/** Undefined: this zone has no Odoo of its own, or is not to back it up. */
export function odooServer({ odoo, odooHost, odooPassword }: BackupTargetConfig) {
  if (odoo === 'off' || odooHost === undefined || odooPassword === undefined) return undefined
  return { host: odooHost, user: 'odoo', password: odooPassword.read() }
}

async function checkRepositories(folder: string, bundles: readonly string[]): Promise<Finding> {
  const check = 'history'
  const trial = join(folder, 'trial.git')
  for (const bundle of bundles) {
    try {
      await unbundle(join(folder, bundle), trial)
    } catch (error) {
      const found = `${bundle}: ${error instanceof Error ? error.message : 'no repository'}`
      return { check, result: 'failed', found, hint: DAMAGED_HINT }
    } finally {
      await rm(trial, { recursive: true, force: true })
    }
  }
  return {
    check,
    result: 'ok',
    found: `git fsck finds nothing in ${bundles.map((one) => basename(one)).join(', ') || 'none'}`,
  }
}

async function verifyLedgers(folder: string, agent: string): Promise<Finding> {
  const check = LEDGERS
  const [vault, state, trust] = ['vault', 'state', 'trust'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const { report } = await readLedgers({ vault, state, trust, agent })
  const [first] = report.faults
  if (!first) {
    const entries = report.agents.reduce((sum, one) => sum + one.entries, 0)
    return { check, result: 'ok', found: `${entries} entries, whole` }
  }
  return {
    check,
    result: 'failed',
    found: `${report.faults.length} faults, the first: ${first.agent} ${first.file}: ${first.problem}`,
    hint: 'If `countersign audit verify` says the same of the running zone, the ledger was harmed before the backup.',
  }
}
