import { z } from 'zod'
import type { Found, PostImage, PublishOutcome, SocialNetwork, SocialPost } from '#core/ports/social-network.ts'
import { bearer, endpointOf, requireSame, type SocialAccount } from './account.ts'
import { GRAPH_VERSION, graphId, graphNotDone, paging } from './graph.ts'
import { ask, look, lookIfAllowed, readAs } from './http.ts'
import { findAmong, MAY_NOT_LOOK, type OwnPost } from './scan.ts'
import { isRefused, notUploaded, UPLOAD_LIMIT_MS, uploadAll } from './upload.ts'

const LISTED = 100

const posts = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      message: z.string().optional(),
      created_time: z.string().optional(),
      permalink_url: z.string().optional(),
      /** s */
      scheduled_publish_time: z.number().optional(),
    }),
  ),
  paging,
})

/** A Facebook page, by its id, with a page's own token. Its posts carry no key: a lost answer is looked up by the text. */
export function facebook(account: SocialAccount): SocialNetwork {
  const endpoint = endpointOf('Facebook', account)
  const path = (edge: string) => `/${GRAPH_VERSION}/${edge}`
  const list = async (edge: string, fields: string) => {
    const query = { fields, limit: String(LISTED) }
    const body = await lookIfAllowed(endpoint, {
      path: path(`${account.account}/${edge}`),
      query,
      headers: bearer(account),
    })
    return body === undefined ? undefined : readAs(endpoint, posts, body)
  }
  /** A photo that nobody sees; `temporary`: it waits for a post that is published later. */
  const upload = async (image: PostImage, { publishAt }: SocialPost) => {
    const temporary = publishAt === undefined ? {} : { temporary: 'true' }
    const others = { published: 'false', alt_text_custom: image.altText, ...temporary }
    const answer = await ask(endpoint, {
      method: 'POST',
      path: path(`${account.account}/photos`),
      headers: bearer(account),
      file: { type: image.type, bytes: image.bytes, form: { field: 'source', name: image.name, others } },
      limitMs: UPLOAD_LIMIT_MS,
    })
    const id = answer.kind === 'answer' && answer.status === 200 ? graphId.safeParse(answer.body).data?.id : undefined
    return id === undefined ? notUploaded(image, graphNotDone(answer, account.clock.now())) : { media_fbid: id }
  }
  return {
    network: 'facebook',
    account: account.account,
    async verify() {
      const body = await look(endpoint, { path: path('me'), query: { fields: 'id,name' }, headers: bearer(account) })
      requireSame(endpoint, account.account, readAs(endpoint, graphId, body).id)
    },
    async publish(post): Promise<PublishOutcome> {
      const attached_media = await uploadAll(post.images ?? [], account.clock, (image) => upload(image, post))
      if (isRefused(attached_media)) return attached_media
      const when =
        post.publishAt === undefined
          ? { published: true }
          : {
              published: false,
              scheduled_publish_time: Math.floor(post.publishAt / 1_000),
              unpublished_content_type: 'SCHEDULED',
            }
      const answer = await ask(endpoint, {
        method: 'POST',
        path: path(`${account.account}/feed`),
        headers: bearer(account),
        json: { message: post.text, ...when, ...(attached_media.length > 0 && { attached_media }) },
      })
      if (answer.kind !== 'answer' || answer.status !== 200) return graphNotDone(answer, account.clock.now())
      const read = graphId.safeParse(answer.body)
      if (!read.success) return { kind: 'unknown', reason: 'the answer could not be read' }
      return { kind: 'accepted', id: read.data.id, link: `https://www.facebook.com/${read.data.id}` }
    },
    async find(post, key): Promise<Found> {
      const waiting =
        post.publishAt === undefined ? undefined : await list('scheduled_posts', 'id,message,scheduled_publish_time')
      const at = Math.floor((post.publishAt ?? 0) / 1_000)
      const own = (waiting?.data ?? []).filter((one) => one.scheduled_publish_time === at)
      const scheduled = findAmong(
        own.map((one) => ownPost(one, at * 1_000)),
        post.text,
        { since: 0 },
        true,
      )
      if (scheduled.kind === 'found') return scheduled
      const published = await list('posts', 'id,message,created_time,permalink_url')
      if (!published || (post.publishAt !== undefined && !waiting)) return MAY_NOT_LOOK
      const isAll = published.paging?.next === undefined && waiting?.paging?.next === undefined
      return findAmong(
        published.data.map((one) => ownPost(one)),
        post.text,
        key,
        isAll,
      )
    },
  }
}

function ownPost(post: z.output<typeof posts>['data'][number], at = Date.parse(post.created_time ?? '')): OwnPost {
  const link = post.permalink_url ?? `https://www.facebook.com/${post.id}`
  return { id: post.id, link, text: post.message, at }
}
