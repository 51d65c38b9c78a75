import { z } from 'zod'
import type { Found, PostImage, PublishOutcome, SocialNetwork } from '#core/ports/social-network.ts'
import { endpointOf, requireSame, type SocialAccount } from './account.ts'
import { facetsOf, recordKeyOf } from './bluesky-record.ts'
import { ask, faultOf, notDone, readAs } from './http.ts'
import { isRefused, notUploaded, UPLOAD_LIMIT_MS, uploadAll } from './upload.ts'

const COLLECTION = 'app.bsky.feed.post'
/** A session is good for two hours. */
const SESSION_MS = 3_600_000

const session = z.object({ did: z.string().startsWith('did:'), handle: z.string(), accessJwt: z.string() })
const written = z.object({ uri: z.string() })
/** As the server names it; the record must name it in the same words. */
const uploadedBlob = z.object({
  blob: z.object({
    $type: z.literal('blob'),
    ref: z.object({ $link: z.string() }),
    mimeType: z.string(),
    size: z.number(),
  }),
})
const failure = z.object({ error: z.string() })

interface Session {
  readonly did: string
  readonly handle: string
  readonly accessJwt: string
  readonly openedAt: number
}

/**
 * A Bluesky account (or one of another atproto server), with an app password. The record's key derives from the approval:
 * creating it a second time fails at the server, and what became of a lost answer is asked by that key.
 */
export function bluesky(account: SocialAccount): SocialNetwork {
  const endpoint = endpointOf('Bluesky', account)
  let current: Session | undefined
  const login = async (): Promise<Session> => {
    const answer = await ask(endpoint, {
      method: 'POST',
      path: '/xrpc/com.atproto.server.createSession',
      json: { identifier: account.account, password: account.secret() },
    })
    if (answer.kind !== 'answer' || answer.status !== 200) throw faultOf(endpoint, 'logging in', answer)
    const opened = readAs(endpoint, session, answer.body)
    requireSame(endpoint, account.account, opened.handle)
    current = { ...opened, openedAt: account.clock.now() }
    return current
  }
  const logged = async () => {
    const age = account.clock.now() - (current?.openedAt ?? 0)
    return current && age >= 0 && age < SESSION_MS ? current : login()
  }
  /** A blob that no record names: the server forgets it by itself. */
  const upload = async (image: PostImage, { accessJwt }: Session) => {
    const answer = await ask(endpoint, {
      method: 'POST',
      path: '/xrpc/com.atproto.repo.uploadBlob',
      headers: { authorization: `Bearer ${accessJwt}` },
      file: { type: image.type, bytes: image.bytes },
      limitMs: UPLOAD_LIMIT_MS,
    })
    const given =
      answer.kind === 'answer' && answer.status === 200 ? uploadedBlob.safeParse(answer.body).data : undefined
    if (!given) return notUploaded(image, notDone(answer, account.clock.now()))
    return { alt: image.altText, image: given.blob }
  }
  return {
    network: 'bluesky',
    account: account.account,
    async verify() {
      const { accessJwt } = await logged()
      const headers = { authorization: `Bearer ${accessJwt}` }
      const answer = await ask(endpoint, { method: 'GET', path: '/xrpc/com.atproto.server.getSession', headers })
      if (answer.kind === 'answer' && answer.status === 200) return
      // The session may have been closed elsewhere: then a new one tells whether the password still holds.
      if (answer.kind !== 'answer' || answer.status >= 500) throw faultOf(endpoint, 'asking for the session', answer)
      await login()
    },
    async publish(post, { key, since }): Promise<PublishOutcome> {
      let opened: Session
      try {
        opened = await logged()
      } catch (error) {
        return { kind: 'refused', permanent: false, say: (error as Error).message }
      }
      const rkey = recordKeyOf(key)
      const facets = facetsOf(post.text)
      const images = await uploadAll(post.images ?? [], account.clock, (image) => upload(image, opened))
      if (isRefused(images)) return images
      const record = {
        $type: COLLECTION,
        text: post.text,
        createdAt: new Date(since).toISOString(),
        ...(facets.length > 0 && { facets }),
        ...(images.length > 0 && { embed: { $type: 'app.bsky.embed.images', images } }),
      }
      const answer = await ask(endpoint, {
        method: 'POST',
        path: '/xrpc/com.atproto.repo.createRecord',
        headers: { authorization: `Bearer ${opened.accessJwt}` },
        json: { repo: opened.did, collection: COLLECTION, rkey, record },
      })
      if (answer.kind !== 'answer' || answer.status !== 200) return notDone(answer, account.clock.now())
      const read = written.safeParse(answer.body)
      if (!read.success || !read.data.uri.endsWith(`/${COLLECTION}/${rkey}`))
        return { kind: 'unknown', reason: 'the answer names another record' }
      return { kind: 'accepted', id: read.data.uri, link: linkTo(opened, rkey) }
    },
    async find(_post, { key }): Promise<Found> {
      const opened = await logged()
      const rkey = recordKeyOf(key)
      const answer = await ask(endpoint, {
        method: 'GET',
        path: '/xrpc/com.atproto.repo.getRecord',
        query: { repo: opened.did, collection: COLLECTION, rkey },
        headers: { authorization: `Bearer ${opened.accessJwt}` },
      })
      if (answer.kind === 'answer' && answer.status === 200)
        return { kind: 'found', id: readAs(endpoint, written, answer.body).uri, link: linkTo(opened, rkey) }
      if (answer.kind === 'answer' && answer.status === 400 && failure.safeParse(answer.body).data?.error === NOT_FOUND)
        return { kind: 'not-found' }
      throw faultOf(endpoint, 'looking for the post', answer)
    },
  }
}

const NOT_FOUND = 'RecordNotFound'

function linkTo({ handle }: Session, rkey: string): string {
  return `https://bsky.app/profile/${handle}/post/${rkey}`
}
