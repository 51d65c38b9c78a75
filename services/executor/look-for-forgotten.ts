import { CountersignError } from '#core/errors.ts'
import type { TaskFile } from '#core/task-file.ts'
import type { ExecutorDeps } from './deps.ts'

export type Forgotten =
  | { readonly kind: 'not-sent' }
  | { readonly kind: 'sent' }
  /** Sent cannot be looked at. `say`: why, for the person. */
  | { readonly kind: 'unknown'; readonly say: string }

/**
 * Whether a mail went out that this journal knows nothing of: a journal that was lost and made anew is younger than the
 * tasks of before. For those, and only for those, Sent is asked first, so that a mailbox which is away delays no others.
 */
export async function lookForForgotten(
  task: TaskFile,
  messageId: string,
  deps: Pick<ExecutorDeps, 'journal' | 'sent'>,
): Promise<Forgotten> {
  if (Date.parse(task.front.created) > deps.journal.bornAt) return { kind: 'not-sent' }
  try {
    return { kind: (await deps.sent.has(messageId)) ? 'sent' : 'not-sent' }
  } catch (error) {
    if (!(error instanceof CountersignError && error.retryable)) throw error
    const why = 'This task is older than the journal, so Sent must be looked at first, and cannot be'
    return { kind: 'unknown', say: `${why}: ${error.message}. ${error.hint}` }
  }
}
