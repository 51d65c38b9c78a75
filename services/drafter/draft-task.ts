import { CountersignError } from '#core/errors.ts'
import type { TaskJob } from '#core/jobs.ts'
import { type DraftPostsDeps, draftPosts } from './draft-posts.ts'
import { type DrafterDeps, draftReply } from './draft-reply.ts'
import { type GiveBack, giveBackTask, type TaskOutcome } from './give-back.ts'
import { findClaimed } from './hand-in.ts'

export interface DraftTaskDeps extends DrafterDeps {
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
    return claimed.task.front.domain === 'social'
      ? await draftPosts(claimed, { ...deps.posts, giveBack: deps.giveBack })
      : await draftReply(job, deps)
  } catch (error) {
    if (!(error instanceof CountersignError && error.code === 'ERR_SKILL_INVALID')) throw error
    return giveBackTask(claimed, error.message, deps)
  }
}
