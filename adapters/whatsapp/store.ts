import { randomUUID } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CountersignError } from '#core/errors.ts'
import type { SessionMemory } from '#core/ports/whatsapp.ts'
import { ensureSchema } from '#core/store-schema.ts'
import { chatMessageSchema, messageKey } from '#core/whatsapp-message.ts'
import type { Session } from '#core/whatsapp-session.ts'
import { WHATSAPP_SCHEMA } from './schema.ts'

const KEPT_MS = 60 * 86_400_000
const BATCH = 50
const DAY_MS = 86_400_000

/**
 * Opens (or makes, 0600) the service's SQLite file, and holds it: a second service on the same folder gets
 * ERR_WHATSAPP_IN_USE, for two browsers with one session would take it from each other.
 */
export function openStore(folder: string, now: number): SessionMemory & Disposable {
  const path = join(folder, 'whatsapp.sqlite')
  const db = new DatabaseSync(path, { timeout: 2_000 })
  try {
    chmodSync(path, 0o600)
    // Held from the first write on until the process ends, however it ends.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
    db.exec('BEGIN EXCLUSIVE; COMMIT;')
    ensureSchema(db, WHATSAPP_SCHEMA, path)
    db.prepare('DELETE FROM changes WHERE at < ?').run(now - KEPT_MS)
    db.prepare("INSERT INTO facts VALUES ('epoch', ?) ON CONFLICT DO NOTHING").run(randomUUID())
  } catch (error) {
    db.close()
    if (!/locked|busy/i.test(String(error))) throw error
    throw new CountersignError('ERR_WHATSAPP_IN_USE', `opening ${path}: another process has it`, { cause: error })
  }
  const findFact = db.prepare('SELECT value FROM facts WHERE name = ?')
  const setFact = db.prepare('INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
  const fact = (name: string) => findFact.get(name)?.value as string | undefined
  const add = db.prepare('INSERT INTO changes (key, at, message) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const after = db.prepare(`SELECT position, message FROM changes WHERE position > ? ORDER BY position LIMIT ${BATCH}`)
  const newest = db.prepare('SELECT max(position) AS position, max(at) AS at FROM changes')
  const use = db.prepare('INSERT INTO used (nonce, task, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const became = db.prepare('UPDATE OR IGNORE used SET message = ? WHERE nonce = ?')
  const taskOf = db.prepare('SELECT task FROM used WHERE message = ?')
  const sent = db.prepare('SELECT at FROM used WHERE at > ? AND sent = 1 AND nonce <> ?')
  return {
    epoch: fact('epoch') ?? '',
    session: () => parsed<Session>(fact('session')),
    keepSession: (session) => void setFact.run('session', JSON.stringify(session)),
    linked: () => parsed(fact('linked')),
    link(own, at) {
      const before = parsed<{ own: string; since: number }>(fact('linked'))
      if (before?.own !== own) setFact.run('linked', JSON.stringify({ own, since: at }))
    },
    unlink: () => void db.prepare("DELETE FROM facts WHERE name = 'linked'").run(),
    add: (message) => add.run(messageKey(message), message.at, JSON.stringify(message)).changes > 0,
    newest: () => Number(newest.get()?.position ?? 0),
    newestAt: () => (newest.get()?.at as number | null) ?? undefined,
    changesAfter: (position) =>
      after.all(position).map((row) => ({
        position: Number(row.position),
        message: chatMessageSchema.parse(JSON.parse(String(row.message))),
      })),
    use: (nonce, task, at) => use.run(nonce, task, at).changes > 0,
    unsent: (nonce) => void db.prepare('UPDATE used SET sent = 0 WHERE nonce = ?').run(nonce),
    became: (nonce, messageId) => void became.run(messageId, nonce),
    taskOf: (messageId) => taskOf.get(messageId)?.task as string | undefined,
    sentAt: (at, exceptNonce = '') => sent.all(at - DAY_MS, exceptNonce).map((row) => Number(row.at)),
    [Symbol.dispose]: () => db.close(),
  }
}

function parsed<T>(text: string | undefined): T | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as T)
}
