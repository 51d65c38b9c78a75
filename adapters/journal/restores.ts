import type { DatabaseSync } from 'node:sqlite'
import type { JournalPort } from '#core/ports/journal.ts'
import type { Restored, RestoreMark } from '#core/restore-epoch.ts'
import type { JournalAccess } from './draft-memories.ts'
import type { Row } from './rows.ts'

/**
 * Takes the next epoch. In the same step a restore that this journal has not heard of makes everything that was shown or
 * approved in it of no effect: nobody works under the new epoch without.
 */
export function takeEpoch(db: DatabaseSync, restored: RestoreMark | undefined): number {
  db.exec('BEGIN IMMEDIATE')
  try {
    if (restored) noteRestore(restored, db)
    const { value } = db.prepare('UPDATE epoch SET value = value + 1 RETURNING value').get() ?? {}
    db.exec('COMMIT')
    return Number(value)
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function noteRestore({ id, at, backupOf }: RestoreMark, db: DatabaseSync): void {
  const sql = 'INSERT OR IGNORE INTO restores (id, at, backup_of) VALUES (?, ?, ?)'
  const { changes } = db.prepare(sql).run(id, Date.parse(at), backupOf === null ? null : Date.parse(backupOf))
  if (changes === 0) return
  db.exec('INSERT OR IGNORE INTO before_restore SELECT task_id FROM shown_cards')
}

/** The last one. */
export function lastRestore(row: Row | undefined): Restored | undefined {
  return row && { at: Number(row.at), backupOf: row.backup_of === null ? undefined : Number(row.backup_of) }
}

export const LAST_RESTORE = 'SELECT * FROM restores ORDER BY seq DESC LIMIT 1'
export const SHOWN_ANEW = 'DELETE FROM before_restore WHERE task_id = ?'

type Restores = Pick<JournalPort, 'isFromBeforeRestore' | 'isRestoreUntold' | 'restoreTold'>

export function restores({ write, read, one, run }: JournalAccess): Restores {
  return {
    isFromBeforeRestore: (taskId) =>
      read('reading what a restore brought back', () => {
        return one('SELECT 1 FROM before_restore WHERE task_id = ?', taskId) !== undefined
      }),
    isRestoreUntold: () =>
      read('reading of restores', () => one('SELECT 1 FROM restores WHERE told = 0 LIMIT 1') !== undefined),
    restoreTold: () => write('recording that a restore was told', () => void run('UPDATE restores SET told = 1')),
  }
}
