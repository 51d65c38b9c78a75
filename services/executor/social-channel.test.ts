import { generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectInProcess } from '#adapters/mcp/in-process-client.ts'
import { CountersignError } from '#core/errors.ts'
import type { Channel } from '#core/ports/channel.ts'
import type { Found, PostKey, PublishOutcome, SocialNetwork, SocialPost } from '#core/ports/social-network.ts'
import { describeImage } from '#core/social-image.ts'
import { section } from '#core/task-file.ts'
import { type VaultPath, vaultPath } from '#core/vault-path.ts'
import { createSocialServer } from '#mcp/social/server.ts'
import { createPost, publishPost } from '#mcp/social/tools/publish-post.ts'
import {
  type Executor,
  type ExecutorHome,
  makeHome,
  readDashboard,
  readLedger,
  readTaskAt,
  START,
  whereIs,
} from '#tests/support/executor.ts'
import { makePostDraft } from '#tests/support/social/draft.ts'
import type { ExecutorDeps } from './deps.ts'
import { patientNetwork } from './patient-network.ts'
import { onePass } from './run-executor.ts'
import { socialChannel } from './social-channel.ts'
import { actingWith, TOOL_LIMIT_MS } from './wire-executor.ts'

const PENDING = 'Pending_Approval/social'
const ACCOUNTS = [
  { network: 'mastodon', account: '@you@social.example' },
  { network: 'bluesky', account: 'you.bsky.social' },
] as const

class MemoryNetwork implements SocialNetwork {
  readonly network: SocialNetwork['network']
  readonly account: string
  readonly posts: [SocialPost, PostKey][] = []
  questions = 0
  away: CountersignError | undefined
  /** Set: what becomes of a post instead. */
  outcome: PublishOutcome | undefined
  found: Found | undefined
  constructor({ network, account }: (typeof ACCOUNTS)[number]) {
    this.network = network
    this.account = account
  }
  async verify() {
    this.questions++
    if (this.away) throw this.away
  }
  async publish(post: SocialPost, key: PostKey): Promise<PublishOutcome> {
    if (this.outcome) return this.outcome
    this.posts.push([post, key])
    return {
      kind: 'accepted',
      id: String(this.posts.length),
      link: `https://${this.network}.example/${this.posts.length}`,
    }
  }
  async find(): Promise<Found> {
    if (this.away) throw this.away
    return this.found ?? { kind: 'not-found' }
  }
}

let home: ExecutorHome
let executor: Executor
let networks: MemoryNetwork[]
let channel: Channel
let deps: ExecutorDeps
const closing: AsyncDisposable[] = []

beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
  networks = ACCOUNTS.map((one) => new MemoryNetwork(one))
  const { journal, clock, log } = executor.deps
  const patient = networks.map((one) => patientNetwork(one, clock, log))
  const acting = { ...actingWith({ journal, clock, signingKey: home.key }), networks: patient, vault: home.vault }
  const client = await connectInProcess(createSocialServer([publishPost(acting), createPost(acting)]))
  closing.push(client, executor, home)
  channel = socialChannel({
    networks: patient,
    vault: home.vault,
    clock,
    call: (tool, action, receipt) => client.call(tool, { action, receipt }, TOOL_LIMIT_MS),
  })
  const limits = { ...executor.deps.limits, social: { accounts: ACCOUNTS, imagesAt: undefined } }
  deps = { ...executor.deps, limits, channels: [executor.email, channel] }
})
afterEach(async () => {
  for (const one of closing.splice(0)) await one[Symbol.asyncDispose]()
})

const pass = () => onePass(deps, { agents: ['cloud', 'local'], config: { reconcileMs: 1_000, state: home.folder } })
const mastodon = () => networks[0] as MemoryNetwork
const bluesky = () => networks[1] as MemoryNetwork
const BODY = 'We are open on Monday'

async function put(changed: Record<string, unknown> = {}, atMs = START - 3_600_000) {
  const { fileName, text, id } = makePostDraft({ ...ACCOUNTS[0], ...changed }, BODY, { atMs })
  const path = vaultPath(`${PENDING}/${fileName}`)
  await home.vault.create(path, text)
  await pass()
  return { id, fileName, path }
}
const approve = (fileName: string) =>
  home.vault.move(vaultPath(`${PENDING}/${fileName}`), vaultPath(`Approved/${fileName}`))
const cardAt = async (path: VaultPath) => section(await readTaskAt(home, path), 'card') ?? ''

