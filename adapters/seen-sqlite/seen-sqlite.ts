import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { SeenMail } from '#core/ports/seen-mail.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS messages (key TEXT PRIMARY KEY, task_id TEXT, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS positions (
    mailbox TEXT NOT NULL, uid_validity TEXT NOT NULL, uid INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (mailbox, uid_validity)
  ) STRICT, WITHOUT ROWID;`

/** Opens (or makes, 0600) the SQLite file of triage. Losing it is harmless: task files carry ids made from their messages. */
export function openSeenMail(path: string): SeenMail {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const db = new DatabaseSync(path, { timeout: 5_000 })
  chmodSync(path, 0o600)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
  db.exec(SCHEMA)
  const find = db.prepare('SELECT 1 FROM messages WHERE key = ?')
  const add = db.prepare('INSERT INTO messages (key, task_id, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const position = db.prepare('SELECT uid FROM positions WHERE mailbox = ? AND uid_validity = ?')
  const raise = db.prepare(
    `INSERT INTO positions (mailbox, uid_validity, uid, at) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET uid = max(uid, excluded.uid), at = max(at, excluded.at)`,
  )
  const last = db.prepare('SELECT max(at) AS at FROM positions WHERE mailbox = ?')
  return {
    has: (messageKey) => find.get(messageKey) !== undefined,
    add: (messageKey, { at, taskId }) => void add.run(messageKey, taskId ?? null, at),
    highWater: (mailbox, uidValidity) => numberOf(position.get(mailbox, uidValidity)?.uid),
    raiseHighWater: (mailbox, uidValidity, uid, at) => void raise.run(mailbox, uidValidity, uid, at),
    lastActivity: (mailbox) => numberOf(last.get(mailbox)?.at),
    [Symbol.dispose]: () => db.close(),
  }
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
