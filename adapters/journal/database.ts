import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { MIGRATIONS, SCHEMA } from './schema.ts'

const BUSY_TIMEOUT_MS = 5_000

/** Opens the file, making it (0600) when absent, and brings it to the current layout. `now`, ms: its birth if it is new. */
export function openDatabase(path: string, now: number): DatabaseSync {
  closeSync(openSync(path, 'a', 0o600))
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  db.exec('PRAGMA journal_mode = WAL')
  // FULL: a consumed receipt must survive a power cut, or it could be used again.
  db.exec('PRAGMA synchronous = FULL')
  for (const { table, lacks, sql } of MIGRATIONS) {
    const columns = db.prepare(`PRAGMA table_info(${table})`).all()
    if (columns.length > 0 && !columns.some((column) => column.name === lacks))
      db.exec(`BEGIN IMMEDIATE; ${sql}; COMMIT`)
  }
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA} INSERT OR IGNORE INTO birth VALUES (1, ${Math.trunc(now)}); COMMIT`)
  return db
}
