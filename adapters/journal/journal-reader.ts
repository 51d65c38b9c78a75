import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { CountersignError } from '#core/errors.ts'
import type { JournalPort } from '#core/ports/journal.ts'
import { refuseNewer, versionOf } from '#core/store-schema.ts'
import { intentOf } from './rows.ts'
import { JOURNAL_SCHEMA } from './schema.ts'

const BUSY_TIMEOUT_MS = 5_000

export type JournalReader = Pick<JournalPort, 'intentsIn' | 'updates'> & Disposable

/**
 * Reads the journal beside an executor, or without one, and changes nothing; a journal that was never made is an empty
 * one. Throws ERR_JOURNAL_FAILED when it cannot be read, ERR_STATE_NEWER when a newer program wrote it.
 */
export function openJournalReader(path: string): JournalReader {
  if (!existsSync(path)) return { intentsIn: () => [], updates: () => [], [Symbol.dispose]() {} }
  const db = reading(path, () => new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS }))
  const all = (sql: string, ...values: (string | number)[]) =>
    reading(path, () => {
      refuseNewer(versionOf(db), JOURNAL_SCHEMA, path)
      return db.prepare(sql).all(...values)
    })
  return {
    intentsIn: (state) => all('SELECT * FROM intents WHERE state = ? ORDER BY intended_at', state).map(intentOf),
    updates: (limit) =>
      all('SELECT agent, name, text FROM updates ORDER BY name DESC, seq DESC LIMIT ?', limit).map((row) => ({
        agent: String(row.agent),
        name: String(row.name),
        text: String(row.text),
      })),
    [Symbol.dispose]: () => db.close(),
  }
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof CountersignError) throw error
    const found = error instanceof Error ? error.message : 'failed'
    throw new CountersignError('ERR_JOURNAL_FAILED', `reading the journal ${path}: ${found}`, { cause: error })
  }
}
