import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type BackupStatus, parseBackupStatus } from '#core/backup-status.ts'
import { CountersignError } from '#core/errors.ts'

/** Held while the backup service runs. */
export const SERVICE_LOCK = 'service.sqlite'

/** A lock of SQLite: it ends with the process that has it, and holds between containers, too. */
function lock(path: string, taken: string): AsyncDisposable {
  const database = new DatabaseSync(path)
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    throw new CountersignError('ERR_BACKUP_LOCKED', taken, { cause })
  }
  return { [Symbol.asyncDispose]: async () => database.close() }
}

/**
 * The folder `backup` of a zone home, which only backups use: what is copied there is every secret of the zone for a
 * while, and so no other service has it mounted.
 */
export function ownFolder(home: string) {
  const root = join(home, 'backup')
  const made = () => mkdir(root, { recursive: true, mode: 0o700 })
  return {
    cacheDir: join(root, 'cache'),
    status: {
      load: async (): Promise<BackupStatus> =>
        parseBackupStatus(await readFile(join(root, 'status.json'), 'utf8').catch(() => '')),
      async save(status: BackupStatus) {
        await made()
        const temporary = join(root, 'status.json.tmp')
        await writeFile(temporary, JSON.stringify(status), { mode: 0o600, flush: true })
        await rename(temporary, join(root, 'status.json'))
      },
    },
    /** Throws ERR_BACKUP_LOCKED. */
    async oneAtATime(): Promise<AsyncDisposable> {
      await made()
      return lock(join(root, 'lock.sqlite'), `working in ${root}: another backup, check or restore is at it`)
    },
    /** Shows that the zone's backup service runs, for as long as it is held. Throws ERR_BACKUP_LOCKED. */
    async asService(): Promise<AsyncDisposable> {
      await made()
      return lock(join(root, SERVICE_LOCK), `starting: another backup service works in ${root}`)
    },
    async scratch(name: 'stage' | 'drill') {
      const path = join(root, name)
      const clear = () => rm(path, { recursive: true, force: true })
      await clear()
      await mkdir(path, { recursive: true, mode: 0o700 })
      return { path, [Symbol.asyncDispose]: clear }
    },
  }
}
