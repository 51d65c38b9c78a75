import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import type { Found, PublishOutcome, SocialNetwork } from '#core/ports/social-network.ts'
import { hashtagsIn } from '#core/social-text.ts'
import { bearer, endpointOf, type SocialAccount } from './account.ts'
import { ask, faultOf, lookIfAllowed, notDone, readAs } from './http.ts'
import { findAmong, MAY_NOT_LOOK, type OwnPost } from './scan.ts'

export const LINKEDIN_URL = 'https://api.linkedin.com'
const LISTED = 50
/** Reserved in LinkedIn's "little" text format: unescaped, each of them can cut the post off without an error. */
const RESERVED = /[\\|{}@[\]()<>#*_~]/g

const posts = z.object({
  elements: z.array(
    z.object({
      id: z.string(),
      commentary: z.string().default(''),
      createdAt: z.number().optional(),
      publishedAt: z.number().optional(),
    }),
  ),
})

export interface LinkedInAccount extends SocialAccount {
  /** YYYYMM: LinkedIn keeps each version for a year. */
  readonly version: string
}

/**
 * A LinkedIn member or organization; the account is its URN. A member's token may usually post but not read, and then
 * what became of a lost answer is the person's to find out.
 */
export function linkedin(account: LinkedInAccount): SocialNetwork {
  const endpoint = endpointOf('LinkedIn', account)
  const headers = () => ({
    ...bearer(account),
    'linkedin-version': account.version,
    'x-restli-protocol-version': '2.0.0',
  })
  const list = (count: number) => ({
    path: '/rest/posts',
    query: { q: 'author', author: account.account, count: String(count), sortBy: 'CREATED' },
    headers: { ...headers(), 'x-restli-method': 'FINDER' },
  })
  return {
    network: 'linkedin',
    account: account.account,
    async verify() {
      const answer = await ask(endpoint, { method: 'GET', ...list(1) })
      // 403: known, and not allowed to read posts. Whether it may post, only posting tells.
      if (answer.kind !== 'answer' || ![200, 403].includes(answer.status))
        throw faultOf(endpoint, 'looking at the posts', answer)
    },
    async publish(post): Promise<PublishOutcome> {
      const answer = await ask(endpoint, {
        method: 'POST',
        path: '/rest/posts',
        headers: headers(),
        json: {
          author: account.account,
          commentary: littleText(post.text),
          visibility: 'PUBLIC',
          distribution: { feedDistribution: 'MAIN_FEED', targetEntities: [], thirdPartyDistributionChannels: [] },
          lifecycleState: 'PUBLISHED',
          isReshareDisabledByAuthor: false,
        },
      })
      if (answer.kind !== 'answer' || answer.status !== 201) return notDone(answer, account.clock.now())
      const id = answer.headers.get('x-restli-id') ?? ''
      if (!/^urn:li:[A-Za-z]+:[\w-]+$/.test(id)) return { kind: 'unknown', reason: 'the answer names no post' }
      return { kind: 'accepted', id, link: linkTo(id) }
    },
    async find(post, key): Promise<Found> {
      const body = await lookIfAllowed(endpoint, list(LISTED))
      if (body === undefined) return MAY_NOT_LOOK
      const { elements } = readAs(endpoint, posts, body)
      const own = elements.map((one): OwnPost => {
        const at = one.publishedAt ?? one.createdAt
        if (at === undefined)
          throw new CountersignError('ERR_SOCIAL_UNREACHABLE', `${endpoint.name}: a post has no time`)
        return { id: one.id, link: linkTo(one.id), text: fromLittleText(one.commentary), at }
      })
      return findAmong(own, post.text, key, elements.length < LISTED)
    },
  }
}

/** Plain text as LinkedIn reads it back unchanged, its hashtags working. */
export function littleText(text: string): string {
  let little = ''
  let done = 0
  for (const { text: tag, start } of hashtagsIn(text)) {
    little += `${escaped(text.slice(done, start))}{hashtag|\\#|${escaped(tag.slice(1))}}`
    done = start + tag.length
  }
  return little + escaped(text.slice(done))
}

/** The plain text again. */
export function fromLittleText(little: string): string {
  return little.replace(/\{hashtag\|\\?#\|((?:[^\\}]|\\.)*)\}/g, '#$1').replace(/\\([\\|{}@[\]()<>#*_~])/g, '$1')
}

function escaped(text: string): string {
  return text.replace(RESERVED, (one) => `\\${one}`)
}

function linkTo(id: string): string {
  return `https://www.linkedin.com/feed/update/${id}`
}
