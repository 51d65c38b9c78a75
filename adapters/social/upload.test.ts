import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import type { SocialNetwork, SocialPost } from '#core/ports/social-network.ts'
import { type FakeServer, type Received, type Reply, startServer } from '#tests/support/social/server.ts'
import { bluesky } from './bluesky.ts'
import { recordKeyOf } from './bluesky-record.ts'
import { facebook } from './facebook.ts'
import { linkedin } from './linkedin.ts'
import { mastodon } from './mastodon.ts'
import { x } from './x.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const KEY = { key: '01J8Z3W6Q0ABCDEFGHJKMNPQRS.1', since: NOW }
const PNG = Buffer.from('\u0089PNG\r\n\u001a\nand so on', 'latin1')
const IMAGE = { name: 'stall.png', type: 'image/png', bytes: PNG, altText: 'Our stall' }
const POST: SocialPost = { text: 'On the market', publishAt: undefined, image: undefined, images: [IMAGE] }
const FILE = { name: 'stall.png', type: 'image/png', bytes: PNG }
const PAGE = '546349135390552'
const DID = 'did:plc:u5cwb2mwiv2bfq53cjufe6yn'
const ORGANIZATION = 'urn:li:organization:5515715'
const KEYS = JSON.stringify({ consumerKey: 'ck', consumerSecret: 'cs', token: 't', tokenSecret: 'ts' })

let server: FakeServer
/** How a request is answered instead, by its path. */
let instead: Map<string, Reply | (() => Reply)>
beforeEach(async () => {
  instead = new Map()
  server = await startServer((request) => {
    const given = instead.get(request.path)
    return (typeof given === 'function' ? given() : given) ?? documented(request)
  })
})
afterEach(() => server[Symbol.asyncDispose]())

let uploads = 0
const BLOB = { $type: 'blob', ref: { $link: 'bafkreiexample' }, mimeType: 'image/png', size: PNG.length }

/** The answers as each network documents them. */
function documented({ method, path, query }: Received): Reply {
  switch (`${method} ${path}`) {
    case 'POST /api/v2/media':
      return { status: 200, body: { id: `m${++uploads}`, type: 'image', url: 'https://social.example/a.png' } }
    case 'POST /api/v1/statuses':
      return { status: 200, body: { id: '100', url: 'https://social.example/@owner/100' } }
    case 'POST /xrpc/com.atproto.server.createSession':
      return { status: 200, body: { did: DID, handle: 'owner.bsky.example', accessJwt: 'access' } }
    case 'POST /xrpc/com.atproto.repo.uploadBlob':
      return { status: 200, body: { blob: BLOB } }
    case 'POST /xrpc/com.atproto.repo.createRecord':
      return { status: 200, body: { uri: `at://${DID}/app.bsky.feed.post/${recordKeyOf(KEY.key)}`, cid: 'b' } }
    case 'POST /rest/images':
      if (query.action !== 'initializeUpload') return { status: 400 }
      return {
        status: 200,
        body: {
          value: {
            uploadUrlExpiresAt: NOW,
            uploadUrl: `${server.url}/dms-uploads/1`,
            image: `urn:li:image:C${++uploads}`,
          },
        },
      }
    case 'PUT /dms-uploads/1':
      return { status: 201 }
    case 'POST /rest/posts':
      return { status: 201, headers: { 'x-restli-id': 'urn:li:share:6844785523593134080' } }
    case 'POST /2/media/upload':
      return { status: 200, body: { data: { id: `7${++uploads}`, media_key: '3_7', expires_after_secs: 86_400 } } }
    case 'POST /2/media/metadata':
      return { status: 200, body: { data: { id: '71', associated_metadata: {} } } }
    case 'POST /2/tweets':
      return { status: 201, body: { data: { id: '1346889436626259968', text: 'whatever' } } }
    case `POST /v24.0/${PAGE}/photos`:
      return { status: 200, body: { id: `90${++uploads}` } }
    case `POST /v24.0/${PAGE}/feed`:
      return { status: 200, body: { id: `${PAGE}_1116689038356556` } }
    default:
      return path.startsWith('/rest/images/') ? { status: 200, body: { status: 'AVAILABLE' } } : { status: 404 }
  }
}

