import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SocialPost } from '#core/ports/social-network.ts'
import { type FakeServer, type Reply, startServer } from '#tests/support/social/server.ts'
import { fromLittleText, linkedin, littleText } from './linkedin.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const KEY = { key: '01J8Z3W6Q0ABCDEFGHJKMNPQRS.1', since: NOW }
const POST: SocialPost = { text: 'We are (still) hiring_now #jobs', publishAt: undefined, image: undefined }
const ACCOUNT = 'urn:li:organization:5515715'

let server: FakeServer
let posting: Reply
let listing: Reply
beforeEach(async () => {
  posting = { status: 201, headers: { 'x-restli-id': 'urn:li:share:6844785523593134080' } }
  listing = { status: 200, body: { paging: { start: 0, count: 50 }, elements: [] } }
  server = await startServer(({ method, path }) => {
    if (path !== '/rest/posts') return { status: 404 }
    return method === 'POST' ? posting : listing
  })
})
afterEach(() => server[Symbol.asyncDispose]())

const network = () =>
  linkedin({
    ...{ account: ACCOUNT, version: '202605', baseUrl: server.url, clock: { now: () => NOW } },
    ...{ secret: () => 'token', limitMs: 5_000 },
  })

it('posts publicly to the feed, in the version it was told, and tells the link', async () => {
  expect(await network().publish(POST, KEY)).toEqual({
    kind: 'accepted',
    id: 'urn:li:share:6844785523593134080',
    link: 'https://www.linkedin.com/feed/update/urn:li:share:6844785523593134080',
  })
  const request = server.received[0]
  expect(request?.headers).toMatchObject({
    authorization: 'Bearer token',
    'linkedin-version': '202605',
    'x-restli-protocol-version': '2.0.0',
  })
  expect(request?.body).toEqual({
    author: ACCOUNT,
    commentary: 'We are \\(still\\) hiring\\_now {hashtag|\\#|jobs}',
    visibility: 'PUBLIC',
    distribution: { feedDistribution: 'MAIN_FEED', targetEntities: [], thirdPartyDistributionChannels: [] },
    lifecycleState: 'PUBLISHED',
    isReshareDisabledByAuthor: false,
  })
})

it.each<[string, Reply, Record<string, unknown>]>([
  ['an answer that names no post', { status: 201 }, { kind: 'unknown', reason: 'the answer names no post' }],
  ['a sunset version', { status: 426, body: { message: 'NONEXISTENT_VERSION' } }, { kind: 'refused', permanent: true }],
  [
    'an expired token',
    { status: 401, body: { message: 'EXPIRED_ACCESS_TOKEN' } },
    { kind: 'refused', permanent: false },
  ],
  ['202', { status: 202 }, { kind: 'unknown' }],
])('reports %s', async (_what, reply, expected) => {
  posting = reply
  expect(await network().publish(POST, KEY)).toMatchObject(expected)
})

it('finds an own post through LinkedIn’s text format', async () => {
  const commentary = littleText(POST.text)
  listing = {
    status: 200,
    body: { elements: [{ id: 'urn:li:share:1', commentary, createdAt: NOW, publishedAt: NOW + 5 }] },
  }
  expect(await network().find(POST, KEY)).toMatchObject({ kind: 'found', id: 'urn:li:share:1' })
  expect(server.received[0]?.query).toEqual({ q: 'author', author: ACCOUNT, count: '50', sortBy: 'CREATED' })
  expect(server.received[0]?.headers['x-restli-method']).toBe('FINDER')
  expect(await network().find({ ...POST, text: 'another' }, KEY)).toEqual({ kind: 'not-found' })
})

it('works with a token that may post and not read, but then cannot look', async () => {
  listing = { status: 403, body: { message: 'Not enough permissions' } }
  await network().verify()
  expect(await network().find(POST, KEY)).toMatchObject({ kind: 'cannot-tell' })
  listing = { status: 401 }
  await expect(network().verify()).rejects.toMatchObject({ code: 'ERR_SOCIAL_AUTH' })
})

describe('the little text format', () => {
  it.each([
    ['plain words', 'plain words'],
    ['a|b {c} @d [e] (f) <g> * h _ ~ \\', 'a\\|b \\{c\\} \\@d \\[e\\] \\(f\\) \\<g\\> \\* h \\_ \\~ \\\\'],
    ['#one two #drei_vier', '{hashtag|\\#|one} two {hashtag|\\#|drei\\_vier}'],
    ['no tag: a#b, #1', 'no tag: a\\#b, \\#1'],
  ])('of %j is %j, and back', (text, little) => {
    expect(littleText(text)).toBe(little)
    expect(fromLittleText(little)).toBe(text)
  })
})
