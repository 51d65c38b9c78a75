import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type FakeServer, type Reply, startServer } from '#tests/support/social/server.ts'
import { ask, type Endpoint, look, lookIfAllowed, messageOf, notDone, readAs } from './http.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
let server: FakeServer
let endpoint: Endpoint
beforeEach(async () => {
  server = await startServer()
  endpoint = { name: 'Test @owner', baseUrl: server.url, limitMs: 5_000 }
})
afterEach(() => server[Symbol.asyncDispose]())

const post = (to: Endpoint = endpoint) => ask(to, { method: 'POST', path: '/posts', json: { text: 'hi' } })

describe('what an answer to a post means', () => {
  it.each<[string, Reply, Record<string, unknown>]>([
    [
      '400',
      { status: 400, body: { error: { message: 'too long' } } },
      { kind: 'refused', permanent: true, say: '400 too long' },
    ],
    [
      '403',
      { status: 403, body: { detail: 'duplicate content' } },
      { kind: 'refused', permanent: true, say: '403 duplicate content' },
    ],
    ['401', { status: 401, body: { error: 'no token' } }, { kind: 'refused', permanent: false, say: '401 no token' }],
    ['422', { status: 422, body: { error: 'blank' } }, { kind: 'refused', permanent: true, say: '422 blank' }],
    ['408', { status: 408 }, { kind: 'unknown', reason: 'the answer was 408' }],
    ['425', { status: 425 }, { kind: 'unknown', reason: 'the answer was 425' }],
    ['202', { status: 202, body: {} }, { kind: 'unknown', reason: 'the answer was 202' }],
    ['303', { status: 303, headers: { location: '/elsewhere' } }, { kind: 'unknown', reason: 'the answer was 303' }],
    ['500', { status: 500, body: { error: 'Oops' } }, { kind: 'unknown', reason: 'the answer was 500 Oops' }],
    ['503', { status: 503, headers: { 'retry-after': '5' } }, { kind: 'unknown', reason: 'the answer was 503' }],
    ['a closed connection', 'drop', { kind: 'unknown' }],
  ])('%s', async (_what, reply, expected) => {
    server.reply = () => reply
    expect(notDone(await post(), NOW)).toMatchObject(expected)
    expect(server.received).toHaveLength(1)
  })

  it.each<[string, Record<string, string>, string]>([
    ['seconds', { 'retry-after': '90' }, '2026-11-20T12:01:30.000Z'],
    ['a date', { 'retry-after': 'Fri, 20 Nov 2026 12:10:00 GMT' }, '2026-11-20T12:10:00.000Z'],
    ['X’s reset time', { 'x-rate-limit-reset': String(NOW / 1000 + 60) }, '2026-11-20T12:01:00.000Z'],
    ['Mastodon’s reset time', { 'x-ratelimit-reset': '2026-11-20T12:05:00.000Z' }, '2026-11-20T12:05:00.000Z'],
    ['nothing', {}, '2026-11-20T12:15:00.000Z'],
    ['nonsense', { 'retry-after': '-5' }, '2026-11-20T12:15:00.000Z'],
    ['a year', { 'retry-after': '31536000' }, '2026-11-21T12:00:00.000Z'],
  ])('429 with %s: refused for now, not before that', async (_what, headers, at) => {
    server.reply = () => ({ status: 429, headers, body: { error: 'Too many requests' } })
    expect(notDone(await post(), NOW)).toMatchObject({ kind: 'refused', permanent: false, retryAt: Date.parse(at) })
  })

  it.each<Reply>(['hang', 'half'])('%j: unknown when the time limit is over', async (reply) => {
    server.reply = () => reply
    expect(notDone(await post({ ...endpoint, limitMs: 200 }), NOW)).toEqual({
      kind: 'unknown',
      reason: 'no answer within the time limit',
    })
  })

  it('nobody listens: refused for now, nothing was sent', async () => {
    await server[Symbol.asyncDispose]()
    expect(notDone(await post(), NOW)).toMatchObject({ kind: 'refused', permanent: false })
  })

  it('no such host: refused for now, nothing was sent', async () => {
    expect(await post({ ...endpoint, baseUrl: 'https://nowhere.invalid' })).toMatchObject({ kind: 'not-sent' })
  })

  it('no TLS at the other end: refused for now, and the request never arrives', async () => {
    expect(await post({ ...endpoint, baseUrl: server.url.replace('http:', 'https:') })).toMatchObject({
      kind: 'not-sent',
    })
    expect(server.received).toEqual([])
  })
})

