import { handedOf } from './hand-over.ts'
import { signsOf } from './mail-signs.ts'
import { newestWords } from './newest-message.ts'
import { section, type TaskFile } from './task-file.ts'

/**
 * Whether the newest message of a task's thread is a bill, though the task was sorted as something else: by the words that
 * triage goes by. What the owner's handbook decided stays so, and what was handed over once is not handed on.
 */
export function isBillByNow(task: TaskFile): boolean {
  const { source, classified, title } = task.front
  const isMail = source?.message_id !== undefined
  if (!isMail || classified?.by === 'handbook' || handedOf(task) !== undefined) return false
  const text = newestWords(section(task, 'original') ?? '')
  return signsOf({ subject: source?.subject ?? title, text }).isBill
}
