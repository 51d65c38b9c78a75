import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { unbundle } from '#adapters/git/bundle.ts'
import { keepWithdrawn } from '#adapters/keys/trust-files.ts'
import { DUMP, loadOdoo } from '#adapters/postgres/odoo-database.ts'
import type { ResticOptions } from '#adapters/restic/restic.ts'
import { bumpRestoreEpoch } from '#adapters/state-files/restore-mark.ts'
import { mayHold, putBackInto } from '#adapters/zone-copy/put-back.ts'
import { signOfUse } from '#adapters/zone-copy/running.ts'
import { MANIFEST, parseManifest } from '#core/backup-manifest.ts'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import type { Zone } from '#core/zone-policy.ts'
import { type Env, parseConfig } from '#runtime/config.ts'
import { type BackupTargetConfig, backupTargetSettings } from '#services/backup/config.ts'
import type { BackupDeps } from '#services/backup/deps.ts'
import { backupDeps, ODOO_RESTORE, odooServer, REPOSITORIES, resticOptionsOf } from '#services/backup/main-deps.ts'
import type { RestoreDeps } from '#services/backup/restore.ts'
import { renewGuard } from './countersign-key.ts'
import { environmentOf, homeLayout, openZoneHome, type ZoneHome } from './zone-home.ts'

export type TargetOptions = { target?: string; passwordFile?: string }

/** What backing up an existing home works with. Throws ERR_CONFIG_INVALID. */
export function backupOf(home: ZoneHome, options: TargetOptions, env: Env, signal?: AbortSignal): BackupDeps {
  const { root, zone, agent } = home
  const config = configOf({ ...asked(env), ...environmentOf(home) }, options)
  return backupDeps({ ...{ home: root, zone, agent, config }, ...(signal && { signal }) })
}

/** Where the backups of an existing home go. Throws ERR_CONFIG_INVALID. */
export function backupTargetOf(home: ZoneHome, options: TargetOptions, env: Env): ResticOptions {
  const { root, zone, agent } = home
  const config = configOf({ ...asked(env), ...environmentOf(home) }, options)
  return resticOptionsOf({ home: root, zone, agent, config })
}

/** What restoring works with: the home may be empty, or not be there at all. Throws ERR_CONFIG_INVALID. */
export async function restoreInto(root: string, options: TargetOptions, env: Env): Promise<RestoreDeps> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  const here = await openZoneHome(root).catch(() => undefined)
  // A home that was emptied may still have the files of its secrets.
  const layout = here ?? homeLayout(root, 'local')
  const settings = { ...asked(env), ...environmentOf(layout) }
  const zone: Zone = here?.zone ?? 'local'
  const place = putBackInto(root)
  return {
    backup: backupDeps({ home: root, zone, agent: layout.agent, config: configOf(settings, options) }),
    home: root,
    zoneHere: here?.zone,
    mayHold: () => mayHold(root),
    signOfUse: () => signOfUse(root, Date.now()),
    place,
    async unpack(folder, { contents, odoo }) {
      for (const bundle of Object.keys(contents.repositories)) {
        const repository = REPOSITORIES[bundle]
        if (!repository) continue
        await unbundle(join(folder, bundle), join(folder, repository))
        await rm(join(folder, bundle))
      }
      if (odoo) {
        await mkdir(join(folder, ODOO_RESTORE), { mode: 0o700 })
        await rename(join(folder, DUMP), join(folder, ODOO_RESTORE, DUMP))
      }
      // It says what Odoo's database has to be like.
      await rename(join(folder, MANIFEST), join(folder, odoo ? ODOO_RESTORE : '..', MANIFEST))
    },
    async bumpRestoreEpoch(folder, made) {
      await keepKeys(root, folder)
      bumpRestoreEpoch(join(folder, 'state'), new Date(made))
    },
  }
}

/** Keys that were withdrawn since the backup stay withdrawn, and the countersigning key that followed one stays where it is. */
async function keepKeys(root: string, folder: string): Promise<void> {
  const followed = await keepWithdrawn(join(root, 'trust'), join(folder, 'trust'))
  const restored = await openZoneHome(folder)
  if (!followed.includes(restored.agent)) return
  const key = join(root, 'keys', 'countersign.pem')
  // Without it the executor refuses to start with the retired one, and says what to do.
  if (!existsSync(key)) return
  await copyFile(key, join(restored.keys, 'countersign.pem'))
  await renewGuard(restored)
}

/** Whether a restored home has a database of Odoo's that still has to be put back. */
export function hasOdooToRestore(root: string): boolean {
  return existsSync(join(root, ODOO_RESTORE, DUMP))
}

/** Puts back Odoo's database, which runs and is empty by then. Throws ERR_CONFIG_INVALID, and as `loadOdoo`. */
export async function restoreOdoo(home: ZoneHome, env: Env): Promise<readonly Finding[]> {
  const server = odooServer(configOf({ ...asked(env), ...environmentOf(home) }, {}))
  const folder = join(home.root, ODOO_RESTORE)
  const manifest = parseManifest(await readFile(join(folder, MANIFEST), 'utf8').catch(() => ''))
  if (!manifest?.odoo)
    throw new CountersignError('ERR_BACKUP_NONE', `looked for a database of Odoo’s in ${folder}: there is none`)
  if (!server)
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      'COUNTERSIGN_BACKUP_ODOO_HOST is empty: run this in the container of the backup (docs/backup.md)',
    )
  return loadOdoo(home.root, server, folder, manifest.odoo)
}

/** In a container the settings stand in the environment. */
function asked(env: Env): Record<string, string> {
  const names = Object.values(backupTargetSettings).map(({ name }) => name)
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name] as string]] : [])))
}

function configOf(
  settings: Readonly<Record<string, string>>,
  { target, passwordFile }: TargetOptions,
): BackupTargetConfig {
  const isPath = target !== undefined && !/^(sftp|s3):/.test(target)
  const verdict = parseConfig(backupTargetSettings, {
    ...settings,
    ...(target && { COUNTERSIGN_BACKUP_TARGET: isPath ? resolve(target) : target }),
    ...(passwordFile && { COUNTERSIGN_BACKUP_PASSWORD_FILE: resolve(passwordFile) }),
  })
  if (verdict.ok) return verdict.config
  throw new CountersignError('ERR_CONFIG_INVALID', `looking for where backups go: ${verdict.faults.join('; ')}`)
}
