import { type Action, partsOf } from '#core/action.ts'
import { asksForCode } from '#core/confirmation.ts'
import { needsCode, risksOf } from '#core/risk.ts'
import type { TaskFile } from '#core/task-file.ts'
import type { Knowledge } from './knowledge.ts'

/** What was judged with the same knowledge, by the digest of the whole file. */
const judged = new WeakMap<Knowledge, Map<string, boolean>>()

/**
 * Whether a card that stands asks for a code where none is needed any more, or the other way round: the handbook was
 * changed, or somebody has been written to. `shown`: the digest of the file, which is as it was shown.
 */
export function isOutdated(task: TaskFile, action: Action, shown: string, knowledge: Knowledge): boolean {
  const known = judged.get(knowledge) ?? new Map<string, boolean>()
  judged.set(knowledge, known)
  const needs = known.get(shown) ?? needsCode(risksOf(task, partsOf(action), knowledge.risk))
  known.set(shown, needs)
  return needs !== asksForCode(task)
}
