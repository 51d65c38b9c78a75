import { mkdirSync } from 'node:fs'
import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import { type ResticOptions, runRestic } from './restic.ts'

const keysSchema = z.array(z.object({ current: z.boolean(), id: z.string().regex(/^[0-9a-f]{8,64}$/) }))

/** The passwords of a repository: each opens a key of its own, and all keys open the same backups. Throws as `BackupStore`. */
export interface ResticKeys {
  /** The id of the key that this password opens; undefined: it opens none. */
  idOf(passwordFile: string): Promise<string | undefined>
  /** Has another password open the backups as well. */
  add(passwordFile: string, newPasswordFile: string): Promise<void>
  /** Takes a key away; the one that is in use is refused. */
  remove(passwordFile: string, id: string): Promise<void>
}

export function openResticKeys(options: ResticOptions): ResticKeys {
  mkdirSync(options.cacheDir, { recursive: true, mode: 0o700 })
  const run = (passwordFile: string, ...args: string[]) => runRestic({ ...options, passwordFile }, ['key', ...args])
  return {
    async idOf(passwordFile) {
      try {
        const keys = keysSchema.parse(JSON.parse(await run(passwordFile, 'list', '--json', '--no-lock')))
        return keys.find(({ current }) => current)?.id
      } catch (error) {
        if (error instanceof CountersignError && error.code === 'ERR_BACKUP_PASSWORD') return undefined
        throw error
      }
    },
    async add(passwordFile, newPasswordFile) {
      await run(passwordFile, 'add', '--new-password-file', newPasswordFile)
    },
    async remove(passwordFile, id) {
      await run(passwordFile, 'remove', id)
    },
  }
}
