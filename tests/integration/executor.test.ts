import { readFileSync, writeFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { openDoorbell } from '#adapters/queue/doorbell.ts'
import { connectRedis } from '#adapters/queue/redis.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import type { TaskId } from '#core/ids.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { vaultPath } from '#core/vault-path.ts'
import { makeDraft, readLedger, tick } from '#tests/support/executor.ts'
import {
  CRASHING_EXECUTOR,
  EXECUTOR,
  ended,
  makeExecutorHome,
  type RunningExecutor,
  startExecutor,
} from '#tests/support/executor-process.ts'
import { takeBack } from '../../cli/take-back.ts'
import type { ZoneHome } from '../../cli/zone-home.ts'
import { type MailContainer, startMailContainer } from '../../demo/mailbox/container.ts'
import { eventually, lookInto } from '../support/mail.ts'

const PENDING = 'Pending_Approval/email'
const LIMIT_MS = 60_000

let mailbox: MailContainer
let redis: StartedTestContainer

beforeAll(async () => {
  ;[mailbox, redis] = await Promise.all([
    startMailContainer(),
    new GenericContainer('redis:8').withExposedPorts(6379).start(),
  ])
})
afterAll(async () => {
  await mailbox?.[Symbol.asyncDispose]()
  await redis?.stop()
})

const redisUrl = () => `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`

interface Zone {
  readonly home: ZoneHome
  readonly vault: VaultPort
  readonly subject: string
  readonly fileName: string
  readonly id: TaskId
  /** Starts an executor on this zone and gives the process with its address. */
  start(main?: string, env?: Record<string, string>): Promise<RunningExecutor>
  at(folder: string, limitMs?: number): Promise<void>
  mails(who: 'owner' | 'client', folder?: string): Promise<string[]>
  ledger(): string[]
  readonly secrets: string
}
let unique = 0

/** A local zone's home with one draft for the client, under a subject nobody else uses. */
async function makeZone(undoMs = 0): Promise<Zone> {
  const made = await makeExecutorHome({ mailbox, redisUrl: redisUrl(), undoMs })
  onTestFinished(() => made[Symbol.dispose]())
  const { home, secrets } = made
  const vault = await openVault(home.vault)
  const subject = `Re: story ${process.pid}.${++unique}`
  const { id, fileName, text } = makeDraft({ subject })
  await vault.create(vaultPath(`${PENDING}/${fileName}`), text)
  return {
    ...{ home, vault, subject, fileName, id, secrets },
    async start(main = EXECUTOR, env = {}) {
      const running = await startExecutor(main, { ...made.env, ...env })
      onTestFinished(() => void running.child.kill('SIGKILL'))
      return running
    },
    async at(folder, limitMs = LIMIT_MS) {
      const path = vaultPath(`${folder}/${fileName}`)
      await eventually(`${fileName} stands in ${folder}`, () => vault.exists(path), limitMs)
    },
    async mails(who, folder = 'INBOX') {
      const { messages } = await lookInto(mailbox, who, folder)
      return messages.filter((one) => one.subject === subject).map((one) => one.source)
    },
    ledger: () => readLedger({ vaultRoot: home.vault }),
  }
}

const isDone = () => `Done/${new Date().toISOString().slice(0, 7)}`
const shown = (zone: Zone) =>
  eventually('the card is there', async () => {
    const text = await zone.vault.read(vaultPath(`${PENDING}/${zone.fileName}`))
    return text?.includes('countersign:card') && !text.includes('[x] ')
  })
async function approve(zone: Zone): Promise<void> {
  const path = vaultPath(`${PENDING}/${zone.fileName}`)
  await zone.vault.replace(path, tick('Approve')((await zone.vault.read(path)) ?? ''))
}
const readiness = async (running: RunningExecutor) => {
  const response = await fetch(`${running.url}/readyz`)
  return (await response.json()) as { ok: boolean; checks: Record<string, { ok: boolean; detail?: string }> }
}

test('the local half of the story: card, tick, countersigned, sent once and threaded, filed, Done, ledger, dashboard', async () => {
  const zone = await makeZone(300)
  const running = await zone.start()
  await shown(zone)
  await approve(zone)
  await zone.at(isDone())
  const [mail, ...others] = await zone.mails('client')
  expect(others).toEqual([])
  expect(mail).toMatch(new RegExp(`^Message-ID: <${zone.id}\\.1@countersign\\.test>\\r$`, 'm'))
  expect(mail).toMatch(/^In-Reply-To: <question@countersign\.test>\r$/m)
  await eventually('a copy is in Sent', async () => (await zone.mails('owner', 'Sent')).length === 1)
  expect(zone.ledger()).toEqual(['draft.presented', 'task.approved', 'execution.intended', 'execution.done'])
  const dashboard = await eventually('the dashboard tells', async () => {
    const text = await zone.vault.read(vaultPath('Dashboard.md'))
    return text?.includes('sent to') ? text : undefined
  })
  expect(dashboard).toContain(`${isDone()}/${zone.fileName}`)
  expect((await readiness(running)).ok).toBe(true)
  running.child.kill('SIGTERM')
  expect(await ended(running)).toBe(0)
})

test('undo takes a task back before the person while its window is open, says so, and refuses what is over', async () => {
  const zone = await makeZone(30_000)
  const running = await zone.start()
  await shown(zone)
  await approve(zone)
  await zone.at('In_Progress/local')
  expect(await takeBack(zone.home, zone.fileName)).toMatchObject({ task: zone.id, known: 'undone' })
  await zone.at(PENDING)
  await eventually('the card says so', async () =>
    (await zone.vault.read(vaultPath(`${PENDING}/${zone.fileName}`)))?.includes('You took it back'),
  )
  await expect(takeBack(zone.home, zone.fileName)).rejects.toMatchObject({ code: 'ERR_TASK_STATE' })
  // Nobody there who could say whether it was in time.
  await approve(zone)
  await zone.at('In_Progress/local')
  running.child.kill('SIGTERM')
  await ended(running)
  expect(await takeBack(zone.home, zone.fileName, 500)).toMatchObject({ known: 'unheard' })
  expect(await zone.mails('client')).toEqual([])
})

// What is sent and what is not is known to the journal up to `consume`, and again from `settle` on.
test.each([
  ['before journal.freeze', 'done'],
  ['after journal.freeze', 'done'],
  ['before journal.intend', 'done'],
  ['after journal.intend', 'done'],
  ['before journal.consume', 'done'],
  ['after journal.consume', 'unknown'],
  ['before smtp.send', 'unknown'],
  ['after smtp.send', 'unknown'],
  ['before journal.settle accepted', 'unknown'],
  ['after journal.settle accepted', 'done'],
  ['before ledger.append', 'done'],
  ['before sent.append', 'done'],
  ['after sent.append', 'done'],
  ['before journal.settle done', 'done'],
])('kill -9 %s: at most one mail, and the next start ends as %s', async (at, outcome) => {
  const zone = await makeZone()
  const first = await zone.start()
  await shown(zone)
  first.child.kill('SIGTERM')
  await ended(first)
  await approve(zone)
  const doomed = await zone.start(CRASHING_EXECUTOR, { TEST_AT: at, TEST_SIGNAL: 'SIGKILL' })
  expect(await ended(doomed)).toBe('SIGKILL')
  await zone.start(outcome === 'done' ? EXECUTOR : CRASHING_EXECUTOR)
  if (outcome === 'done') {
    await zone.at(isDone())
    await eventually('a copy is in Sent', async () => (await zone.mails('owner', 'Sent')).length > 0)
    expect(await zone.mails('client')).toHaveLength(1)
    expect(await zone.mails('owner', 'Sent')).toHaveLength(1)
  } else {
    await zone.at(PENDING)
    await eventually('the card says so', async () =>
      (await zone.vault.read(vaultPath(`${PENDING}/${zone.fileName}`)))?.includes('Outcome unknown'),
    )
    expect((await zone.mails('client')).length).toBeLessThanOrEqual(1)
    expect(zone.ledger()).toContain('execution.unknown')
  }
})

test('a process that slept through its own send finds itself overtaken, and sends nothing', async () => {
  const zone = await makeZone()
  const first = await zone.start()
  await shown(zone)
  first.child.kill('SIGTERM')
  await ended(first)
  await approve(zone)
  const zombie = await zone.start(CRASHING_EXECUTOR, { TEST_AT: 'after journal.consume', TEST_SIGNAL: 'SIGSTOP' })
  await eventually('it sleeps', () => /^State:\tT/m.test(readFileSync(`/proc/${zombie.child.pid}/status`, 'utf8')))
  const newer = await zone.start(CRASHING_EXECUTOR)
  await eventually('the task is back', async () =>
    (await zone.vault.read(vaultPath(`${PENDING}/${zone.fileName}`)))?.includes('Outcome unknown'),
  )
  zombie.child.kill('SIGCONT')
  expect(await ended(zombie)).toBe(1)
  expect(zombie.log()).toContain('ERR_FENCED')
  expect(await zone.mails('client')).toEqual([])
  expect((await readiness(newer)).ok).toBe(true)
})

test('flushing Redis in the undo window loses nothing, and a forged job does nothing', async () => {
  const zone = await makeZone(3_000)
  const running = await zone.start()
  await shown(zone)
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  await using connection = await connectRedis(redisUrl(), undefined, log)
  await using doorbell = await openDoorbell(connection, log)
  // Before the approval and during the undo window: neither is executed because something rang.
  await doorbell.ring('execute', 'execute-approved', { taskId: zone.id, generation: 1 })
  await approve(zone)
  await zone.at('In_Progress/local')
  await doorbell.ring('execute', 'execute-approved', { taskId: zone.id, generation: 1 })
  await doorbell.ring('execute', 'execute-approved', { taskId: zone.id, generation: 99 })
  await eventually('the jobs were taken', async () => (await doorbell.counts('execute')).waiting === 0)
  expect(await zone.vault.exists(vaultPath(`In_Progress/local/${zone.fileName}`))).toBe(true)
  expect(await zone.mails('client')).toEqual([])
  const redisClient = new Redis(redisUrl())
  await redisClient.flushall()
  redisClient.disconnect()
  await zone.at(isDone())
  expect(await zone.mails('client')).toHaveLength(1)
  expect(running.child.exitCode).toBeNull()
})

test('HALT.md stops what is in its undo window within two seconds; removing it lets it go on', async () => {
  const zone = await makeZone(1_500)
  await zone.start()
  await shown(zone)
  await approve(zone)
  await zone.at('In_Progress/local')
  await zone.vault.create(vaultPath('HALT.md'), 'stop\n')
  await eventually(
    'the dashboard says so',
    async () =>
      (await zone.vault.read(vaultPath('Dashboard.md')))?.includes('In_Progress/local') &&
      (await zone.vault.read(vaultPath('Dashboard.md')))?.includes('nothing is executed until you remove it'),
  )
  expect(await zone.mails('client')).toEqual([])
  await zone.vault.remove(vaultPath('HALT.md'))
  await zone.at(isDone())
  expect(await zone.mails('client')).toHaveLength(1)
})

test('a wrong password is named, nothing is lost, and a corrected one is taken up without a restart', async () => {
  const zone = await makeZone()
  writeFileSync(zone.secrets, 'wrong')
  const running = await zone.start()
  await shown(zone)
  await approve(zone)
  await zone.at('In_Progress/local')
  const unready = await eventually('readyz names it', async () => {
    const found = await readiness(running)
    return found.checks.email?.ok === false && found
  })
  expect(unready.ok).toBe(false)
  expect(unready.checks.email?.detail).toMatch(/logging in to SMTP owner@countersign\.test@127\.0\.0\.1:\d+/)
  await eventually('the dashboard names it', async () =>
    (await zone.vault.read(vaultPath('Dashboard.md')))?.includes('logging in to SMTP'),
  )
  expect(running.log()).not.toContain('"wrong"')
  writeFileSync(zone.secrets, mailbox.accounts.owner.password)
  await zone.at(isDone())
  expect(await zone.mails('client')).toHaveLength(1)
  await eventually('readyz is true again', async () => (await readiness(running)).ok)
})
