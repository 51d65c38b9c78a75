import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { SeenMail } from '#core/ports/seen-mail.ts'
import { ensureSchema, type StoreSchema } from '#core/store-schema.ts'

const FIRST = `
  CREATE TABLE IF NOT EXISTS messages (key TEXT PRIMARY KEY, task_id TEXT, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS marks (
    mailbox TEXT NOT NULL, epoch TEXT NOT NULL, mark TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (mailbox, epoch)
  ) STRICT, WITHOUT ROWID;`
/** Until version 0.1 positions were IMAP's only. */
const CARRY_OVER = `
  INSERT INTO marks SELECT mailbox, uid_validity, CAST(uid AS TEXT), at FROM positions WHERE true ON CONFLICT DO NOTHING;
  DROP TABLE positions;`
/** Which messages were taken, and how far a mailbox was read. */
export const SEEN_SCHEMA: StoreSchema = {
  first(database) {
    database.exec(FIRST)
    const hasPositions = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'positions'").get()
    if (hasPositions) database.exec(CARRY_OVER)
  },
  migrations: [],
}
const WHOLE_NUMBER = /^(?:0|[1-9]\d{0,99})$/

/** Opens (or makes, 0600) the SQLite file of triage. Losing it is harmless: task files carry ids made from their messages. */
export function openSeenMail(path: string): SeenMail {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const db = new DatabaseSync(path, { timeout: 5_000 })
  chmodSync(path, 0o600)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
  ensureSchema(db, SEEN_SCHEMA, path)
  const find = db.prepare('SELECT 1 FROM messages WHERE key = ?')
  const add = db.prepare('INSERT INTO messages (key, task_id, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const findMark = db.prepare('SELECT mark FROM marks WHERE mailbox = ? AND epoch = ?')
  // Numbers without leading zeros, larger than SQLite's own: the longer one is larger.
  const raise = db.prepare(
    `INSERT INTO marks (mailbox, epoch, mark, at) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET at = max(at, excluded.at),
       mark = iif((length(excluded.mark), excluded.mark) > (length(mark), mark), excluded.mark, mark)`,
  )
  const last = db.prepare('SELECT max(at) AS at FROM marks WHERE mailbox = ?')
  return {
    has: (messageKey) => find.get(messageKey) !== undefined,
    add: (messageKey, { at, taskId }) => void add.run(messageKey, taskId ?? null, at),
    highWater: (mailbox, epoch) => findMark.get(mailbox, epoch)?.mark as string | undefined,
    raiseHighWater(mailbox, { epoch, mark }, at) {
      if (!WHOLE_NUMBER.test(mark)) throw new RangeError(`remembering how far ${mailbox} was read: ${mark}`)
      raise.run(mailbox, epoch, mark, at)
    },
    lastActivity: (mailbox) => numberOf(last.get(mailbox)?.at),
    [Symbol.dispose]: () => db.close(),
  }
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
