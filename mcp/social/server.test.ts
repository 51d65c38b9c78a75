import { generateKeyPairSync } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Action, actionDigest } from '#core/action.ts'
import { audienceOf, type Receipt, signReceipt, type UnsignedReceipt } from '#core/countersignature.ts'
import { makeTaskId } from '#core/ids.ts'
import type { ConsumeVerdict } from '#core/ports/journal.ts'
import type { PostKey, PublishOutcome, SocialNetwork, SocialPost } from '#core/ports/social-network.ts'
import type { CreatePostAction, PublishPostAction } from '#core/social-action.ts'
import { describeImage } from '#core/social-image.ts'
import { clientOf } from '#tests/support/mcp-client.ts'
import { createSocialServer } from './server.ts'
import { draftPostTool, type HandInPost } from './tools/draft-post.ts'
import { createPost, type PostingDeps, publishPost } from './tools/publish-post.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const TASK = makeTaskId(NOW, new Uint8Array(10))
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const ACTION: PublishPostAction = {
  ...{ tool: 'social.publish_post', network: 'mastodon', account: '@you@social.example' },
  body: 'We are open on Monday',
}
const LATER: CreatePostAction = {
  ...{ tool: 'social.create_post', network: 'mastodon', account: '@you@social.example' },
  ...{ publish_at: '2026-12-01T08:00:00Z', body: 'We are open on Monday' },
}

function receipt(action: Action = ACTION, changed: Partial<UnsignedReceipt> = {}, key = privateKey): Receipt {
  const unsigned = {
    ...{ audience: audienceOf(publicKey), task: TASK, tool: action.tool, digest: actionDigest(action) },
    ...{ nonce: '0'.repeat(32), issued_at: new Date(NOW).toISOString() },
    expires_at: new Date(NOW + 3_600_000).toISOString(),
  }
  return signReceipt({ ...unsigned, ...changed }, key)
}

