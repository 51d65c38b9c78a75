import { afterEach, beforeEach, expect, it } from 'vitest'
import type { SocialPost } from '#core/ports/social-network.ts'
import { type FakeServer, type Reply, startServer } from '#tests/support/social/server.ts'
import { facebook } from './facebook.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const KEY = { key: '01J8Z3W6Q0ABCDEFGHJKMNPQRS.1', since: NOW }
const POST: SocialPost = { text: 'Hello fans', publishAt: undefined, image: undefined }
const LATER: SocialPost = { ...POST, publishAt: NOW + 3_600_000 }
const PAGE = '546349135390552'

let server: FakeServer
let posting: Reply
let posts: Reply
let scheduled: Reply
beforeEach(async () => {
  posting = { status: 200, body: { id: `${PAGE}_1116689038356556` } }
  posts = { status: 200, body: { data: [] } }
  scheduled = { status: 200, body: { data: [] } }
  server = await startServer(({ method, path }) => {
    if (path === '/v24.0/me') return { status: 200, body: { id: PAGE, name: 'The page' } }
    if (path === `/v24.0/${PAGE}/posts`) return posts
    if (path === `/v24.0/${PAGE}/scheduled_posts`) return scheduled
    return method === 'POST' && path === `/v24.0/${PAGE}/feed` ? posting : { status: 404 }
  })
})
afterEach(() => server[Symbol.asyncDispose]())

const network = (account = PAGE) =>
  facebook({ account, baseUrl: server.url, clock: { now: () => NOW }, secret: () => 'page-token', limitMs: 5_000 })

it('knows its own page', async () => {
  await network().verify()
  await expect(network('111').verify()).rejects.toThrow(`the credential is that of ${PAGE}`)
})

it('publishes at once, with the token in a header and never in the address', async () => {
  expect(await network().publish(POST, KEY)).toEqual({
    kind: 'accepted',
    id: `${PAGE}_1116689038356556`,
    link: `https://www.facebook.com/${PAGE}_1116689038356556`,
  })
  expect(server.received[0]).toMatchObject({ query: {}, body: { message: 'Hello fans', published: true } })
  expect(server.received[0]?.headers.authorization).toBe('Bearer page-token')
})

it('hands over what the page is to publish later', async () => {
  await network().publish(LATER, KEY)
  expect(server.received[0]?.body).toEqual({
    message: 'Hello fans',
    published: false,
    scheduled_publish_time: (NOW + 3_600_000) / 1_000,
    unpublished_content_type: 'SCHEDULED',
  })
})

it.each<[string, Reply, Record<string, unknown>]>([
  ['too many calls', fault(400, 4), { kind: 'refused', permanent: false, retryAt: NOW + 900_000 }],
  ['an expired token', fault(400, 190), { kind: 'refused', permanent: false }],
  ['a duplicate', fault(400, 506), { kind: 'refused', permanent: true, say: '400 said (code 506)' }],
  ['a fault of its own', fault(400, 2), { kind: 'unknown' }],
  ['something passing', fault(400, 100, true), { kind: 'unknown' }],
  ['a server error', fault(500, 100), { kind: 'unknown' }],
  ['an answer without an id', { status: 200, body: { success: true } }, { kind: 'unknown' }],
])('reports %s by Meta’s own code', async (_what, reply, expected) => {
  posting = reply
  expect(await network().publish(POST, KEY)).toMatchObject(expected)
})

it('finds what was published, and what is still to be', async () => {
  const permalink_url = 'https://www.facebook.com/page/posts/1'
  posts = {
    status: 200,
    body: { data: [{ id: '1', message: 'Hello fans', created_time: '2026-11-20T12:00:09+0000', permalink_url }] },
  }
  expect(await network().find(POST, KEY)).toEqual({ kind: 'found', id: '1', link: permalink_url })
  expect(await network().find({ ...POST, text: 'Hello' }, KEY)).toEqual({ kind: 'not-found' })
  const scheduled_publish_time = (NOW + 3_600_000) / 1_000
  scheduled = { status: 200, body: { data: [{ id: '2', message: 'Hello fans', scheduled_publish_time }] } }
  expect(await network().find(LATER, KEY)).toMatchObject({ kind: 'found', id: '2' })
  posts = { status: 200, body: { data: [] } }
  expect(await network().find({ ...LATER, publishAt: NOW + 7_200_000 }, KEY)).toEqual({ kind: 'not-found' })
})

it('cannot tell when it may not read, or when the list goes on', async () => {
  scheduled = { status: 403 }
  expect(await network().find(LATER, KEY)).toMatchObject({ kind: 'cannot-tell' })
  posts = { status: 200, body: { data: [], paging: { next: 'https://graph.facebook.com/next' } } }
  expect(await network().find(POST, KEY)).toMatchObject({ kind: 'cannot-tell' })
})

function fault(status: number, code: number, is_transient = false): Reply {
  return { status, body: { error: { message: 'said', type: 'OAuthException', code, is_transient, fbtrace_id: 'x' } } }
}
