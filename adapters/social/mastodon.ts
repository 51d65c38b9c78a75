import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type {
  Found,
  PostImage,
  PostKey,
  PublishOutcome,
  SocialNetwork,
  SocialPost,
} from '#core/ports/social-network.ts'
import { bearer, endpointOf, requireSame, type SocialAccount } from './account.ts'
import { ask, type Endpoint, look, lookIfAllowed, notDone, readAs } from './http.ts'
import { findAmong, isSince, MAY_NOT_LOOK, type OwnPost } from './scan.ts'
import { isRefused, nothing, notUploaded, type Refused, UPLOAD_LIMIT_MS, uploadAll } from './upload.ts'

const LISTED = 40

const credentials = z.object({ id: z.string(), username: z.string() })
const instance = z.object({ domain: z.string() })
const posted = z.object({ id: z.string(), url: z.string().nullish(), scheduled_at: z.string().nullish() })
const statuses = z.array(z.object({ id: z.string(), created_at: z.string(), url: z.string().nullish() }))
const media = z.object({ id: z.string() })
const source = z.object({ text: z.string() })
const scheduled = z.array(
  z.object({ id: z.string(), scheduled_at: z.string(), params: z.object({ text: z.string().nullish() }) }),
)

/**
 * A Mastodon account (or that of a server that speaks its API). A post carries an Idempotency-Key, so that a request
 * that arrives twice posts once. That key is kept for an hour at most and only after the post was made: what became of a
 * lost answer is looked up in the account's own posts instead, which posts nothing.
 */
export function mastodon(account: SocialAccount): SocialNetwork {
  const endpoint = endpointOf('Mastodon', account)
  const headers = () => bearer(account)
  const self = async () =>
    readAs(
      endpoint,
      credentials,
      await look(endpoint, { path: '/api/v1/accounts/verify_credentials', headers: headers() }),
    )
  return {
    network: 'mastodon',
    account: account.account,
    async verify() {
      const { username } = await self()
      const { domain } = readAs(endpoint, instance, await look(endpoint, { path: '/api/v2/instance' }))
      requireSame(endpoint, account.account, `@${username}@${domain}`)
    },
    async publish(post, { key }): Promise<PublishOutcome> {
      const uploaded = await uploadAll(post.images ?? [], account.clock, (image) => upload(endpoint, account, image))
      if (isRefused(uploaded)) return uploaded
      const answer = await ask(endpoint, {
        method: 'POST',
        path: '/api/v1/statuses',
        headers: { ...headers(), 'idempotency-key': key },
        json: {
          status: post.text,
          visibility: 'public',
          ...(uploaded.length > 0 && { media_ids: uploaded.map(({ id }) => id) }),
          ...(post.publishAt !== undefined && { scheduled_at: new Date(post.publishAt).toISOString() }),
        },
      })
      if (answer.kind !== 'answer' || answer.status !== 200) return notDone(answer, account.clock.now())
      const read = posted.safeParse(answer.body)
      if (!read.success) return { kind: 'unknown', reason: 'the answer could not be read' }
      return { kind: 'accepted', id: read.data.id, link: read.data.url ?? undefined }
    },
    async find(post, key): Promise<Found> {
      const waiting = post.publishAt === undefined ? undefined : await findScheduled(endpoint, headers(), post)
      if (waiting?.kind === 'found') return waiting
      // What was scheduled is posted in the end: then it stands among the posts.
      const found = await findPosted(endpoint, headers(), (await self()).id, post, key)
      return found.kind === 'not-found' && waiting ? waiting : found
    },
  }
}

/** An image that no post has yet. A large one is answered with 202 and made ready afterwards; only then can it be posted. */
async function upload(
  endpoint: Endpoint,
  account: SocialAccount,
  image: PostImage,
): Promise<{ readonly id: string } | Refused> {
  const headers = bearer(account)
  let answer = await ask(endpoint, {
    ...{ method: 'POST', path: '/api/v2/media', headers, limitMs: UPLOAD_LIMIT_MS },
    file: {
      ...{ type: image.type, bytes: image.bytes },
      form: { field: 'file', name: image.name, others: { description: image.altText } },
    },
  })
  const id = answer.kind === 'answer' && answer.status < 300 ? media.safeParse(answer.body).data?.id : undefined
  if (id === undefined) return notUploaded(image, notDone(answer, account.clock.now()))
  const { tries, pauseMs } = account.patience ?? { tries: 15, pauseMs: 2_000 }
  const path = `/api/v1/media/${encodeURIComponent(id)}`
  for (let attempt = 0; attempt < tries; attempt++) {
    if (answer.kind !== 'answer' || ![200, 202, 206].includes(answer.status))
      return notUploaded(image, notDone(answer, account.clock.now()))
    if (answer.status === 200) return { id }
    await sleep(pauseMs)
    answer = await ask(endpoint, { method: 'GET', path, headers })
  }
  return nothing(`the server was not done with the image ${JSON.stringify(image.name)} in time`)
}

async function findScheduled(endpoint: Endpoint, headers: Record<string, string>, post: SocialPost): Promise<Found> {
  const request = { path: '/api/v1/scheduled_statuses', query: { limit: String(LISTED) }, headers }
  const body = await lookIfAllowed(endpoint, request)
  if (body === undefined) return MAY_NOT_LOOK
  const list = readAs(endpoint, scheduled, body)
  const at = post.publishAt ?? 0
  const own = list.map(({ id, scheduled_at, params }): OwnPost => {
    return { id, link: undefined, text: params.text ?? undefined, at: Date.parse(scheduled_at) }
  })
  // A list of what is to come says when each goes out, not when it was made.
  const sameTime = own.filter((one) => Math.abs(one.at - at) < 1_000)
  return findAmong(sameTime, post.text, { since: 0 }, list.length < LISTED)
}

async function findPosted(
  endpoint: Endpoint,
  headers: Record<string, string>,
  id: string,
  post: SocialPost,
  key: PostKey,
): Promise<Found> {
  const query = { limit: String(LISTED), exclude_reblogs: 'true' }
  const body = await lookIfAllowed(endpoint, { path: `/api/v1/accounts/${id}/statuses`, query, headers })
  if (body === undefined) return MAY_NOT_LOOK
  const list = readAs(endpoint, statuses, body)
  const own: OwnPost[] = []
  for (const status of list) {
    const at = Date.parse(status.created_at)
    const text = isSince(at, key) ? await sourceOf(endpoint, headers, status.id) : undefined
    own.push({ id: status.id, link: status.url ?? undefined, text, at })
  }
  return findAmong(own, post.text, key, list.length < LISTED)
}

/** The text as it was written: the list has it as HTML only. */
async function sourceOf(endpoint: Endpoint, headers: Record<string, string>, id: string): Promise<string> {
  const path = `/api/v1/statuses/${encodeURIComponent(id)}/source`
  return readAs(endpoint, source, await look(endpoint, { path, headers })).text
}