describe('the tools that post', () => {
  let posted: [SocialPost, PostKey][]
  let consumed: Receipt[]
  let outcome: PublishOutcome
  let deps: PostingDeps
  let files: Map<string, Uint8Array>

  beforeEach(() => {
    posted = []
    consumed = []
    files = new Map()
    outcome = { kind: 'accepted', id: '7', link: 'https://social.example/@you/7' }
    const network: SocialNetwork = {
      ...{ network: 'mastodon', account: ACTION.account },
      verify: async () => {},
      async publish(post, key) {
        posted.push([post, key])
        return outcome
      },
      find: async () => ({ kind: 'not-found' }),
    }
    deps = {
      ...{ publicKey, clock: { now: () => NOW }, networks: [network], isNewest: () => true },
      vault: { readBytes: async (path) => files.get(path) },
      consume: (given): ConsumeVerdict => {
        if (consumed.some((one) => one.nonce === given.nonce)) return { kind: 'refused', rule: 'spent' }
        consumed.push(given)
        return { kind: 'consumed', key: `${TASK}.1`, intendedAt: NOW - 5 }
      },
    }
  })
  const call = async (name: string, args: Record<string, unknown>, changed: Partial<PostingDeps> = {}) => {
    const client = await clientOf(
      createSocialServer([publishPost({ ...deps, ...changed }), createPost({ ...deps, ...changed })]),
    )
    return client.callTool({ name, arguments: args })
  }

  test('post a countersigned action once, exactly as it stands in the arguments, under its key', async () => {
    const result = await call('publish_post', { action: ACTION, receipt: receipt() })
    expect(result.structuredContent).toEqual({
      ...{ outcome: 'accepted', key: `${TASK}.1`, answer: 'Mastodon @you@social.example: post 7', missed: [] },
      link: 'https://social.example/@you/7',
    })
    const post = { text: 'We are open on Monday', publishAt: undefined, image: undefined }
    expect(posted).toEqual([[post, { key: `${TASK}.1`, since: NOW - 5 }]])
    const replay = await call('publish_post', { action: ACTION, receipt: receipt() })
    expect(replay.structuredContent).toMatchObject({ outcome: 'refused', reason: 'receipt-spent' })
    expect(posted).toHaveLength(1)
  })

  test('give the network the images that were approved, and nothing when one of them is another', async () => {
    const bytes = Buffer.from('GIF89a and so on')
    const image = describeImage('sign.gif', bytes, 'A sign')
    const action = { ...ACTION, images: [image] }
    const args = { action, receipt: receipt(action) }
    files.set(image.path, Buffer.from('GIF89a and others'))
    expect((await call('publish_post', args)).structuredContent).toMatchObject({
      outcome: 'refused',
      code: 'ERR_SOCIAL_REFUSED',
      reason: expect.stringContaining('it is not the file that was approved'),
    })
    expect(posted).toEqual([])
    consumed = []
    files.set(image.path, bytes)
    await call('publish_post', args)
    expect(posted[0]?.[0].images).toEqual([{ name: 'sign.gif', type: 'image/gif', bytes, altText: 'A sign' }])
  })

  test('hand over what the network publishes later', async () => {
    await call('create_post', { action: LATER, receipt: receipt(LATER) })
    expect(posted[0]?.[0].publishAt).toBe(Date.parse('2026-12-01T08:00:00Z'))
  })

  test.each<[string, string, Action, Receipt]>([
    ['receipt-digest', 'the text differs by one character', { ...ACTION, body: 'We are open on Mondays' }, receipt()],
    [
      'receipt-digest',
      'it was countersigned for another account',
      { ...ACTION, account: '@me@social.example' },
      receipt(),
    ],
    [
      'receipt-tool',
      'it was countersigned for the other tool',
      ACTION,
      receipt(ACTION, { tool: 'social.create_post' }),
    ],
    ['receipt-tool', 'it was countersigned for mail', ACTION, receipt(ACTION, { tool: 'email.send_email' })],
    ['receipt-signature', 'another key signed', ACTION, receipt(ACTION, {}, generateKeyPairSync('ed25519').privateKey)],
    ['receipt-expired', 'it expired', ACTION, receipt(ACTION, { expires_at: new Date(NOW).toISOString() })],
  ])('refuse by %s when %s, spend nothing and post nothing', async (rule, _why, action, given) => {
    const result = await call('publish_post', { action, receipt: given })
    expect(result).toMatchObject({
      isError: true,
      structuredContent: { outcome: 'refused', code: 'ERR_COUNTERSIGNATURE_INVALID', reason: rule },
    })
    expect([posted, consumed]).toEqual([[], []])
  })

  test.each<[string, string, Record<string, unknown>]>([
    ['publish_post', 'no receipt', { action: ACTION }],
    ['publish_post', 'the action of the other tool', { action: LATER, receipt: receipt(LATER) }],
    ['create_post', 'the action of the other tool', { action: ACTION, receipt: receipt() }],
    ['publish_post', 'a text that is too long', { action: { ...ACTION, body: 'x'.repeat(501) }, receipt: receipt() }],
    ['publish_post', 'an argument beside the two', { action: ACTION, receipt: receipt(), force: true }],
  ])('%s refuses a call with %s and posts nothing', async (name, _what, args) => {
    expect(await call(name, args)).toMatchObject({ isError: true })
    expect([posted, consumed]).toEqual([[], []])
  })

  test('post nothing for an account that is not set up, or when a newer executor took over', async () => {
    const args = { action: ACTION, receipt: receipt() }
    expect(await call('publish_post', args, { networks: [] })).toMatchObject({
      structuredContent: { outcome: 'refused' },
    })
    consumed = []
    const late = await call('publish_post', args, { isNewest: () => false })
    expect(late.structuredContent).toMatchObject({ outcome: 'refused', code: 'ERR_FENCED' })
    expect(posted).toEqual([])
  })

  test.each<[PublishOutcome, Record<string, unknown>]>([
    [
      { kind: 'refused', permanent: true, say: '422 blank' },
      { outcome: 'refused', code: 'ERR_SOCIAL_REFUSED' },
    ],
    [
      { kind: 'refused', permanent: false, say: '429' },
      { outcome: 'refused', code: 'ERR_SOCIAL_UNREACHABLE' },
    ],
    [
      { kind: 'unknown', reason: 'no answer' },
      { outcome: 'unknown', code: 'ERR_OUTCOME_UNKNOWN', key: `${TASK}.1` },
    ],
  ])('report %j as it is', async (given, expected) => {
    outcome = given
    const result = await call('publish_post', { action: ACTION, receipt: receipt() })
    expect(result.structuredContent).toMatchObject(expected)
    expect(result.structuredContent).toHaveProperty('reason', expect.stringMatching(/^Mastodon @you@social\.example: /))
  })
})

describe('draft_post', () => {
  const handed: unknown[] = []
  const handIn: HandInPost = async (taskId, post) => {
    handed.push(post)
    return taskId === TASK ? { kind: 'drafted', path: 'Pending_Approval/social/x.md' } : { kind: 'lost' }
  }

  test('hands in what it was given, and nothing else', async () => {
    const client = await clientOf(createSocialServer([draftPostTool(handIn)]))
    const args = { task_id: TASK, network: 'x', text: 'hi', not_before: '2026-12-01T08:00:00Z' }
    const drafted = await client.callTool({ name: 'draft_post', arguments: args })
    expect(drafted.structuredContent).toEqual({ outcome: 'drafted', path: 'Pending_Approval/social/x.md' })
    expect(handed).toEqual([
      {
        network: 'x',
        text: 'hi',
        notBefore: '2026-12-01T08:00:00Z',
        publishAt: undefined,
        image: undefined,
        altText: undefined,
        images: undefined,
      },
    ])
    const account = await client.callTool({ name: 'draft_post', arguments: { ...args, account: '@other' } })
    expect(account.isError).toBe(true)
    const other = { ...args, task_id: makeTaskId(5, new Uint8Array(10)) }
    expect((await client.callTool({ name: 'draft_post', arguments: other })).structuredContent).toMatchObject({
      outcome: 'lost',
    })
  })
})
