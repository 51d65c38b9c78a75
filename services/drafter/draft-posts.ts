import { wasGivenBack } from '#core/claim.ts'
import { draftFault } from '#core/draft-fault.ts'
import { groundingFlags } from '#core/grounding-card.ts'
import { readHandbookRules } from '#core/handbook-rules.ts'
import { openNotes } from '#core/notes-to-drafter.ts'
import type { AskModel } from '#core/ports/model.ts'
import type { OpenSkill } from '#core/ports/skills.ts'
import { oneLine } from '#core/quote.ts'
import type { SocialAccountName } from '#core/social-accounts.ts'
import { linksIn, measuresOf, NETWORK_NAMES, type Network } from '#core/social-text.ts'
import { draftOf, section, withFront } from '#core/task-file.ts'
import { askForText } from './ask-for-text.ts'
import { handInPost, type PostDraft } from './draft-post.ts'
import { type GiveBack, giveBackTask, type TaskOutcome } from './give-back.ts'
import { type Claimed, forbiddenHere, type HandInDeps } from './hand-in.ts'
import { readOwnNote } from './made-by.ts'
import { type PostMaterial, postPrompt } from './post-prompt.ts'
import { ownNetwork, wantedNetworks, writeSiblings } from './sibling-posts.ts'

export interface DraftPostsDeps extends HandInDeps {
  readonly openSkill: OpenSkill
  readonly skillName: string
  readonly ask?: AskModel | undefined
  readonly accounts: readonly SocialAccountName[]
  readonly ownerName: string
  readonly expiresAfterMs: number
  readonly signal?: AbortSignal | undefined
}

const MAX_POST_TOKENS = 2_000
const MAX_POST_CHARS = 63_206
const NO_MODEL =
  'no model is set up that could write the post; a client can (it claims the task, then draft_post), or you, with countersign post'

/**
 * Drafts the post of one claimed social task. Where several networks are wanted, each of the others gets a task of its own
 * in Needs_Action. There is no template for a post: where no model writes it, the task goes back, and the person is told.
 * What is claimed again after that was claimed on purpose, by whoever writes it (`draft_post`): without a model it stays theirs.
 */
export async function draftPosts(
  claimed: Claimed,
  deps: DraftPostsDeps & { readonly giveBack: GiveBack },
): Promise<TaskOutcome> {
  const forbidden = await forbiddenHere(claimed.task, deps)
  if (forbidden) return forbidden
  const accounts = deps.accounts.map(({ network }) => network).filter((network) => network !== 'instagram')
  const networks = wantedNetworks(claimed.task, accounts)
  const [network] = networks
  if (!deps.ask) return leave(claimed, deps)
  if (network === undefined) return giveBackTask(claimed, noNetwork(deps.accounts), deps)
  if (ownNetwork(claimed.task) === undefined) await writeSiblings(claimed.task, networks.slice(1), deps.vault)
  return draftOne(claimed, network, deps.ask, deps)
}

async function draftOne(
  claimed: Claimed,
  network: Network,
  ask: AskModel,
  deps: DraftPostsDeps & { readonly giveBack: GiveBack },
): Promise<TaskOutcome> {
  const { task } = claimed
  const skill = deps.openSkill(deps.skillName)
  const material = await materialOf(claimed, deps)
  const outcome = await askForText(
    {
      ...{ purpose: 'post', taskId: task.front.id, skill, maxOutputTokens: MAX_POST_TOKENS },
      ...postPrompt(network, material, skill, deps.ownerName),
      check: (text) => {
        const problem = draftFault(text, MAX_POST_CHARS) ?? postFault(network, text, material)
        return problem === undefined ? undefined : { problem }
      },
    },
    ask,
    deps.signal,
  )
  if (outcome.kind === 'failed')
    return outcome.isConfigured ? giveBackTask(claimed, outcome.say, deps) : leave(claimed, deps)
  const { text, model, costUsd, needs } = outcome
  const flags = groundingFlags(text, { ...material, original: material.asked, ownName: deps.ownerName })
  const made = {
    ...{ by: skill.name, model, costUsd, flags: [...(needs.length > 0 ? ['facts-missing'] : []), ...flags] },
    ...(needs.length > 0 && { remark: oneLine(`still missing: ${needs.join('; ')}`, 400) }),
  }
  const post: PostDraft = { network, text, ...timesOf(claimed) }
  const days = readHandbookRules(material.handbook).expiry.social
  const named = { ...claimed, task: withFront(task, { network } as Record<string, string>) }
  const handedIn = await handInPost(named, post, made, { ...deps, expiresAfterMs: days ?? deps.expiresAfterMs })
  return handedIn.kind === 'unusable' ? giveBackTask(claimed, handedIn.problem, deps) : handedIn
}

/** Why the network would not take the text, or why nobody could say where a link of it comes from. */
export function postFault(network: Network, text: string, material: PostMaterial): string | undefined {
  const over = measuresOf(network, text).find(({ count, max }) => count > max)
  if (over) return `the text has ${over.count} ${over.unit}, and ${NETWORK_NAMES[network]} takes ${over.max}`
  const sources = Object.values(material).join('\n')
  const isNew = linksIn(text).some((link) => !sources.includes(link.text))
  return isNew ? 'the text has a link that neither the task nor the goals nor the handbook have' : undefined
}

async function materialOf({ task }: Claimed, { vault }: Pick<HandInDeps, 'vault'>): Promise<PostMaterial> {
  const [goals, handbook] = await Promise.all([
    readOwnNote('Business_Goals.md', vault),
    readOwnNote('Company_Handbook.md', vault),
  ])
  const { title } = task.front
  const asked = section(task, 'original') ?? ''
  const notes = openNotes(section(task, 'notes') ?? '')
  return { title, asked, notes, previous: draftOf(task) ?? '', goals: goals.text, handbook: handbook.text }
}

/** The times that the task names; what is no time makes the action unreadable, and the task goes back. */
function timesOf({ task }: Claimed): Pick<PostDraft, 'notBefore' | 'publishAt'> {
  const { not_before: notBefore, publish_at: publishAt } = task.front as Record<string, unknown>
  return {
    ...(typeof notBefore === 'string' && { notBefore }),
    ...(typeof publishAt === 'string' && typeof notBefore !== 'string' && { publishAt }),
  }
}

/** Without a model. */
function leave(claimed: Claimed, deps: HandInDeps & { readonly giveBack: GiveBack }): Promise<TaskOutcome> {
  return wasGivenBack(claimed.task, deps.agent)
    ? Promise.resolve({ kind: 'left' })
    : giveBackTask(claimed, NO_MODEL, deps)
}

function noNetwork(accounts: readonly SocialAccountName[]): string {
  return accounts.length === 0
    ? 'no social account is set up in this zone (COUNTERSIGN_SOCIAL_ACCOUNTS)'
    : 'it is for a network without an account here, or for Instagram, which takes no post without an image: write it with countersign post'
}
