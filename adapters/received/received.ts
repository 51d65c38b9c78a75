import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { ReceivedPort } from '#core/ports/received.ts'
import { ensureSchema, type StoreSchema } from '#core/store-schema.ts'

/** How often something of the hub was written under a task's name. */
export const RECEIVED_SCHEMA: StoreSchema = {
  first: 'CREATE TABLE IF NOT EXISTS received (file_name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT',
  migrations: [],
}

/** Opens `<state>/received.sqlite`, shared by the sync and the executor of a zone. A lost file counts from 0 again, which fits no presentation. */
export function openReceived(stateDir: string): ReceivedPort & Disposable {
  mkdirSync(stateDir, { recursive: true })
  const path = join(stateDir, 'received.sqlite')
  const database = new DatabaseSync(path)
  database.exec('PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  ensureSchema(database, RECEIVED_SCHEMA, path)
  const select = database.prepare('SELECT count FROM received WHERE file_name = ?')
  // The first count is the time in ms, so that a lost file never repeats numbers it gave before.
  const add = database.prepare(
    'INSERT INTO received VALUES (?, ?) ON CONFLICT DO UPDATE SET count = max(count + 1, excluded.count)',
  )
  return {
    count: (fileName) => (select.get(fileName) as { count: number } | undefined)?.count ?? 0,
    note: (fileName) => void add.run(fileName, Date.now()),
    [Symbol.dispose]: () => database.close(),
  }
}
