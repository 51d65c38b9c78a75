import { constants } from 'node:fs'
import { chmod, copyFile, lstat, mkdir, readdir, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { CountersignError } from '#core/errors.ts'

/** Of a zone home, by their place in it: made anew by the program, too, or nobody else's business. They are copied as empty folders. */
const EMPTIED = [
  // Doorbells; the vault is the truth.
  'redis',
  // Repositories go as bundles, caches not at all.
  'hub/vault.git',
  'hub/heartbeats.git',
  'state/repo.git',
  'state/heartbeats.git',
  // Whoever has these can write as you, or stands logged in at your bank: they stay on this machine.
  'state/whatsapp',
  'state/browser',
  // A running database is dumped, and its attachments are copied after that.
  'odoo',
  'odoo-db',
  'state/synthetic',
  'state/boots',
  'state/trash',
  'state/damaged',
]
/** They tell of what runs now, or are this program's own. */
const LEFT_OUT = [
  /^(backup|backups|before-restore-[^/]*|restoring|odoo-restore)$/,
  /^state\/(status|executor|sync-status)\.json$/,
  /^state\/maintenance-[^/]*\.json$/,
  /^state\/[^/]*\.sqlite-(wal|shm|journal)$/,
  /\.tmp$/,
]
/** Databases of the zone, by their place in its home. */
export const DATABASE = /^state\/[^/]+\.sqlite$/
const BUSY_TIMEOUT_MS = 10_000

export interface CopiedZone {
  /** What could not be copied, because it is no plain file or could not be read; by path. */
  readonly skipped: readonly string[]
}

/**
 * Copies a zone home, while its services work on it, into an empty folder: databases by SQLite's own online backup, and
 * before the vault, so that no memory is ahead of the files it tells of; then the rest, twice, because a task that moves
 * while it is copied would be missed the first time. The agent's own ledger is copied before those that it tells of.
 */
export async function copyZone(home: string, folder: string, agent: string): Promise<CopiedZone> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const path of await databasesOf(home)) await copyDatabase(join(home, path), join(folder, path))
  const skipped = new Set<string>()
  const order = (path: string) => (path === `vault/Logs/${agent}` ? 'vault/Logs/ ' : path)
  for (let round = 0; round < 2; round++) {
    skipped.clear()
    await mirror(home, folder, '', { skipped, order })
  }
  return { skipped: [...skipped].sort() }
}

/** Databases of the zone's state, below its home. */
async function databasesOf(home: string): Promise<string[]> {
  const names = await readdir(join(home, 'state')).catch(() => [])
  return names.map((name) => `state/${name}`).filter((path) => DATABASE.test(path))
}

async function copyDatabase(from: string, to: string): Promise<void> {
  await mkdir(join(to, '..'), { recursive: true, mode: 0o700 })
  try {
    using source = new DatabaseSync(from, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
    await backup(source, to)
    using copy = new DatabaseSync(to)
    // One file that is whole by itself; its owner sets the mode again when it opens it.
    copy.exec('PRAGMA journal_mode = DELETE')
    const { integrity_check: verdict } = copy.prepare('PRAGMA integrity_check(1)').get() ?? {}
    if (verdict !== 'ok') throw new Error(String(verdict))
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : 'failed'
    throw new CountersignError('ERR_BACKUP_FAILED', `copying the database ${from}: ${found}`, { cause })
  }
  await chmod(to, 0o600)
}

interface Mirroring {
  readonly skipped: Set<string>
  readonly order: (path: string) => string
}

/** Makes the copy's folder like the home's; what is equal by size and time is left alone. */
async function mirror(home: string, folder: string, at: string, mirroring: Mirroring): Promise<void> {
  const { skipped, order } = mirroring
  const below = (name: string) => (at === '' ? name : `${at}/${name}`)
  const { mode } = await lstat(join(home, at))
  await mkdir(join(folder, at), { recursive: true, mode: (mode & 0o777) | 0o700 })
  const names = EMPTIED.includes(at) ? [] : await readdir(join(home, at))
  const wanted = names.map(below).filter((path) => !LEFT_OUT.some((pattern) => pattern.test(path)))
  for (const path of wanted.toSorted((a, b) => (order(a) < order(b) ? -1 : 1))) {
    if (DATABASE.test(path)) continue
    const info = await lstat(join(home, path)).catch(() => undefined) // Gone meanwhile.
    if (info?.isDirectory()) await mirror(home, folder, path, mirroring)
    else if (info?.isFile()) await copyOne(home, folder, path, skipped)
    else if (info && !info.isSocket() && !info.isFIFO()) skipped.add(path)
  }
  const kept = new Set(wanted)
  for (const name of await readdir(join(folder, at)))
    if (!kept.has(below(name)) && !DATABASE.test(below(name))) await rm(join(folder, below(name)), { recursive: true })
}

async function copyOne(home: string, folder: string, path: string, skipped: Set<string>): Promise<void> {
  const to = join(folder, path)
  try {
    const info = await lstat(join(home, path))
    const there = await lstat(to).catch(() => undefined)
    if (there?.isFile() && there.size === info.size && Math.abs(there.mtimeMs - info.mtimeMs) < 1) return
    if (there) await rm(to, { recursive: true })
    // Shares the bytes where the file system can.
    await copyFile(join(home, path), to, constants.COPYFILE_FICLONE)
    await chmod(to, info.mode & 0o777)
    // Of before the copy: what changed during it is copied again in the next round.
    await utimes(to, info.atime, info.mtime)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new CountersignError('ERR_BACKUP_FAILED', `copying ${path}: no room left beside the zone home`, {
        cause: error,
      })
    await rm(to, { force: true })
    if (code !== 'ENOENT') skipped.add(path)
  }
}
