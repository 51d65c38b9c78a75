import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CountersignError } from '#core/errors.ts'

/**
 * Makes this process the only user of a git directory until disposed. The kernel drops the lock with the process, so a
 * killed one leaves none behind. Throws ERR_CLONE_IN_USE.
 */
export function lockClone(gitDir: string): Disposable {
  const database = new DatabaseSync(join(gitDir, 'countersign-lock.sqlite'))
  try {
    database.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    throw new CountersignError('ERR_CLONE_IN_USE', `another process works on ${gitDir}`, { cause })
  }
  return { [Symbol.dispose]: () => database.close() }
}

/**
 * Removes git's own lock files that are older than `minAgeMs` and returns their paths. Only for a caller that knows
 * nobody holds them: a killed git leaves them, and they block every later write.
 */
export function removeStaleLocks(gitDir: string, minAgeMs: number, nowMs: number): string[] {
  const entries = [
    ...readdirSync(gitDir, { withFileTypes: true }),
    ...(existsSync(join(gitDir, 'refs'))
      ? readdirSync(join(gitDir, 'refs'), { recursive: true, withFileTypes: true })
      : []),
  ]
  const stale = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.lock'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => nowMs - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? nowMs) >= minAgeMs)
  for (const path of stale) rmSync(path, { force: true })
  return stale
}
