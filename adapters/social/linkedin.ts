import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import type { Found, PostImage, PublishOutcome, SocialNetwork } from '#core/ports/social-network.ts'
import { hashtagsIn } from '#core/social-text.ts'
import { bearer, endpointOf, type SocialAccount } from './account.ts'
import { ask, faultOf, lookIfAllowed, notDone, readAs } from './http.ts'
import { findAmong, MAY_NOT_LOOK, type OwnPost } from './scan.ts'
import { isRefused, nothing, notUploaded, type Refused, UPLOAD_LIMIT_MS, uploadAll } from './upload.ts'

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

const begun = z.object({
  value: z.object({ uploadUrl: z.string().max(4_000), image: z.string().regex(/^urn:li:image:[\w-]+$/) }),
})
const image = z.object({ status: z.string() })

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
  /** Begun, uploaded where LinkedIn says, and made ready there. An image without a post is seen by nobody. */
  const upload = async (file: PostImage): Promise<{ id: string; altText: string } | Refused> => {
    const answer = await ask(endpoint, {
      method: 'POST',
      path: '/rest/images',
      query: { action: 'initializeUpload' },
      headers: headers(),
      json: { initializeUploadRequest: { owner: account.account } },
    })
    const given = answer.kind === 'answer' && answer.status === 200 ? begun.safeParse(answer.body).data : undefined
    if (!given) return notUploaded(file, notDone(answer, account.clock.now()))
    const { uploadUrl, image: id } = given.value
    // The credential goes with it.
    if (!isLinkedIns(uploadUrl, account.baseUrl))
      return nothing('LinkedIn named an address to upload to that is not its own')
    const put = await ask(endpoint, {
      method: 'PUT',
      path: uploadUrl,
      headers: bearer(account),
      file: { type: file.type, bytes: file.bytes },
      limitMs: UPLOAD_LIMIT_MS,
    })
    if (put.kind !== 'answer' || ![200, 201].includes(put.status))
      return notUploaded(file, notDone(put, account.clock.now()))
    return (await madeReady(id, file)) ?? { id, altText: file.altText }
  }
  /** Waits until it can be posted; undefined: it can, or the token may not ask, and then the post's own answer tells. */
  const madeReady = async (id: string, file: PostImage): Promise<Refused | undefined> => {
    const { tries, pauseMs } = account.patience ?? { tries: 15, pauseMs: 2_000 }
    for (let attempt = 0; attempt < tries; attempt++) {
      const path = `/rest/images/${encodeURIComponent(id)}`
      const answer = await ask(endpoint, { method: 'GET', path, headers: headers() })
      const status = answer.kind === 'answer' ? image.safeParse(answer.body).data?.status : undefined
      if (status === 'PROCESSING_FAILED')
        return nothing(`LinkedIn could not use the image ${JSON.stringify(file.name)}`, true)
      if (status !== 'PROCESSING' && status !== 'WAITING_UPLOAD') return undefined
      await sleep(pauseMs)
    }
    return nothing(`LinkedIn was not done with the image ${JSON.stringify(file.name)} in time`)
  }
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
      const images = await uploadAll(post.images ?? [], account.clock, upload)
      if (isRefused(images)) return images
      const content = images.length === 1 ? { media: images[0] } : { multiImage: { images } }
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
          ...(images.length > 0 && { content }),
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

function isLinkedIns(address: string, baseUrl: string): boolean {
  const url = URL.parse(address)
  if (url?.origin === new URL(baseUrl).origin) return true
  return url?.protocol === 'https:' && url.port === '' && url.hostname.endsWith('.linkedin.com')
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