describe('a request', () => {
  it('is made once, follows no redirect and takes its credential nowhere else', async () => {
    await using other = await startServer()
    server.reply = () => ({ status: 307, headers: { location: `${other.url}/posts` } })
    const headers = { authorization: 'Bearer secret' }
    const answer = await ask(endpoint, { method: 'POST', path: '/posts', headers, json: {} })
    expect(answer).toMatchObject({ kind: 'answer', status: 307 })
    expect([server.received.length, other.received.length]).toEqual([1, 0])
  })

  it('uses a connection of its own, which a network that closes idle ones cannot break', async () => {
    server.reply = () => ({ status: 200, body: {} })
    await post()
    await post()
    expect(server.received.map((one) => one.headers.connection)).toEqual(['close', 'close'])
  })

  it('reads at most 1 MiB of an answer', async () => {
    server.reply = () => ({ status: 200, raw: `"${'x'.repeat(1024 * 1024)}"` })
    expect(await post()).toMatchObject({ kind: 'answer', status: 200, body: undefined })
    server.reply = () => ({ status: 200, raw: `"${'x'.repeat(1000)}"` })
    expect(await post()).toMatchObject({ body: 'x'.repeat(1000) })
  })

  it('takes an answer that is no JSON for one without a body', async () => {
    server.reply = () => ({ status: 200, raw: '<html>' })
    expect(await post()).toMatchObject({ kind: 'answer', body: undefined })
  })
})

describe('a look', () => {
  it.each<[string, Reply, string]>([
    ['401', { status: 401, body: { error: 'revoked' } }, 'ERR_SOCIAL_AUTH'],
    ['403', { status: 403 }, 'ERR_SOCIAL_AUTH'],
    ['429', { status: 429 }, 'ERR_SOCIAL_UNREACHABLE'],
    ['500', { status: 500 }, 'ERR_SOCIAL_UNREACHABLE'],
    ['a page instead of JSON', { status: 200, raw: '<html>' }, 'ERR_SOCIAL_UNREACHABLE'],
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example' } }, 'ERR_SOCIAL_UNREACHABLE'],
    ['a closed connection', 'drop', 'ERR_SOCIAL_UNREACHABLE'],
  ])('%s is an error that may pass', async (_what, reply, code) => {
    server.reply = () => reply
    await expect(look(endpoint, { path: '/me' })).rejects.toMatchObject({ code, retryable: true })
  })

  it('that may be forbidden says so by giving nothing', async () => {
    server.reply = () => ({ status: 403 })
    expect(await lookIfAllowed(endpoint, { path: '/posts' })).toBeUndefined()
    server.reply = () => ({ status: 401 })
    await expect(lookIfAllowed(endpoint, { path: '/posts' })).rejects.toMatchObject({ code: 'ERR_SOCIAL_AUTH' })
  })

  it('names the field of an answer of another shape, never its value', () => {
    const read = () =>
      readAs(endpoint, z.object({ data: z.object({ id: z.string() }) }), { data: { id: { token: 'x' } } })
    expect(read).toThrow('Test @owner: an answer of another shape (data.id)')
  })
})

it.each<[unknown, string]>([
  [{ error: 'Validation failed' }, 'Validation failed'],
  [{ error: 'InvalidRequest', message: 'Invalid record key' }, 'InvalidRequest: Invalid record key'],
  [{ error: { message: 'Page is gone', code: 100 } }, 'Page is gone'],
  [{ title: 'Forbidden', detail: 'duplicate\ncontent' }, 'duplicate content'],
  [{ message: 'x'.repeat(1_000) }, 'x'.repeat(300)],
  [{ errors: [] }, ''],
  ['text', ''],
  [undefined, ''],
])('the words of a network about %j', (body, words) => {
  expect(messageOf(body)).toBe(words)
})
