import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { ReceivedPort } from '#core/ports/received.ts'

/** Opens `<state>/received.sqlite`, shared by the sync and the executor of a zone. A lost file counts from 0 again, which fits no presentation. */
export function openReceived(stateDir: string): ReceivedPort & Disposable {
  mkdirSync(stateDir, { recursive: true })
  const database = new DatabaseSync(join(stateDir, 'received.sqlite'))
  database.exec('PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.exec('CREATE TABLE IF NOT EXISTS received (file_name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT')
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
