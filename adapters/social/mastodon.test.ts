import { afterEach, beforeEach, expect, it } from 'vitest'
import type { SocialPost } from '#core/ports/social-network.ts'
import { type FakeMastodon, startMastodon } from '#tests/support/social/mastodon.ts'
import { mastodon } from './mastodon.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const KEY = { key: '01J8Z3W6Q0ABCDEFGHJKMNPQRS.1', since: NOW }
const POST: SocialPost = { text: 'We ship <on> Friday & Monday #news', publishAt: undefined, image: undefined }
const LATER: SocialPost = { ...POST, publishAt: NOW + 3_600_000 }

let server: FakeMastodon
let now: number
beforeEach(async () => {
  now = NOW
  server = await startMastodon('mastodon-token', () => now)
})
afterEach(() => server[Symbol.asyncDispose]())

const network = (changed: { account?: string; secret?: () => string } = {}) =>
  mastodon({
    ...{ account: server.account, baseUrl: server.url, clock: { now: () => now }, limitMs: 5_000 },
    ...{ secret: () => 'mastodon-token', ...changed },
  })

it('knows its own account, and says whose credential it has', async () => {
  await network().verify()
  await expect(network({ account: '@other@social.example' }).verify()).rejects.toThrow(
    'Mastodon @other@social.example: the credential is that of @owner@social.example',
  )
  await expect(network({ account: '@owner@elsewhere.example' }).verify()).rejects.toMatchObject({
    code: 'ERR_SOCIAL_AUTH',
  })
  await expect(network({ secret: () => 'old' }).verify()).rejects.toMatchObject({ code: 'ERR_SOCIAL_AUTH' })
})

it('posts the text publicly under its key and tells the link', async () => {
  expect(await network().publish(POST, KEY)).toEqual({
    kind: 'accepted',
    id: '100',
    link: 'https://social.example/@owner/100',
  })
  const request = server.received.at(-1)
  expect(request?.body).toEqual({ status: POST.text, visibility: 'public' })
  expect(request?.headers['idempotency-key']).toBe(KEY.key)
})

it('hands over what is to be published later, and finds it among what is to come', async () => {
  expect(await network().publish(LATER, KEY)).toEqual({ kind: 'accepted', id: '100', link: undefined })
  expect(server.scheduled).toEqual([{ id: '100', text: POST.text, scheduled_at: '2026-11-20T13:00:00.000Z' }])
  expect(await network().find(LATER, KEY)).toMatchObject({ kind: 'found', id: '100' })
  expect(await network().find({ ...LATER, publishAt: NOW + 7_200_000 }, KEY)).toEqual({ kind: 'not-found' })
})

it('finds what was to be published later after it was', async () => {
  now = LATER.publishAt ?? 0
  server.statuses.push({ id: '7', text: POST.text, created_at: new Date(now).toISOString() })
  expect(await network().find(LATER, KEY)).toMatchObject({ kind: 'found', id: '7' })
})

it('finds a post whose answer was lost, by its exact text and not before it was meant', async () => {
  server.afterPosting = 'drop'
  expect(await network().publish(POST, KEY)).toMatchObject({ kind: 'unknown' })
  expect(await network().find(POST, KEY)).toMatchObject({ kind: 'found', link: 'https://social.example/@owner/100' })
  expect(await network().find({ ...POST, text: `${POST.text}!` }, KEY)).toEqual({ kind: 'not-found' })
  expect(await network().find(POST, { ...KEY, since: NOW + 61_000 })).toEqual({ kind: 'not-found' })
})

it('cannot tell when the list ends before the time of the post', async () => {
  for (let id = 0; id < 41; id++)
    server.statuses.push({ id: String(id), text: `${id}`, created_at: new Date(NOW).toISOString() })
  expect(await network().find(POST, KEY)).toMatchObject({ kind: 'cannot-tell' })
  for (const one of server.statuses) one.created_at = new Date(NOW - 61_000).toISOString()
  expect(await network().find(POST, KEY)).toEqual({ kind: 'not-found' })
})

it('reports a refusal, and an answer that says nothing as unknown', async () => {
  expect(await network().publish({ ...POST, text: '' }, KEY)).toMatchObject({ kind: 'refused', permanent: true })
  server.insteadOfPosting = { status: 200, body: { ok: true } }
  expect(await network().publish(POST, KEY)).toEqual({ kind: 'unknown', reason: 'the answer could not be read' })
})
