import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeTaskId } from '#core/ids.ts'
import type { SocialPost } from '#core/ports/social-network.ts'
import { type FakeBluesky, startBluesky } from '#tests/support/social/bluesky.ts'
import { bluesky } from './bluesky.ts'
import { facetsOf, recordKeyOf } from './bluesky-record.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const KEY = { key: '01J8Z3W6Q0ABCDEFGHJKMNPQRS.1', since: NOW }
const POST: SocialPost = { text: 'Grüße https://shop.example/a #news', publishAt: undefined, image: undefined }

let server: FakeBluesky
let now: number
beforeEach(async () => {
  now = NOW
  server = await startBluesky()
})
afterEach(() => server[Symbol.asyncDispose]())

const network = (changed: { account?: string; secret?: () => string } = {}) =>
  bluesky({
    ...{ account: server.account, baseUrl: server.url, clock: { now: () => now }, limitMs: 5_000 },
    ...{ secret: () => 'app-password', ...changed },
  })
const logins = () => server.received.filter((one) => one.path.endsWith('createSession')).length

it('logs in, keeps the session for an hour, and opens a new one when it was closed', async () => {
  const account = network()
  await account.verify()
  await account.verify()
  expect(logins()).toBe(1)
  now += 3_600_000
  await account.verify()
  expect(logins()).toBe(2)
  const reply = server.reply
  server.reply = (request) =>
    request.path.endsWith('getSession') ? { status: 400, body: { error: 'ExpiredToken' } } : reply(request)
  await account.verify()
  expect(logins()).toBe(3)
})

it('says that a password is no good', async () => {
  await expect(network({ secret: () => 'old' }).verify()).rejects.toMatchObject({ code: 'ERR_SOCIAL_AUTH' })
  expect(await network({ secret: () => 'old' }).publish(POST, KEY)).toMatchObject({ kind: 'refused', permanent: false })
  expect(server.records.size).toBe(0)
})

it('writes one record under the key of the approval, with the time it was meant', async () => {
  const rkey = recordKeyOf(KEY.key)
  expect(await network().publish(POST, KEY)).toEqual({
    kind: 'accepted',
    id: `at://did:plc:u5cwb2mwiv2bfq53cjufe6yn/app.bsky.feed.post/${rkey}`,
    link: `https://bsky.app/profile/owner.bsky.example/post/${rkey}`,
  })
  expect(server.records.get(rkey)).toEqual({
    $type: 'app.bsky.feed.post',
    text: POST.text,
    createdAt: '2026-11-20T12:00:00.000Z',
    facets: facetsOf(POST.text),
  })
})

it('cannot write the same approval twice: the second time nobody knows, and the key tells', async () => {
  await network().publish(POST, KEY)
  expect(await network().publish({ ...POST, text: 'changed' }, KEY)).toMatchObject({ kind: 'unknown' })
  expect(server.records.size).toBe(1)
  expect(await network().find(POST, KEY)).toMatchObject({ kind: 'found' })
  expect(await network().find(POST, { ...KEY, key: '01J8Z3W6Q0ABCDEFGHJKMNPQRS.2' })).toEqual({ kind: 'not-found' })
})

it('finds a post whose answer was lost, and says when it cannot look', async () => {
  server.afterPosting = 'drop'
  expect(await network().publish(POST, KEY)).toMatchObject({ kind: 'unknown' })
  expect(await network().find(POST, KEY)).toMatchObject({ kind: 'found' })
  const account = network()
  await account.verify()
  server.reply = () => ({ status: 400, body: { error: 'InvalidRequest' } })
  await expect(account.find(POST, KEY)).rejects.toMatchObject({ code: 'ERR_SOCIAL_UNREACHABLE' })
})

it('takes the answer for another record as no answer', async () => {
  server.insteadOfPosting = { status: 200, body: { uri: 'at://did:plc:x/app.bsky.feed.post/other', cid: 'b' } }
  expect(await network().publish(POST, KEY)).toEqual({ kind: 'unknown', reason: 'the answer names another record' })
})

describe('the record key', () => {
  it('is a TID whose time is that of the task', () => {
    const task = makeTaskId(Date.parse('2026-11-19T08:00:00.123Z'), new Uint8Array(10))
    const key = recordKeyOf(`${task}.1`)
    expect(key).toMatch(/^[234567abcdefghij][234567a-z]{12}$/)
    const value = [...key].reduce(
      (sum, one) => (sum << 5n) | BigInt('234567abcdefghijklmnopqrstuvwxyz'.indexOf(one)),
      0n,
    )
    expect(new Date(Number(value >> 10n) / 1_000).toISOString()).toBe('2026-11-19T08:00:00.123Z')
  })

  it('differs for every approval, and is the same for the same one', () => {
    const keys = Array.from({ length: 500 }, (_, generation) => recordKeyOf(`01J8Z3W6Q0ABCDEFGHJKMNPQRS.${generation}`))
    expect(new Set(keys).size).toBe(500)
    expect(recordKeyOf(KEY.key)).toBe(keys[1])
  })
})

it('marks links and hashtags by their bytes', () => {
  const text = 'Grüße 👋 https://shop.example/a?b=c. #Größe und #2026 nicht, a#b auch nicht'
  const bytes = Buffer.from(text)
  const marked = facetsOf(text).map(({ index, features }) => [
    bytes.subarray(index.byteStart, index.byteEnd).toString(),
    features[0]?.uri ?? features[0]?.tag,
  ])
  expect(marked).toEqual([
    ['https://shop.example/a?b=c', 'https://shop.example/a?b=c'],
    ['#Größe', 'Größe'],
  ])
})
