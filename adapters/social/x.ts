import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import type { Found, PostImage, PublishOutcome, SocialNetwork } from '#core/ports/social-network.ts'
import { endpointOf, requireSame, type SocialAccount } from './account.ts'
import { ask, type HttpAnswer, look, lookIfAllowed, notDone, readAs } from './http.ts'
import { type OAuth1Keys, oauth1Header } from './oauth1.ts'
import { findAmong, MAY_NOT_LOOK, type OwnPost } from './scan.ts'
import { isRefused, notUploaded, UPLOAD_LIMIT_MS, uploadAll } from './upload.ts'

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
          .object({
            urls: z
              .array(
                z.object({
                  url: z.string(),
                  expanded_url: z.string().optional(),
                  media_key: z.string().optional(),
                }),
              )
              .default([]),
          })
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
  /** Media that no post has: it expires after a day. Its description is told apart. */
  const upload = async (image: PostImage) => {
    const path = '/2/media/upload'
    const answer = await ask(endpoint, {
      method: 'POST',
      path,
      headers: headers('POST', path),
      file: {
        ...{ type: image.type, bytes: image.bytes },
        form: { field: 'media', name: image.name, others: { media_category: 'tweet_image' } },
      },
      limitMs: UPLOAD_LIMIT_MS,
    })
    const given = isGood(answer) ? posted.safeParse(answer.body).data : undefined
    if (!given) return notUploaded(image, notDone(answer, account.clock.now()))
    const { id } = given.data
    const described = await ask(endpoint, {
      method: 'POST',
      path: '/2/media/metadata',
      headers: headers('POST', '/2/media/metadata'),
      json: { id, metadata: { alt_text: { text: image.altText } } },
    })
    return isGood(described) ? { id } : notUploaded(image, notDone(described, account.clock.now()))
  }
  return {
    network: 'x',
    account: account.account,
    async verify() {
      requireSame(endpoint, account.account, `@${(await self()).username}`)
    },
    async publish(post): Promise<PublishOutcome> {
      const path = '/2/tweets'
      const uploaded = await uploadAll(post.images ?? [], account.clock, upload)
      if (isRefused(uploaded)) return uploaded
      const media_ids = uploaded.map(({ id }) => id)
      const json = { text: post.text, ...(media_ids.length > 0 && { media: { media_ids } }) }
      const answer = await ask(endpoint, { method: 'POST', path, json, headers: headers('POST', path) })
      if (!isGood(answer)) return notDone(answer, account.clock.now())
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

function isGood(answer: HttpAnswer): answer is Extract<HttpAnswer, { kind: 'answer' }> {
  return answer.kind === 'answer' && [200, 201].includes(answer.status)
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

interface ShortLink {
  readonly url: string
  readonly expanded_url?: string | undefined
  readonly media_key?: string | undefined
}

/** X shortens every link, appends one to the images, and escapes three characters. */
function asWritten(text: string, urls: readonly ShortLink[]): string {
  let written = text
  for (const { url, media_key } of urls) if (media_key !== undefined) written = written.replace(` ${url}`, '')
  for (const { url, expanded_url } of urls) written = written.replaceAll(url, () => expanded_url ?? url)
  return written.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}

function linkTo(account: string, id: string): string {
  return `https://x.com/${account.slice(1)}/status/${id}`
}
