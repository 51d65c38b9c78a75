import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { parseTaskFile, section } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import { makeDraft, readLedger, tick } from '#tests/support/executor.ts'
import {
  EXECUTOR,
  ended,
  makeExecutorHome,
  type RunningExecutor,
  startExecutor,
} from '#tests/support/executor-process.ts'
import { type FakeBluesky, startBluesky } from '#tests/support/social/bluesky.ts'
import { makePostDraft } from '#tests/support/social/draft.ts'
import { type FakeMastodon, startMastodon } from '#tests/support/social/mastodon.ts'
import { startDevMailServers } from '../../demo/mailbox/dev-servers.ts'
import type { Mailbox } from '../../demo/mailbox/mailbox.ts'
import { eventually, lookInto } from '../support/mail.ts'

// A real executor process against two networks on loopback, which speak what the real ones are documented to speak.

const PENDING = 'Pending_Approval/social'
const BODY = 'We are open on Monday: https://shop.example #news'
let redis: StartedTestContainer
let mailbox: Mailbox

beforeAll(async () => {
  ;[mailbox, redis] = await Promise.all([
    startDevMailServers(),
    new GenericContainer('redis:8').withExposedPorts(6379).start(),
  ])
})
afterAll(async () => {
  await mailbox?.[Symbol.asyncDispose]()
  await redis?.stop()
})

const isDone = () => `Done/${new Date().toISOString().slice(0, 7)}`

/** A local zone with an account at each network. */
async function makeZone() {
  const redisUrl = `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`
  const made = await makeExecutorHome({ mailbox, redisUrl, undoMs: 0 })
  onTestFinished(() => made[Symbol.dispose]())
  const mastodon = await startMastodon('mastodon-token')
  const bluesky = await startBluesky('app-password')
  onTestFinished(async () => {
    await mastodon[Symbol.asyncDispose]()
    await bluesky[Symbol.asyncDispose]()
  })
  const social = join(made.home.root, 'social')
  mkdirSync(social)
  writeFileSync(join(social, 'mastodon'), 'mastodon-token\n', { mode: 0o600 })
  writeFileSync(join(social, 'bluesky'), 'app-password\n', { mode: 0o600 })
  const env = {
    ...made.env,
    COUNTERSIGN_SOCIAL_ACCOUNTS: `mastodon:${mastodon.account}, bluesky:${bluesky.account}`,
    COUNTERSIGN_SOCIAL_SECRETS: social,
    COUNTERSIGN_MASTODON_URL: mastodon.url,
    COUNTERSIGN_BLUESKY_URL: bluesky.url,
  }
  const vault = await openVault(made.home.vault)
  const read = async (folder: string, fileName: string) => vault.read(vaultPath(`${folder}/${fileName}`))
  return {
    ...{ mastodon, bluesky, vault, social },
    async start(): Promise<RunningExecutor> {
      const running = await startExecutor(EXECUTOR, env)
      onTestFinished(() => void running.child.kill('SIGKILL'))
      return running
    },
    async put(network: 'mastodon' | 'bluesky', changed: Record<string, unknown> = {}) {
      const { account } = { mastodon, bluesky }[network]
      const { fileName, text } = makePostDraft({ network, account, ...changed }, BODY, { atMs: Date.now() })
      await vault.create(vaultPath(`${PENDING}/${fileName}`), text)
      return fileName
    },
    /** Ticks the box once the card is there. */
    async approve(fileName: string, folder = PENDING) {
      const text = await eventually('the card is there', async () => {
        const shown = await read(folder, fileName)
        return shown?.includes('countersign:card') && !shown.includes('[x] ') ? shown : undefined
      })
      await vault.replace(vaultPath(`${folder}/${fileName}`), tick('Approve')(text))
    },
    async taskAt(folder: string, fileName: string) {
      const text = await eventually(`${fileName} stands in ${folder}`, () => read(folder, fileName), 60_000)
      const parsed = parseTaskFile(text)
      if (!parsed.ok) throw new Error(parsed.problem)
      return parsed.task
    },
    ledger: () => readLedger({ vaultRoot: made.home.vault }),
  }
}

type Zone = Awaited<ReturnType<typeof makeZone>>
const postsOf = {
  mastodon: ({ mastodon }: Zone) => mastodon.statuses.map((one) => one.text),
  bluesky: ({ bluesky }: Zone) => [...bluesky.records.values()].map((one) => one.text),
}
const serverOf = (zone: Zone, network: 'mastodon' | 'bluesky'): FakeMastodon | FakeBluesky => zone[network]

