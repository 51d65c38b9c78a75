import { type Action, isPost, parseAction } from '#core/action.ts'
import type { Receipt } from '#core/countersignature.ts'
import { CountersignError, isAway } from '#core/errors.ts'
import type { Channel, World } from '#core/ports/channel.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { Intent } from '#core/ports/journal.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { postOf, type SocialAction, timingOf } from '#core/social-action.ts'
import { readImages } from '#core/social-image.ts'
import { NETWORK_NAMES } from '#core/social-text.ts'
import type { PatientNetwork } from './patient-network.ts'

export interface SocialParts {
  /** One for each account of this machine. */
  readonly networks: readonly PatientNetwork[]
  /** Where the images of posts stand. */
  readonly vault: Pick<VaultPort, 'readBytes'>
  readonly clock: Clock
  /** Calls `publish_post` or `create_post`. */
  call(tool: string, action: SocialAction, receipt: Receipt): Promise<unknown>
}

/**
 * Posts on social networks. Each account waits for itself: one that is away keeps the others going. What became of a
 * lost answer is looked up by the record's key or by the post's own text.
 */
export function socialChannel({ networks, vault, clock, call }: SocialParts): Channel {
  const networkOf = ({ network, account }: SocialAction) =>
    networks.find((one) => one.network === network && one.account === account)
  const asked = new Set<PatientNetwork>()
  return {
    name: 'social',
    problems: () => networks.map((one) => one.state()).filter((state) => state !== true),
    /** Asks each account once, and again while it is away; before a post is made, its own is asked anyway. */
    async isReady() {
      const ask = (one: PatientNetwork) => (asked.has(one) && one.state() === true ? true : one.isReady())
      const ready = await Promise.all(networks.map(ask))
      for (const one of networks) asked.add(one)
      return ready.some(Boolean)
    },
    keyOf: ({ taskId, generation }) => `${taskId}.${generation}`,
    async lookAtTheWorld({ task, action, key, isOld }) {
      const social = requireSocial(action)
      const early = tooEarlyOrLate(social, clock.now())
      const changed = early ?? (await changedImage(social, vault))
      if (changed) return changed
      const network = networkOf(social)
      if (!network) return { kind: 'stale', rule: 'account-unknown', say: `${nameOf(social)} is not set up here.` }
      if (!(await network.isReady())) return { kind: 'cannot-tell', say: String(network.state()) }
      return isOld ? lookForForgotten(social, network, { key, since: Date.parse(task.front.created) }) : CLEAR
    },
    act: (action, receipt) => call(action.tool.replace('social.', ''), requireSocial(action), receipt),
    async lookUp({ action, key, intendedAt }) {
      const social = action === undefined ? undefined : requireSocial(parseAction(action))
      const network = social && networkOf(social)
      if (!network) return { kind: 'not-found' }
      const found = await network.find(postOf(social), { key, since: intendedAt })
      if (found.kind !== 'found') return { kind: 'not-found' }
      const answer = `found on ${nameOf(social)}: post ${found.id}`
      return { kind: 'done', answer, ...(found.link !== undefined && { link: found.link }) }
    },
    async settle() {},
    sayWhereToLook({ action }: Intent) {
      const where = action === undefined ? 'the account' : nameOf(requireSocial(parseAction(action)))
      return `It was not found there. Look at the newest posts of ${where}.`
    },
  }
}

/** Looked at so that the one use is not spent in vain; the images are checked again when they are uploaded. */
async function changedImage({ images }: SocialAction, vault: SocialParts['vault']): Promise<World | undefined> {
  try {
    await readImages(images ?? [], (path, maxBytes) => vault.readBytes(path, maxBytes))
    return undefined
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== 'ERR_ATTACHMENT_CHANGED') throw error
    return { kind: 'stale', rule: 'attachment-changed', say: `${error.message}.` }
  }
}

const CLEAR: World = { kind: 'clear' }

function tooEarlyOrLate(action: SocialAction, now: number): World | undefined {
  const timing = timingOf(action, now)
  if (timing.kind === 'now') return undefined
  const at = new Date(timing.at).toISOString()
  if (timing.kind === 'later') return { kind: 'cannot-tell', say: `It waits until ${at}.` }
  const why = timing.kind === 'passed' ? 'it is too late for' : 'the network keeps no post so long, until'
  return {
    kind: 'stale',
    rule: 'publish-time',
    say: `${nameOf(action)}: ${why} ${at}. Set another time after "publish_at:".`,
  }
}

/** A journal that was lost and made anew knows nothing of what was posted before it. */
async function lookForForgotten(
  action: SocialAction,
  network: PatientNetwork,
  key: { readonly key: string; readonly since: number },
): Promise<World> {
  const why = `It may have been posted before, so ${nameOf(action)} must be looked at first, and cannot be`
  try {
    const found = await network.find(postOf(action), key)
    if (found.kind === 'not-found') return CLEAR
    if (found.kind === 'cannot-tell')
      return { kind: 'cannot-tell', say: `${why}: ${found.reason} If it was not posted, make a new task of it.` }
    const say = `This post stands on ${nameOf(action)} already, and nothing is done twice. Make a new task for a new post.`
    return { kind: 'stale', rule: 'already-posted', say }
  } catch (error) {
    if (!isAway(error)) throw error
    return { kind: 'cannot-tell', say: `${why}: ${error.message}. ${error.hint}` }
  }
}

function nameOf({ network, account }: SocialAction): string {
  return `${NETWORK_NAMES[network]} ${account}`
}

function requireSocial(action: Action): SocialAction {
  if (!isPost(action)) throw new CountersignError('ERR_TASK_FILE_INVALID', `${action.tool} is no post`)
  return action
}
