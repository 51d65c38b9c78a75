import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CountersignError } from '#core/errors.ts'
import type { SpendStore, Spent } from '#core/ports/spend-store.ts'
import { ensureSchema, type StoreSchema } from '#core/store-schema.ts'

/** `cost`: nano-dollars, first the worst case; `usage` columns stay empty until the call is settled. */
const FIRST = `
  CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, day TEXT NOT NULL, at INTEGER NOT NULL, task_id TEXT, purpose TEXT NOT NULL,
    size TEXT NOT NULL, model TEXT NOT NULL, cost INTEGER NOT NULL CHECK (cost >= 0),
    input INTEGER, cache_read INTEGER, cache_write INTEGER, output INTEGER
  ) STRICT;
  CREATE INDEX IF NOT EXISTS calls_of_day ON calls (day);
  CREATE INDEX IF NOT EXISTS calls_of_task ON calls (task_id) WHERE task_id IS NOT NULL;`

/** What models cost, by day and task. */
export const SPEND_SCHEMA: StoreSchema = { first: FIRST, migrations: [] }

const SUM = `
  SELECT coalesce(sum(cost), 0) AS cost, count(*) AS calls, coalesce(sum(input), 0) AS input,
    coalesce(sum(cache_read), 0) AS cacheRead, coalesce(sum(cache_write), 0) AS cacheWrite,
    coalesce(sum(output), 0) AS output
  FROM calls`

/** Longer than a year, so that two years can be compared. */
const KEEP_DAYS = 400
/** The other process holds the lock for one insert. */
const BUSY_MS = 5_000

/**
 * Opens (or makes, 0600) the file in which the zone's processes together keep what models cost. Throws
 * ERR_STATE_WRITE_FAILED: without it nothing may be asked, since nobody would know what was spent.
 */
export function openSpend(path: string, now: number): SpendStore {
  const db = openFile(path)
  db.prepare('DELETE FROM calls WHERE at < ?').run(now - KEEP_DAYS * 86_400_000)
  const insert = db.prepare(
    'INSERT INTO calls (day, at, task_id, purpose, size, model, cost) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const correct = db.prepare(
    'UPDATE calls SET cost = ?, input = ?, cache_read = ?, cache_write = ?, output = ? WHERE id = ?',
  )
  const ofDay = db.prepare(`${SUM} WHERE day = ?`)
  const ofTask = db.prepare(`${SUM} WHERE task_id = ?`)
  for (const statement of [ofDay, ofTask]) statement.setReadBigInts(true)
  return {
    debit({ day, at, taskId, purpose, size, model, amount }, cap) {
      // At once for writing: two that had both read the sum first would both fit below the cap.
      db.exec('BEGIN IMMEDIATE')
      try {
        const fits = amount === 0n || spentOf(ofDay.get(day)).cost + amount <= cap
        const id = fits && Number(insert.run(day, at, taskId ?? null, purpose, size, model, amount).lastInsertRowid)
        db.exec('COMMIT')
        return id === false ? undefined : id
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK')
        throw error
      }
    },
    settle(id, cost, usage) {
      const { input = null, cacheRead = null, cacheWrite = null, output = null } = usage ?? {}
      correct.run(cost, input, cacheRead, cacheWrite, output, id)
    },
    ofDay: (day) => spentOf(ofDay.get(day)),
    ofTask: (taskId) => spentOf(ofTask.get(taskId)),
    [Symbol.dispose]: () => db.close(),
  }
}

function openFile(path: string): DatabaseSync {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const db = new DatabaseSync(path, { timeout: BUSY_MS })
    chmodSync(path, 0o600)
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
    ensureSchema(db, SPEND_SCHEMA, path)
    return db
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause
    const found = cause instanceof Error ? cause.message : String(cause)
    const say = `opening ${path}, where it stands what models cost: ${found}. If it is damaged, move it away: today then counts from 0`
    throw new CountersignError('ERR_STATE_WRITE_FAILED', say, { cause })
  }
}

function spentOf(row: Record<string, unknown> | undefined): Spent {
  const whole = (name: string) => (typeof row?.[name] === 'bigint' ? (row[name] as bigint) : 0n)
  const count = (name: string) => Number(whole(name))
  return {
    cost: whole('cost'),
    calls: count('calls'),
    input: count('input'),
    cacheRead: count('cacheRead'),
    cacheWrite: count('cacheWrite'),
    output: count('output'),
  }
}