test('an approved post is published once, under the key of its approval, and its link stands in Done', async () => {
  const { id, fileName, path } = await put()
  expect(await cardAt(path)).toContain('one post is published on Mastodon')
  await approve(fileName)
  await pass()
  await pass()
  expect(mastodon().posts).toEqual([
    [
      { text: BODY, publishAt: undefined, image: undefined },
      { key: `${id}.1`, since: START },
    ],
  ])
  expect(bluesky().posts).toEqual([])
  const done = await readTaskAt(home, `Done/2026-11/${fileName}`)
  expect(done.front.outcome).toMatchObject({ status: 'done', key: `${id}.1`, link: 'https://mastodon.example/1' })
  expect(readLedger(home)).toEqual(['draft.presented', 'task.approved', 'execution.intended', 'execution.done'])
  expect(await readDashboard(home)).toMatch(/posted on Mastodon as .*social\.example/)
})

test('what is to be kept by the network goes out at once, with its time', async () => {
  const { fileName } = await put({ tool: 'social.create_post', publish_at: '2026-12-01T08:00:00Z' })
  await approve(fileName)
  await pass()
  expect(mastodon().posts[0]?.[0].publishAt).toBe(Date.parse('2026-12-01T08:00:00Z'))
  expect(await whereIs(home, fileName)).toBe('Done/2026-11')
})

test('an image is shown in the card, uploaded as it was approved, and not at all when it is gone', async () => {
  const bytes = Buffer.from('\u0089PNG\r\n\u001a\nand so on', 'latin1')
  const image = describeImage('stall.png', bytes, 'Our stall')
  await home.vault.create(vaultPath(image.path), bytes)
  const { fileName, path } = await put({ images: [image] })
  const card = (await cardAt(path)).replaceAll('\\', '')
  for (const part of ['`stall.png`', '`image/png`', '17 bytes', image.sha256, `[[${image.path}]]`, '`Our stall`'])
    expect(card).toContain(part)
  const other = await put({ images: [describeImage('gone.png', Buffer.concat([bytes, bytes]), 'Gone')] })
  await approve(fileName)
  await approve(other.fileName)
  await pass()
  await pass()
  expect(mastodon().posts.map(([post]) => post.images)).toEqual([
    [{ name: 'stall.png', type: 'image/png', bytes, altText: 'Our stall' }],
  ])
  expect(await whereIs(home, other.fileName)).toBe(PENDING)
  expect(await cardAt(other.path)).toContain('it is not there')
  // Looked at before the use was spent.
  expect(readLedger(home).filter((type) => type === 'execution.intended')).toHaveLength(1)
})

describe('a lost answer', () => {
  test('that is found there: done, not posted again', async () => {
    const { fileName } = await put()
    mastodon().outcome = { kind: 'unknown', reason: 'no answer' }
    mastodon().found = { kind: 'found', id: '7', link: 'https://mastodon.example/7' }
    await approve(fileName)
    await pass()
    expect((await readTaskAt(home, `Done/2026-11/${fileName}`)).front.outcome).toMatchObject({
      link: 'https://mastodon.example/7',
      reason: 'found on Mastodon @you@social.example: post 7',
    })
    expect(mastodon().posts).toEqual([])
  })

  test.each<Found>([{ kind: 'not-found' }, { kind: 'cannot-tell', reason: 'It may not read.' }])(
    'with %j: the person is asked, and nothing is posted until they have said that it was not',
    async (found) => {
      const { fileName, path } = await put()
      mastodon().outcome = { kind: 'unknown', reason: 'no answer' }
      mastodon().found = found
      await approve(fileName)
      await pass()
      await pass()
      expect(await whereIs(home, fileName)).toBe(PENDING)
      expect(await cardAt(path)).toContain('Look at the newest posts of Mastodon @you@social.example')
      mastodon().outcome = undefined
      await approve(fileName)
      await pass()
      await pass()
      expect(mastodon().posts).toEqual([])
      expect(await whereIs(home, fileName)).toBe(PENDING)
    },
  )

  test('of a network that is away: looked for until it answers', async () => {
    const { fileName } = await put()
    mastodon().outcome = { kind: 'unknown', reason: 'no answer' }
    await approve(fileName)
    mastodon().find = async () => {
      throw new CountersignError('ERR_SOCIAL_UNREACHABLE', 'away')
    }
    await pass()
    home.now += 3_600_000
    await pass()
    expect(await whereIs(home, fileName)).toBe('In_Progress/local')
    expect(await readDashboard(home)).toContain('It may have been done')
    mastodon().find = async () => ({ kind: 'found', id: '7', link: undefined })
    await pass()
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
  })
})