const of = (account: string, secret = 'token') => ({
  ...{ account, baseUrl: server.url, clock: { now: () => NOW }, limitMs: 5_000 },
  ...{ secret: () => secret, patience: { tries: 3, pauseMs: 1 } },
})
const NETWORKS: Record<string, { open(): SocialNetwork; upload: string; post: string }> = {
  mastodon: { open: () => mastodon(of('@owner@social.example')), upload: '/api/v2/media', post: '/api/v1/statuses' },
  bluesky: {
    open: () => bluesky(of('owner.bsky.example')),
    upload: '/xrpc/com.atproto.repo.uploadBlob',
    post: '/xrpc/com.atproto.repo.createRecord',
  },
  linkedin: {
    open: () => linkedin({ ...of(ORGANIZATION), version: '202605' }),
    upload: '/rest/images',
    post: '/rest/posts',
  },
  x: { open: () => x(of('@owner', KEYS)), upload: '/2/media/upload', post: '/2/tweets' },
  facebook: { open: () => facebook(of(PAGE)), upload: `/v24.0/${PAGE}/photos`, post: `/v24.0/${PAGE}/feed` },
}
const network = (name: string) => {
  const one = NETWORKS[name]
  if (!one) throw new Error(name)
  return one
}
const publish = (name: string, post = POST) => network(name).open().publish(post, KEY)
const received = (path: string) => server.received.filter((one) => one.path === path)
const postedOn = (name: string) => received(network(name).post).map(({ body }) => body as Record<string, unknown>)

describe('an image is uploaded before the post, as the network documents it', () => {
  beforeEach(() => {
    uploads = 0
  })

  test('on Mastodon, with its description', async () => {
    expect(await publish('mastodon', { ...POST, images: [IMAGE, IMAGE] })).toMatchObject({ kind: 'accepted' })
    expect(received('/api/v2/media')[0]?.body).toEqual({ description: 'Our stall', file: FILE })
    expect(postedOn('mastodon')).toEqual([{ status: POST.text, visibility: 'public', media_ids: ['m1', 'm2'] }])
  })

  test('on Bluesky, as a blob that the record names in the server’s own words', async () => {
    expect(await publish('bluesky')).toMatchObject({ kind: 'accepted' })
    const [upload] = received('/xrpc/com.atproto.repo.uploadBlob')
    expect([upload?.body, upload?.headers['content-type']]).toEqual([PNG, 'image/png'])
    expect(postedOn('bluesky')[0]?.record).toMatchObject({
      embed: { $type: 'app.bsky.embed.images', images: [{ alt: 'Our stall', image: BLOB }] },
    })
  })

  test('on LinkedIn, where it says, in the owner’s name', async () => {
    expect(await publish('linkedin')).toMatchObject({ kind: 'accepted' })
    expect(received('/rest/images')[0]?.body).toEqual({ initializeUploadRequest: { owner: ORGANIZATION } })
    expect(received('/dms-uploads/1')[0]).toMatchObject({ method: 'PUT', body: PNG })
    expect(postedOn('linkedin')[0]?.content).toEqual({ media: { id: 'urn:li:image:C1', altText: 'Our stall' } })
    await publish('linkedin', { ...POST, images: [IMAGE, IMAGE] })
    const both = ['urn:li:image:C2', 'urn:li:image:C3'].map((id) => ({ id, altText: 'Our stall' }))
    expect(postedOn('linkedin')[1]?.content).toEqual({ multiImage: { images: both } })
  })

  test('on X, described apart, and the form is not part of what is signed', async () => {
    expect(await publish('x')).toMatchObject({ kind: 'accepted' })
    expect(received('/2/media/upload')[0]?.body).toEqual({ media_category: 'tweet_image', media: FILE })
    expect(received('/2/media/metadata')[0]?.body).toEqual({
      ...{ id: '71', metadata: { alt_text: { text: 'Our stall' } } },
    })
    expect(postedOn('x')).toEqual([{ text: POST.text, media: { media_ids: ['71'] } }])
  })

  test('on Facebook, unpublished, and kept for a post that is published later', async () => {
    expect(await publish('facebook')).toMatchObject({ kind: 'accepted' })
    const upload = { published: 'false', alt_text_custom: 'Our stall', source: FILE }
    expect(received(`/v24.0/${PAGE}/photos`)[0]?.body).toEqual(upload)
    expect(postedOn('facebook')).toEqual([
      { message: POST.text, published: true, attached_media: [{ media_fbid: '901' }] },
    ])
    await publish('facebook', { ...POST, publishAt: NOW + 3_600_000 })
    expect(received(`/v24.0/${PAGE}/photos`)[1]?.body).toEqual({ ...upload, temporary: 'true' })
  })
})

describe.each(Object.keys(NETWORKS))('on %s', (name) => {
  test.each<[string, Reply, boolean]>([
    ['is refused', { status: 422, body: { error: 'File type not supported', message: 'not supported' } }, true],
    ['meets a full server', { status: 503 }, false],
    ['breaks off', 'drop', false],
    ['is answered with nothing that names it', { status: 200, body: { ok: true } }, false],
  ])('an upload that %s is a definite no, and nothing is posted', async (_what, reply, permanent) => {
    instead.set(network(name).upload, reply)
    expect(await publish(name)).toMatchObject({ kind: 'refused', permanent, say: expect.stringContaining('stall.png') })
    expect(postedOn(name)).toEqual([])
  })

  test('the second of two images that fails keeps the post back', async () => {
    let asked = 0
    const { upload } = network(name)
    const first = documented({
      method: 'POST',
      path: upload,
      query: { action: 'initializeUpload' },
      headers: {},
      body: undefined,
    })
    instead.set(upload, () => (++asked === 1 ? first : { status: 413 }))
    expect(await publish(name, { ...POST, images: [IMAGE, IMAGE] })).toMatchObject({ kind: 'refused' })
    expect([asked, postedOn(name)]).toEqual([2, []])
  })

  test('too many requests are a time to come back at', async () => {
    instead.set(network(name).upload, { status: 429, headers: { 'retry-after': '60' } })
    expect(await publish(name)).toMatchObject({ kind: 'refused', permanent: false, retryAt: NOW + 60_000 })
  })

  test('a post whose answer is lost after the upload is unknown, and asked once', async () => {
    instead.set(network(name).post, 'drop')
    expect(await publish(name)).toMatchObject({ kind: 'unknown' })
    expect(postedOn(name)).toHaveLength(1)
  })
})

