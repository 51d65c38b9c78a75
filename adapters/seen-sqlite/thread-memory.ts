import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TaskId } from '#core/ids.ts'
import type { ThreadMemory } from '#core/ports/thread-memory.ts'
import { ensureSchema, type StoreSchema } from '#core/store-schema.ts'

const FIRST = `
  CREATE TABLE IF NOT EXISTS messages (
    account TEXT NOT NULL, id TEXT NOT NULL, thread TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (account, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tasks (
    account TEXT NOT NULL, thread TEXT NOT NULL, task_id TEXT NOT NULL, file_name TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (account, thread, task_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;`
/** Which mails make one thread, and its tasks. */
export const THREADS_SCHEMA: StoreSchema = { first: FIRST, migrations: [] }
const KEPT_MS = 400 * 86_400_000
const MAX_TASKS = 20

/** Opens (or makes, 0600) the SQLite file. What nobody has written in for 400 days before `now` (ms) is forgotten. */
export function openThreadMemory(path: string, now: number): ThreadMemory {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const db = new DatabaseSync(path, { timeout: 5_000 })
  chmodSync(path, 0o600)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
  ensureSchema(db, THREADS_SCHEMA, path)
  for (const table of ['messages', 'tasks']) db.prepare(`DELETE FROM ${table} WHERE at < ?`).run(now - KEPT_MS)
  const find = db.prepare('SELECT thread FROM messages WHERE account = ? AND id = ?')
  const tasks = db.prepare(
    `SELECT task_id, file_name FROM tasks WHERE account = ? AND thread = ? ORDER BY at DESC, task_id DESC LIMIT ${MAX_TASKS}`,
  )
  const addMessage = db.prepare(
    'INSERT INTO messages (account, id, thread, at) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)',
  )
  const addTask = db.prepare(
    `INSERT INTO tasks (account, thread, task_id, file_name, at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET at = max(at, excluded.at)`,
  )
  return {
    threadOf(account, messageIds) {
      for (const id of messageIds) {
        const thread = find.get(account, id)?.thread
        if (typeof thread === 'string') return thread
      }
      return undefined
    },
    tasksOf: (account, thread) =>
      tasks.all(account, thread).map((row) => ({ taskId: row.task_id as TaskId, fileName: row.file_name as string })),
    remember(account, thread, messageIds, { taskId, fileName }, at) {
      db.exec('BEGIN IMMEDIATE')
      try {
        for (const id of messageIds) addMessage.run(account, id, thread, at)
        addTask.run(account, thread, taskId, fileName, at)
        db.exec('COMMIT')
      } catch (error) {
        db.exec('ROLLBACK')
        throw error
      }
    },
    isComplete: () => db.prepare("SELECT 1 FROM facts WHERE name = 'complete'").get() !== undefined,
    setComplete: () => void db.exec("INSERT INTO facts VALUES ('complete') ON CONFLICT DO NOTHING"),
    [Symbol.dispose]: () => db.close(),
  }
}