describe.each(['mastodon', 'bluesky'] as const)('a post on %s', (network) => {
  test('is published once after its approval; the link stands in Done', async () => {
    const zone = await makeZone()
    const running = await zone.start()
    const fileName = await zone.put(network)
    await zone.approve(fileName)
    const done = await zone.taskAt(isDone(), fileName)
    expect(postsOf[network](zone)).toEqual([BODY])
    const link = {
      mastodon: /^https:\/\/social\.example\/@owner\/100$/,
      bluesky: /^https:\/\/bsky\.app\/profile\/owner\./,
    }
    expect(done.front.outcome?.link).toMatch(link[network])
    expect(zone.ledger()).toEqual(['draft.presented', 'task.approved', 'execution.intended', 'execution.done'])
    running.child.kill('SIGTERM')
    expect(await ended(running)).toBe(0)
  })

  test('whose executor is killed after the network took it and before it answered is found, not posted again', async () => {
    const zone = await makeZone()
    const server = serverOf(zone, network)
    const running = await zone.start()
    server.afterPosting = 'hang'
    const fileName = await zone.put(network)
    await zone.approve(fileName)
    await eventually('the network has the post', () => postsOf[network](zone).length === 1)
    running.child.kill('SIGKILL')
    await ended(running)
    server.afterPosting = undefined
    await zone.start()
    const done = await zone.taskAt(isDone(), fileName)
    expect(done.front.outcome?.reason).toContain('found on')
    expect(done.front.outcome?.link).toBeTruthy()
    expect(postsOf[network](zone)).toEqual([BODY])
    expect(postings(server)).toBe(1)
  })

  test('whose request was lost and that is not found goes to the person, and is not posted again', async () => {
    const zone = await makeZone()
    const server = serverOf(zone, network)
    await zone.start()
    server.insteadOfPosting = 'drop'
    const fileName = await zone.put(network)
    await zone.approve(fileName)
    await eventually('the network had the request', () => postings(server) === 1)
    server.insteadOfPosting = undefined
    const task = await eventually('the person is asked', async () => {
      const back = await zone.taskAt(PENDING, fileName)
      return section(back, 'card')?.includes('Outcome unknown') ? back : undefined
    })
    expect(section(task, 'card')).toContain('Look at the newest posts of')
    // Long enough for several looks at everything.
    await delay(1_500)
    expect([postsOf[network](zone), postings(server)]).toEqual([[], 1])
    expect(zone.ledger()).toContain('execution.unknown')
  })
})

test('a network that hangs keeps no mail waiting', async () => {
  const zone = await makeZone()
  await zone.start()
  zone.mastodon.insteadOfPosting = 'hang'
  const slow = await zone.put('mastodon')
  await zone.approve(slow)
  await eventually('the network has the request', () => postings(zone.mastodon) === 1)
  const subject = `Re: beside a slow network ${process.pid}`
  const mail = makeDraft({ subject })
  await zone.vault.create(vaultPath(`Pending_Approval/email/${mail.fileName}`), mail.text)
  await zone.approve(mail.fileName, 'Pending_Approval/email')
  await zone.taskAt(isDone(), mail.fileName)
  const { messages } = await lookInto(mailbox, 'client')
  expect(messages.filter((one) => one.subject === subject)).toHaveLength(1)
  expect(await zone.taskAt('In_Progress/local', slow)).toBeTruthy()
})

test('a revoked credential holds its account alone, says so, and is taken up again when it is renewed', async () => {
  const zone = await makeZone()
  writeFileSync(join(zone.social, 'mastodon'), 'old-token')
  const running = await zone.start()
  const held = await zone.put('mastodon')
  const other = await zone.put('bluesky')
  await zone.approve(held)
  await zone.approve(other)
  await zone.taskAt(isDone(), other)
  expect(await zone.taskAt('In_Progress/local', held)).toBeTruthy()
  await eventually('the health page says so', async () => {
    const response = await fetch(`${running.url}/readyz`)
    return (await response.text()).includes('The access token is invalid')
  })
  writeFileSync(join(zone.social, 'mastodon'), 'mastodon-token')
  await zone.taskAt(isDone(), held)
  expect(postsOf.mastodon(zone)).toEqual([BODY])
})

/** How often it was asked to post. */
function postings(server: FakeMastodon | FakeBluesky): number {
  return server.received.filter(({ method, path }) => method === 'POST' && /statuses$|createRecord$/.test(path)).length
}
