import { readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CountersignError } from '#core/errors.ts'

const LOCK_FILE = 'countersign-lock.sqlite'
/** SQLite's code for a file that is no database. */
const NOT_A_DATABASE = 26

/**
 * Makes this process the only user of a git directory until disposed. The kernel drops the lock with the process, so a
 * killed one leaves none behind. Throws ERR_CLONE_IN_USE.
 */
export function lockClone(gitDir: string): Disposable {
  try {
    return holdLock(gitDir)
  } catch (cause) {
    if (!isDamaged(cause)) throw inUse(gitDir, cause)
  }
  // Nobody can hold a lock in a file that is no database.
  renameSync(join(gitDir, LOCK_FILE), join(gitDir, `${LOCK_FILE}.damaged`))
  try {
    return holdLock(gitDir)
  } catch (cause) {
    throw inUse(gitDir, cause)
  }
}

function holdLock(gitDir: string): Disposable {
  const database = new DatabaseSync(join(gitDir, LOCK_FILE))
  try {
    database.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    throw error
  }
  return { [Symbol.dispose]: () => database.close() }
}

function isDamaged(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === NOT_A_DATABASE
}

function inUse(gitDir: string, cause: unknown): CountersignError {
  return new CountersignError('ERR_CLONE_IN_USE', `another process works on ${gitDir}`, { cause })
}

/**
 * Removes git's own lock files that are older than `minAgeMs` and returns their paths. Only for a caller that knows
 * nobody holds them: a killed git leaves them, and they block every later write.
 */
export function removeStaleLocks(gitDir: string, minAgeMs: number, nowMs: number): string[] {
  const entries = [
    ...entriesOf(gitDir, false),
    ...['refs', 'logs', 'info', 'objects/info'].flatMap((folder) => entriesOf(join(gitDir, folder), true)),
    ...['objects', 'objects/pack'].flatMap((folder) => entriesOf(join(gitDir, folder), false)),
  ]
  const stale = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.lock'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => nowMs - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? nowMs) >= minAgeMs)
  for (const path of stale) rmSync(path, { force: true })
  return stale
}

function entriesOf(folder: string, recursive: boolean) {
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory()
  return isFolder ? readdirSync(folder, { recursive, withFileTypes: true }) : []
}
