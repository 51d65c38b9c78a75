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

/**
 * Drafts one claimed task as its domain asks for. Where not even a template can be had, the task goes back with a note:
 * nothing half-written is handed in, and nothing is lost.
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
    const isBroken = error instanceof CountersignError && error.code === 'ERR_SKILL_INVALID'
    if (!isBroken && !(error instanceof CannotDraft)) throw error
    return giveBackTask(claimed, error.message, deps)
  }
}
