import { CountersignError } from '#core/errors.ts'
import type { TaskJob } from '#core/jobs.ts'
import { type DraftInvoiceDeps, draftInvoice } from './draft-invoice.ts'
import { type DraftPostsDeps, draftPosts } from './draft-posts.ts'
import { draftReply } from './draft-reply.ts'
import { CannotDraft, type GiveBack, giveBackTask, type TaskOutcome } from './give-back.ts'
import { findClaimed } from './hand-in.ts'

export interface DraftTaskDeps extends DraftInvoiceDeps {
  readonly giveBack: GiveBack
  readonly posts: DraftPostsDeps
}

/** What another try would run into again, and pay the model for. */
const HOPELESS: ReadonlySet<string> = new Set(['ERR_SKILL_INVALID', 'ERR_TASK_FILE_INVALID'])

/**
 * Drafts one claimed task as its domain asks for. Where not even a template can be had, or its file has no
 * room for a draft, the task goes back with a note: nothing half-written is handed in, and nothing is lost.
 */
export async function draftTask(job: TaskJob, deps: DraftTaskDeps): Promise<TaskOutcome> {
  const claimed = await findClaimed(job, deps)
  if (!claimed || (await deps.giveBack.isAsked(claimed))) return { kind: 'lost' }
  try {
    switch (claimed.task.front.domain) {
      case 'social':
        return await draftPosts(claimed, { ...deps.posts, giveBack: deps.giveBack })
      case 'accounting':
        return await draftInvoice(claimed, deps)
      default:
        return await draftReply(job, deps)
    }
  } catch (error) {
    const isHopeless = error instanceof CountersignError && HOPELESS.has(error.code)
    if (!isHopeless && !(error instanceof CannotDraft)) throw error
    return giveBackTask(claimed, error.message, deps)
  }
}