describe('an image that is not ready at once', () => {
  const late = (path: string, answers: Reply[]) => instead.set(path, () => answers.shift() ?? { status: 500 })

  it('is waited for on Mastodon', async () => {
    instead.set('/api/v2/media', { status: 202, body: { id: 'm1', url: null } })
    late('/api/v1/media/m1', [
      { status: 206, body: { id: 'm1' } },
      { status: 200, body: { id: 'm1' } },
    ])
    expect(await publish('mastodon')).toMatchObject({ kind: 'accepted' })
    expect(received('/api/v1/media/m1')).toHaveLength(2)
  })

  it('is given up on Mastodon when it never is, or could not be made', async () => {
    instead.set('/api/v2/media', { status: 202, body: { id: 'm1', url: null } })
    instead.set('/api/v1/media/m1', { status: 206, body: { id: 'm1' } })
    expect(await publish('mastodon')).toMatchObject({ kind: 'refused', permanent: false })
    instead.set('/api/v1/media/m1', { status: 422, body: { error: 'Error processing' } })
    expect(await publish('mastodon')).toMatchObject({ kind: 'refused', permanent: true })
    expect(postedOn('mastodon')).toEqual([])
  })

  it('is waited for on LinkedIn, unless the token may not ask', async () => {
    const path = '/rest/images/urn%3Ali%3Aimage%3AC1'
    const begin = {
      status: 200,
      body: { value: { uploadUrl: `${server.url}/dms-uploads/1`, image: 'urn:li:image:C1' } },
    }
    instead.set('/rest/images', begin)
    late(path, [
      { status: 200, body: { status: 'PROCESSING' } },
      { status: 200, body: { status: 'AVAILABLE' } },
    ])
    expect(await publish('linkedin')).toMatchObject({ kind: 'accepted' })
    instead.set(path, { status: 403 })
    expect(await publish('linkedin')).toMatchObject({ kind: 'accepted' })
    instead.set(path, { status: 200, body: { status: 'PROCESSING_FAILED' } })
    expect(await publish('linkedin')).toMatchObject({ kind: 'refused', permanent: true })
    expect(postedOn('linkedin')).toHaveLength(2)
  })
})

it.each([
  'https://evil.example/dms-uploads/1',
  'http://www.linkedin.com/dms-uploads/1',
  'https://www.linkedin.com.evil.example/',
  'https://evillinkedin.com/',
  'https://www.linkedin.com:8443/',
  'nowhere',
])('gives the credential to no other address than LinkedIn’s own: %s', async (uploadUrl) => {
  instead.set('/rest/images', { status: 200, body: { value: { uploadUrl, image: 'urn:li:image:C1' } } })
  expect(await publish('linkedin')).toMatchObject({ say: expect.stringContaining('not its own') })
  expect(server.received).toHaveLength(1)
})

it('gives up uploads that take too long together, before the post', async () => {
  let now = NOW
  instead.set('/api/v2/media', () => {
    now += 50_000
    return { status: 200, body: { id: 'm' } }
  })
  const slow = mastodon({ ...of('@owner@social.example'), clock: { now: () => now } })
  const images = [IMAGE, IMAGE, IMAGE]
  expect(await slow.publish({ ...POST, images }, KEY)).toMatchObject({ kind: 'refused', permanent: false })
  expect([received('/api/v2/media').length, postedOn('mastodon')]).toEqual([2, []])
})

it('finds a post on X without the link that X appends to its images', async () => {
  instead.set('/2/users/me', { status: 200, body: { data: { id: '2', username: 'owner' } } })
  const url = 'https://t.co/56a0vZUx7i'
  const entities = { urls: [{ url, expanded_url: 'https://x.com/owner/status/9/photo/1', media_key: '3_7' }] }
  const created_at = '2026-11-20T12:00:05.000Z'
  const tweet = { id: '9', text: `On the market ${url}`, created_at, entities }
  instead.set('/2/users/2/tweets', { status: 200, body: { data: [tweet], meta: {} } })
  expect(await network('x').open().find(POST, KEY)).toMatchObject({ kind: 'found', id: '9' })
})
