import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { ensureSchema } from '#core/store-schema.ts'
import { JOURNAL_SCHEMA } from './schema.ts'

const BUSY_TIMEOUT_MS = 5_000

/** Opens the file, making it (0600) when absent. `now`, ms: its birth if it is new. Throws as `ensureSchema`. */
export function openDatabase(path: string, now: number): DatabaseSync {
  closeSync(openSync(path, 'a', 0o600))
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  db.exec('PRAGMA journal_mode = WAL')
  // FULL: a consumed receipt must survive a power cut, or it could be used again.
  db.exec('PRAGMA synchronous = FULL')
  try {
    ensureSchema(db, JOURNAL_SCHEMA, path)
    // Whoever dies before this has made nothing yet: the next to open it is born later, which is the careful side.
    db.prepare('INSERT OR IGNORE INTO birth VALUES (1, ?)').run(Math.trunc(now))
  } catch (error) {
    db.close()
    throw error
  }
  return db
}
