import { CountersignError } from '#core/errors.ts'
import type { TaskJob } from '#core/jobs.ts'
import type { Domain } from '#core/vault-path.ts'
import { CannotDraft, type GiveBack, giveBackTask, type TaskOutcome } from './give-back.ts'
import { type Claimed, findClaimed, forbiddenHere, type HandInDeps } from './hand-in.ts'

/** What this zone drafts: one entry a domain. */
export type Drafts = { readonly [D in Domain]?: (claimed: Claimed) => Promise<TaskOutcome> }

export interface DraftTaskDeps extends HandInDeps {
  readonly giveBack: GiveBack
  readonly drafts: Drafts
}

/** What another try would run into again, and pay the model for. */
const HOPELESS: ReadonlySet<string> = new Set(['ERR_SKILL_INVALID', 'ERR_TASK_FILE_INVALID'])

/**
 * Drafts one claimed task as its domain asks for. Where not even a template can be had, or its file has no
 * room for a draft, the task goes back with a note: nothing half-written is handed in, and nothing is lost.
 * A task of a domain that this zone does not draft is left to whoever claimed it.
 */
export async function draftTask(job: TaskJob, deps: DraftTaskDeps): Promise<TaskOutcome> {
  const claimed = await findClaimed(job, deps)
  if (!claimed || (await deps.giveBack.isAsked(claimed))) return { kind: 'lost' }
  const draft = deps.drafts[claimed.task.front.domain]
  if (!draft) return (await forbiddenHere(claimed.task, deps)) ?? { kind: 'left' }
  try {
    return await draft(claimed)
  } catch (error) {
    const isHopeless = error instanceof CountersignError && HOPELESS.has(error.code)
    if (!isHopeless && !(error instanceof CannotDraft)) throw error
    return giveBackTask(claimed, error.message, deps)
  }
}
