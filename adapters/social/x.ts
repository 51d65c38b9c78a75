import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import type { Found, PublishOutcome, SocialNetwork } from '#core/ports/social-network.ts'
import { endpointOf, requireSame, type SocialAccount } from './account.ts'
import { ask, look, lookIfAllowed, notDone, readAs } from './http.ts'
import { type OAuth1Keys, oauth1Header } from './oauth1.ts'
import { findAmong, MAY_NOT_LOOK, type OwnPost } from './scan.ts'

export const X_URL = 'https://api.x.com'
const LISTED = 100

const secret = z.strictObject({
  consumerKey: z.string().min(1),
  consumerSecret: z.string().min(1),
  token: z.string().min(1),
  tokenSecret: z.string().min(1),
})
const me = z.object({ data: z.object({ id: z.string(), username: z.string() }) })
const posted = z.object({ data: z.object({ id: z.string() }) })
const timeline = z.object({
  data: z
    .array(
      z.object({
        id: z.string(),
        text: z.string(),
        created_at: z.string(),
        entities: z
          .object({ urls: z.array(z.object({ url: z.string(), expanded_url: z.string().optional() })).default([]) })
          .optional(),
      }),
    )
    .default([]),
  meta: z.object({ next_token: z.string().optional() }).optional(),
})

/**
 * An X account. Signed by OAuth 1.0a, whose keys do not expire (a bearer token of OAuth 2.0 would, after two hours). X
 * knows no key of ours: what became of a lost answer is looked up in the account's own posts. It refuses the same text
 * twice in a row by itself.
 */
export function x(account: SocialAccount): SocialNetwork {
  const endpoint = endpointOf('X', account)
  const headers = (method: 'GET' | 'POST', path: string, parameters: Record<string, string> = {}) => {
    const nonce = randomBytes(16).toString('hex')
    const timestamp = Math.floor(account.clock.now() / 1_000)
    const url = new URL(path, account.baseUrl).href
    return { authorization: oauth1Header({ method, url, parameters, nonce, timestamp }, keysIn(account)) }
  }
  const self = async () => {
    const path = '/2/users/me'
    return readAs(endpoint, me, await look(endpoint, { path, headers: headers('GET', path) })).data
  }
  return {
    network: 'x',
    account: account.account,
    async verify() {
      requireSame(endpoint, account.account, `@${(await self()).username}`)
    },
    async publish(post): Promise<PublishOutcome> {
      const path = '/2/tweets'
      const json = { text: post.text }
      const answer = await ask(endpoint, { method: 'POST', path, json, headers: headers('POST', path) })
      if (answer.kind !== 'answer' || ![200, 201].includes(answer.status)) return notDone(answer, account.clock.now())
      const read = posted.safeParse(answer.body)
      if (!read.success) return { kind: 'unknown', reason: 'the answer could not be read' }
      return { kind: 'accepted', id: read.data.data.id, link: linkTo(account.account, read.data.data.id) }
    },
    async find(post, key): Promise<Found> {
      const path = `/2/users/${(await self()).id}/tweets`
      const query = { max_results: String(LISTED), exclude: 'retweets', 'tweet.fields': 'created_at,entities' }
      const body = await lookIfAllowed(endpoint, { path, query, headers: headers('GET', path, query) })
      if (body === undefined) return MAY_NOT_LOOK
      const { data, meta } = readAs(endpoint, timeline, body)
      const own = data.map((one): OwnPost => {
        const text = asWritten(one.text, one.entities?.urls ?? [])
        return { id: one.id, link: linkTo(account.account, one.id), text, at: Date.parse(one.created_at) }
      })
      return findAmong(own, post.text, key, meta?.next_token === undefined)
    },
  }
}

function keysIn(account: SocialAccount): OAuth1Keys {
  const parsed = secret.safeParse(parseJson(account.secret()))
  if (parsed.success) return parsed.data
  const wanted = 'a JSON object with consumerKey, consumerSecret, token and tokenSecret'
  throw new CountersignError('ERR_SOCIAL_AUTH', `X ${account.account}: the credential file must hold ${wanted}`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the schema then says what is expected
  }
}

/** X shortens every link and escapes three characters. */
function asWritten(text: string, urls: readonly { url: string; expanded_url?: string | undefined }[]): string {
  let written = text
  for (const { url, expanded_url } of urls) written = written.replaceAll(url, () => expanded_url ?? url)
  return written.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}

function linkTo(account: string, id: string): string {
  return `https://x.com/${account.slice(1)}/status/${id}`
}
