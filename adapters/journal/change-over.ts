import { DatabaseSync } from 'node:sqlite'
import { CountersignError } from '#core/errors.ts'
import { openJournal } from './journal.ts'

const BUSY_TIMEOUT_MS = 10_000

/**
 * Makes a change that no executor may live through, such as another countersigning key: while `change` runs, no receipt
 * can be used, and when it is made, whoever held the journal before is fenced off. `change` is told the tasks whose use
 * is spent and whose outcome is not known yet; when it throws, nothing is fenced off. Throws ERR_JOURNAL_FAILED.
 */
export function changeOver(journalFile: string, change: (open: readonly string[]) => void): void {
  // Made, or brought to the present layout, without taking an epoch.
  openJournal(journalFile, { epoch: 'join' })[Symbol.dispose]()
  using db = open(journalFile)
  db.exec('BEGIN IMMEDIATE')
  try {
    const rows = db.prepare("SELECT task_id FROM intents WHERE state = 'consumed' ORDER BY intended_at").all()
    change(rows.map((row) => String(row.task_id)))
    db.exec('UPDATE epoch SET value = value + 1')
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function open(path: string): DatabaseSync & Disposable {
  try {
    const db = new DatabaseSync(path)
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; PRAGMA synchronous = FULL`)
    return Object.assign(db, { [Symbol.dispose]: () => db.close() })
  } catch (cause) {
    throw new CountersignError('ERR_JOURNAL_FAILED', `opening the journal ${path}: ${(cause as Error).message}`, {
      cause,
    })
  }
}
