import { readAction } from '#core/action.ts'
import { withHistory } from '#core/claim.ts'
import { CountersignError } from '#core/errors.ts'
import type { TaskJob } from '#core/jobs.ts'
import { MAX_ATTACHMENT_BYTES } from '#core/path-ownership.ts'
import type { DraftResult } from '#core/ports/drafting.ts'
import type { SocialAccountName } from '#core/social-accounts.ts'
import { type DescribedImage, describeImage } from '#core/social-image.ts'
import { NETWORK_NAMES, type Network } from '#core/social-text.ts'
import { withFront, withSection } from '#core/task-file.ts'
import { fileNameOf, parseVaultPath } from '#core/vault-path.ts'
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
  /** Files of the vault's Attachments/. */
  readonly images?: readonly { readonly path: string; readonly altText: string }[] | undefined
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
  const described = await describeImages(draft.images, deps)
  if (typeof described === 'string') return { kind: 'unusable', problem: described }
  const now = deps.clock.now()
  const at = new Date(now).toISOString()
  const ready = withFront(task, {
    drafted: drafted({ ...made, text: draft.text }, at),
    risk: riskWith(task.front.risk, made.flags),
    expires: new Date(now + deps.expiresAfterMs).toISOString(),
    action: { ...actionOf(draft, account), ...(described.length > 0 && { images: described }) },
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

/** The images as they stand in the vault now; a string: why that cannot be. */
async function describeImages(
  images: PostDraft['images'] = [],
  { vault }: Pick<DraftPostDeps, 'vault'>,
): Promise<DescribedImage[] | string> {
  const described: DescribedImage[] = []
  for (const { path, altText } of images) {
    const verdict = parseVaultPath(path)
    const isFile = verdict.ok && verdict.place.kind === 'attachment'
    const bytes = isFile ? await vault.readBytes(verdict.path, MAX_ATTACHMENT_BYTES) : undefined
    if (bytes === undefined) return `no such file of Attachments/: ${JSON.stringify(path.slice(0, 100))}`
    try {
      described.push(describeImage(fileNameOf(path), bytes, altText))
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error
      return error.message
    }
  }
  return described
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
