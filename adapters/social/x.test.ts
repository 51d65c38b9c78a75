import { afterEach, beforeEach, expect, it } from 'vitest'
import type { SocialPost } from '#core/ports/social-network.ts'
import { type FakeServer, type Reply, startServer } from '#tests/support/social/server.ts'
import { oauth1Header } from './oauth1.ts'
import { x } from './x.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const KEY = { key: '01J8Z3W6Q0ABCDEFGHJKMNPQRS.1', since: NOW }
const POST: SocialPost = { text: 'Fast & <good> https://shop.example/a', publishAt: undefined, image: undefined }
const KEYS = { consumerKey: 'ck', consumerSecret: 'cs', token: 't', tokenSecret: 'ts' }

let server: FakeServer
let tweets: Record<string, unknown>[]
let posting: Reply
beforeEach(async () => {
  tweets = []
  posting = { status: 201, body: { data: { id: '1346889436626259968', text: 'whatever' } } }
  server = await startServer(({ method, path }) => {
    if (path === '/2/users/me') return { status: 200, body: { data: { id: '2244994945', username: 'Owner' } } }
    if (path === '/2/users/2244994945/tweets')
      return { status: 200, body: { data: tweets, meta: { result_count: tweets.length } } }
    return method === 'POST' && path === '/2/tweets' ? posting : { status: 404 }
  })
})
afterEach(() => server[Symbol.asyncDispose]())

const network = (secret = JSON.stringify(KEYS), account = '@owner') =>
  x({ account, baseUrl: server.url, clock: { now: () => NOW }, secret: () => secret, limitMs: 5_000 })

it('signs as OAuth 1.0a does, by its published example', () => {
  const header = oauth1Header(
    {
      method: 'POST',
      url: 'https://api.twitter.com/1.1/statuses/update.json',
      parameters: { include_entities: 'true', status: 'Hello Ladies + Gentlemen, a signed OAuth request!' },
      nonce: 'kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg',
      timestamp: 1318622958,
    },
    {
      consumerKey: 'xvz1evFS4wEEPTGEFPHBog',
      consumerSecret: ['kAcSOqF21Fu85e7zjz7ZN2U4', 'ZRhfV3WpwPAoE3Z7kBw'].join(''),
      token: ['370773112', 'GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb'].join('-'),
      tokenSecret: ['LswwdoUaIvS8ltyTt5jkRh4J', '50vUPVVHtR2YPi5kE'].join(''),
    },
  )
  expect(header).toContain(`oauth_signature="${encodeURIComponent('hCtSmYh+iHYCEqBWrE7C7hYmtUk=')}"`)
  expect(header).toMatch(/^OAuth oauth_consumer_key="xvz1evFS4wEEPTGEFPHBog", oauth_nonce=/)
})

it('knows its own account, whatever the case, and a credential file that is none', async () => {
  await network().verify()
  await expect(network(undefined, '@other').verify()).rejects.toThrow('the credential is that of @Owner')
  await expect(network('{"token":"t"}').verify()).rejects.toThrow('the credential file must hold')
})

it('posts the text, signed, and tells the link', async () => {
  expect(await network().publish(POST, KEY)).toEqual({
    kind: 'accepted',
    id: '1346889436626259968',
    link: 'https://x.com/owner/status/1346889436626259968',
  })
  expect(server.received[0]?.body).toEqual({ text: POST.text })
  expect(server.received[0]?.headers.authorization).toMatch(/^OAuth .*oauth_signature="[^"]+"/)
})

it('is refused the same text twice in a row', async () => {
  posting = { status: 403, body: { title: 'Forbidden', detail: 'duplicate content', status: 403 } }
  expect(await network().publish(POST, KEY)).toEqual({ kind: 'refused', permanent: true, say: '403 duplicate content' })
})

it('finds a post through what X makes of its text', async () => {
  const created_at = '2026-11-20T12:00:05.000Z'
  const entities = { urls: [{ url: 'https://t.co/56a0vZUx7i', expanded_url: 'https://shop.example/a' }] }
  tweets = [{ id: '9', text: 'Fast &amp; &lt;good&gt; https://t.co/56a0vZUx7i', created_at, entities }]
  expect(await network().find(POST, KEY)).toEqual({ kind: 'found', id: '9', link: 'https://x.com/owner/status/9' })
  expect(await network().find({ ...POST, text: 'Fast' }, KEY)).toEqual({ kind: 'not-found' })
})

it('cannot tell when its credential may not read', async () => {
  const reply = server.reply
  server.reply = (request) =>
    request.path.endsWith('/tweets') && request.method === 'GET' ? { status: 403 } : reply(request)
  expect(await network().find(POST, KEY)).toMatchObject({ kind: 'cannot-tell' })
})