test('a refusal comes back with the network’s words', async () => {
  const { fileName, path } = await put()
  mastodon().outcome = { kind: 'refused', permanent: true, say: '422 Text is a duplicate' }
  await approve(fileName)
  await pass()
  await pass()
  expect(await cardAt(path)).toContain('422 Text is a duplicate')
  expect((await readTaskAt(home, path)).front.generation).toBe(2)
})

describe('an account that is away', () => {
  const gone = new CountersignError('ERR_SOCIAL_AUTH', 'Mastodon @you@social.example: 401 revoked')

  test('keeps its own posts waiting, says why, and no others', async () => {
    const { fileName } = await put()
    const other = await put(ACCOUNTS[1])
    mastodon().away = gone
    await approve(fileName)
    await approve(other.fileName)
    await pass()
    expect([await whereIs(home, fileName), await whereIs(home, other.fileName)]).toEqual([
      'In_Progress/local',
      'Done/2026-11',
    ])
    expect(channel.problems().join()).toContain('401 revoked')
    expect(await readDashboard(home)).toContain('401 revoked')
    mastodon().away = undefined
    home.now += 2_000
    await pass()
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
    expect(channel.problems()).toEqual([])
  })

  test('is left alone for as long as it asks to be', async () => {
    const { fileName } = await put()
    mastodon().outcome = { kind: 'refused', permanent: false, say: '429', retryAt: START + 600_000 }
    await approve(fileName)
    await pass()
    await pass()
    expect(await whereIs(home, fileName)).toBe(PENDING)
    mastodon().outcome = undefined
    const next = await put({ not_before: '2026-11-20T12:00:00Z' })
    await approve(next.fileName)
    home.now += 500_000
    await pass()
    expect([await whereIs(home, next.fileName), mastodon().posts.length]).toEqual(['In_Progress/local', 0])
    home.now += 160_000
    await pass()
    expect([await whereIs(home, next.fileName), mastodon().posts.length]).toEqual(['Done/2026-11', 1])
  })

  test('is asked whose credential it is once in ten minutes, not before every post', async () => {
    for (const _ of [1, 2, 3]) {
      const { fileName } = await put()
      await approve(fileName)
      await pass()
    }
    expect([mastodon().posts.length, mastodon().questions]).toEqual([3, 1])
    home.now += 600_000
    const { fileName } = await put()
    await approve(fileName)
    await pass()
    expect(mastodon().questions).toBe(2)
  })
})

describe('its time', () => {
  test('has not come: it waits, without a question to the network', async () => {
    const { fileName } = await put({ not_before: '2026-11-20T13:00:00Z' })
    await approve(fileName)
    await pass()
    const before = mastodon().questions
    home.now += 3_599_000
    await pass()
    expect([await whereIs(home, fileName), mastodon().questions]).toEqual(['In_Progress/local', before])
    expect(await readDashboard(home)).toContain('It waits until 2026-11-20T13:00:00.000Z')
    home.now += 1_000
    await pass()
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
  })

  test('is over: the post comes back, and nothing is handed over', async () => {
    const { fileName, path } = await put({ tool: 'social.create_post', publish_at: '2026-11-20T12:04:00Z' })
    await approve(fileName)
    await pass()
    await pass()
    expect([await whereIs(home, fileName), mastodon().posts]).toEqual([PENDING, []])
    expect(await cardAt(path)).toContain('it is too late for 2026-11-20T12:04:00.000Z')
  })
})

describe('a post that is older than the journal', () => {
  const old = START - 2 * 86_400_000

  test.each<[string, Found, string, number]>([
    ['stands there already: it comes back', { kind: 'found', id: '7', link: undefined }, PENDING, 0],
    ['does not: it is posted', { kind: 'not-found' }, 'Done/2026-11', 1],
    ['may: it waits', { kind: 'cannot-tell', reason: 'It may not read.' }, 'In_Progress/local', 0],
  ])('%s', async (_what, found, where, count) => {
    mastodon().found = found
    const { fileName } = await put({}, old)
    await approve(fileName)
    await pass()
    expect([await whereIs(home, fileName), mastodon().posts.length]).toEqual([where, count])
  })
})

test('an account that is not set up here gets nothing', async () => {
  const { fileName, path } = await put({ account: '@other@social.example' })
  await approve(fileName)
  await pass()
  await pass()
  expect((await cardAt(path)).replaceAll('\\', '')).toContain('not as Mastodon @other@social.example')
  expect(mastodon().posts).toEqual([])
})

test('a receipt of another machine’s key posts nothing', async () => {
  deps = { ...deps, signingKey: generateKeyPairSync('ed25519').privateKey }
  const { fileName } = await put()
  await approve(fileName)
  await pass()
  expect([await whereIs(home, fileName), mastodon().posts]).toEqual(['In_Progress/local', []])
})
