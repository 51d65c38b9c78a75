import type { Found, PostKey } from '#core/ports/social-network.ts'

/** A post of the account as the network lists it. `text`: as it was posted; undefined when it is none to compare. */
export interface OwnPost {
  readonly id: string
  readonly link: string | undefined
  readonly text: string | undefined
  /** ms */
  readonly at: number
}

export const MAY_NOT_LOOK: Found = {
  kind: 'cannot-tell',
  reason: 'The credential may post, but it may not read the account’s posts.',
}

/** The network's clock may be behind ours by this much (ms). */
const CLOCK_SKEW_MS = 60_000

/** Whether a post of this time (ms) can be the one that is looked for. */
export function isSince(at: number, key: Pick<PostKey, 'since'>): boolean {
  return at >= key.since - CLOCK_SKEW_MS
}

/**
 * Looks for a text among the newest own posts. `isAll`: the list goes back as far as the account does; if not, "it is
 * not there" can be said only of a list that reaches back to before the post can have been made.
 */
export function findAmong(posts: readonly OwnPost[], text: string, key: Pick<PostKey, 'since'>, isAll: boolean): Found {
  const same = posts.find((post) => isSince(post.at, key) && post.text !== undefined && isSameText(post.text, text))
  if (same) return { kind: 'found', id: same.id, link: same.link }
  if (isAll || posts.some((post) => !isSince(post.at, key))) return { kind: 'not-found' }
  return { kind: 'cannot-tell', reason: 'The account has more posts since then than the network lists at once.' }
}

/** Networks trim and compose characters; nothing else may differ. */
function isSameText(a: string, b: string): boolean {
  return comparable(a) === comparable(b)
}

function comparable(text: string): string {
  return text.normalize('NFC').replaceAll('\r\n', '\n').trim()
}
