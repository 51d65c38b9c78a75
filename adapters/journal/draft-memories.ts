import type { DraftMemory, JournalPort } from '#core/ports/journal.ts'
import { draftMemoryOf, type Row } from './rows.ts'

const KEPT = 500

/** How the journal reads and writes: `write` is one transaction under its epoch. */
export interface JournalAccess {
  write<T>(what: string, change: () => T): T
  read<T>(what: string, query: () => T): T
  one(sql: string, ...values: (string | number)[]): Row | undefined
  run(sql: string, ...values: (string | number | null)[]): unknown
}

type Memories = Pick<JournalPort, 'draftMemory' | 'rememberDraft' | 'forgetDraft'>

/** `put` works inside a transaction that is open already. */
export function draftMemories({ write, read, one, run }: JournalAccess): Memories & { put(draft: DraftMemory): void } {
  const put = (draft: DraftMemory) => {
    const { taskId, revision, received, generation, drafted, shown, previous, answers, asked, isUnanswered } = draft
    const sql = `INSERT OR REPLACE INTO draft_memories
      (task_id, revision, received, generation, drafted, shown, previous, answers, unanswered, asked)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
    const texts = [drafted, shown, previous ?? null, answers ?? null] as const
    run(sql, taskId, revision, received, generation, ...texts, isUnanswered ? 1 : 0, asked ?? null)
    run('DELETE FROM draft_memories WHERE seq <= (SELECT max(seq) FROM draft_memories) - ?', KEPT)
  }
  return {
    put,
    draftMemory: (taskId) =>
      read('reading what is remembered of a draft', () => {
        const row = one('SELECT * FROM draft_memories WHERE task_id = ?', taskId)
        return row && draftMemoryOf(row)
      }),
    rememberDraft: (draft) => write('remembering a draft', () => put(draft)),
    forgetDraft: (taskId) =>
      write('forgetting a draft', () => void run('DELETE FROM draft_memories WHERE task_id = ?', taskId)),
  }
}
