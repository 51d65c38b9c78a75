import { readAction } from '#core/action.ts'
import { withHistory } from '#core/claim.ts'
import type { TaskJob } from '#core/jobs.ts'
import type { DraftResult } from '#core/ports/drafting.ts'
import type { SocialAccountName } from '#core/social-accounts.ts'
import { NETWORK_NAMES, type Network } from '#core/social-text.ts'
import { withFront, withSection } from '#core/task-file.ts'
import { type Claimed, type DraftOutcome, findClaimed, forbiddenHere, type HandInDeps, handIn } from './hand-in.ts'
import { drafted, riskWith } from './made-by.ts'

/** A post as whoever writes it wants it; the account is not theirs to choose. */
export interface PostDraft {
  readonly network: Network
  readonly text: string
  /** ISO 8601 UTC; publish_at: the network keeps it until then. */
  readonly notBefore?: string | undefined
  readonly publishAt?: string | undefined
  readonly image?: string | undefined
  readonly altText?: string | undefined
}

export interface DraftPostDeps extends HandInDeps {
  /** For whom posts may be drafted. */
  readonly accounts: readonly SocialAccountName[]
  /** Who writes, as the card says it. */
  readonly by: string
  readonly expiresAfterMs: number
}

/**
 * Hands in the post of one claimed task of the social domain. What could never be approved (too long, no such account) is
 * not handed in: the task stays claimed, and the writer hears what is wrong.
 */
export async function draftPost(job: TaskJob, draft: PostDraft, deps: DraftPostDeps): Promise<DraftOutcome> {
  const claimed = await findClaimed(job, deps)
  if (!claimed) return { kind: 'lost' }
  const { task } = claimed
  const forbidden = await forbiddenHere(task, deps)
  if (forbidden) return forbidden
  if (task.front.domain !== 'social') return { kind: 'unusable', problem: 'this task is no post' }
  return handInPost(claimed, draft, { by: deps.by, model: 'an MCP client', costUsd: '0' }, deps)
}

/** The post of a claimed task as a file that waits for approval; `made` says by what. */
export async function handInPost(
  claimed: Claimed,
  draft: PostDraft,
  made: Omit<DraftResult, 'text'>,
  deps: Omit<DraftPostDeps, 'by'>,
): Promise<DraftOutcome> {
  const { task } = claimed
  const account = deps.accounts.find((one) => one.network === draft.network)?.account
  if (account === undefined)
    return { kind: 'unusable', problem: `no account of ${NETWORK_NAMES[draft.network]} is set up here` }
  const now = deps.clock.now()
  const at = new Date(now).toISOString()
  const ready = withFront(task, {
    drafted: drafted({ ...made, text: draft.text }, at),
    risk: riskWith(task.front.risk, made.flags),
    expires: new Date(now + deps.expiresAfterMs).toISOString(),
    action: actionOf(draft, account),
  })
  const handedIn = withHistory(
    withSection(ready, 'draft', draft.text),
    `Pending_Approval/${task.front.domain}`,
    deps.agent,
    at,
  )
  const verdict = readAction(handedIn)
  return verdict.ok ? handIn(claimed, { task: handedIn }, deps) : { kind: 'unusable', problem: verdict.problem }
}

function actionOf({ network, notBefore, publishAt, image, altText }: PostDraft, account: string) {
  return {
    tool: publishAt === undefined ? 'social.publish_post' : 'social.create_post',
    network,
    account,
    ...(publishAt !== undefined && { publish_at: publishAt }),
    ...(notBefore !== undefined && { not_before: notBefore }),
    ...(image !== undefined && { image }),
    ...(altText !== undefined && { alt_text: altText }),
  }
}
