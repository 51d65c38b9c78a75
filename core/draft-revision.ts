import { createHash } from 'node:crypto'
import type { DraftMemory } from './ports/journal.ts'

/** Of a longer text only so much is remembered, and by its digest whether the rest is the same. */
export const MAX_KEPT_CHARS = 30_000

/** A text as it is remembered: equal for equal texts, and bounded. */
export function keptText(text: string): string {
  if (text.length <= MAX_KEPT_CHARS) return text
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16)
  return `${text.slice(0, MAX_KEPT_CHARS).toWellFormed()}\n[${text.length} characters in all, ${digest}]`
}

/** The draft of a file that is about to be put before the person. */
export type ArrivedDraft = Pick<DraftMemory, 'taskId' | 'received' | 'generation'> & { readonly text: string }

/**
 * What is remembered of a draft once its card is made. It is a new revision when it came back from the drafter that was
 * asked for it, or was received with another text; any other change of it is the person's own. The same facts give the
 * same again, whether or not the first memory was written: a crash in between makes no revision of its own.
 */
export function revised(memory: DraftMemory | undefined, arrived: ArrivedDraft): DraftMemory {
  const { taskId, received, generation } = arrived
  const text = keptText(arrived.text)
  const now = { taskId, received, generation, shown: text, asked: undefined }
  const first = { revision: 1, drafted: text, previous: undefined, answers: undefined, isUnanswered: false }
  if (!memory) return { ...now, ...first }
  const isReceived = memory.received !== received
  const isBack = memory.asked !== undefined && (isReceived || memory.generation !== generation)
  const isReplaced = isReceived && memory.shown !== text
  if (!isBack && !isReplaced) return { ...memory, ...now }
  return {
    ...now,
    revision: memory.revision + 1,
    drafted: text,
    previous: memory.shown,
    answers: isBack ? memory.asked : undefined,
    isUnanswered: isBack && (text === memory.shown || text === memory.drafted),
  }
}
