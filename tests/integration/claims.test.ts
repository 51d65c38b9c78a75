import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { taskText, type Zones } from '#tests/support/git-zones.ts'
import { type SyncProcess, syncPair, until } from '#tests/support/sync-process.ts'

const LIMIT_MS = 300_000
const F = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const NEEDS = `Needs_Action/email/${F}`
const CLOUD = `In_Progress/cloud/${F}`
const LOCAL = `In_Progress/local/${F}`

let redis: StartedTestContainer
let zones: Zones
let hub: string
let cloud: SyncProcess
let local: SyncProcess

beforeAll(async () => {
  redis = await new GenericContainer('redis:8').withExposedPorts(6379).start()
}, LIMIT_MS)
afterAll(() => redis.stop())
beforeEach(async () => {
  ;({ zones, hub, cloud, local } = await syncPair(redis))
})
afterEach(async () => {
  await Promise.all([cloud.kill(), local.kill()])
  zones[Symbol.dispose]()
})

const put = (zone: SyncProcess, path: string, text: string) => {
  mkdirSync(dirname(join(zone.vault, path)), { recursive: true })
  writeFileSync(join(zone.vault, `${dirname(path)}/.tmp-test`), text)
  renameSync(join(zone.vault, `${dirname(path)}/.tmp-test`), join(zone.vault, path))
}

it(
  'a task goes from agent to agent by commands of both zones, and each knows when it holds it',
  async () => {
    await Promise.all([cloud.start(), local.start()])
    put(local, NEEDS, taskText(0).replace('---\n#', 'for: local\n---\n#'))
    await until('local’s claim of what is kept for it', () => local.read(LOCAL))
    expect(await local.countersign('check-claimed', '7h3k9q', '--generation', '1')).toMatchObject({
      code: 0,
      answer: { held: true },
    })
    await until('the claim in the cloud', () => cloud.read(LOCAL))
    expect(await cloud.countersign('claim', '7h3k9q')).toMatchObject({
      code: 4,
      answer: { outcome: 'taken', by: 'local', generation: 1 },
    })

    expect(await local.countersign('task', 'transfer', '7h3k9q', 'mallory')).toMatchObject({
      code: 4,
      answer: { outcome: 'refused', rule: 'agent-unknown' },
    })
    expect(await local.countersign('task', 'transfer', '7h3k9q', 'cloud')).toMatchObject({
      code: 0,
      answer: { outcome: 'landed', generation: 2, for: 'cloud' },
    })
    await until('the cloud’s claim', () => cloud.read(CLOUD)?.includes('generation: 3'))
    expect(await local.countersign('check-claimed', '7h3k9q', '--generation', '1')).toMatchObject({ code: 4 })
    expect(await cloud.countersign('check-claimed', '7h3k9q', '--generation', '3', '--hub')).toMatchObject({
      code: 0,
      answer: { held: true, reason: expect.stringContaining('the hub says so too') },
    })
    expect(await cloud.countersign('claim', '7h3k9q')).toMatchObject({
      code: 4,
      answer: { outcome: 'held', generation: 3 },
    })

    await until('the claim in local', () => local.read(CLOUD))
    expect(await local.countersign('release', '7h3k9q')).toMatchObject({ code: 0, answer: { outcome: 'landed' } })
    // The person took it from the cloud, which may take it up again: under a new generation.
    await until('the cloud’s next claim', () => cloud.read(CLOUD)?.includes('generation: 5'))
    expect(await cloud.countersign('check-claimed', '7h3k9q', '--generation', '3')).toMatchObject({
      code: 4,
      answer: { reason: 'Not held: it is claimed under generation 5.' },
    })
    expect(await cloud.countersign('release', '7h3k9q')).toMatchObject({ code: 0, answer: { generation: 6 } })
    await until('the open task in local', () => local.read(NEEDS))
    expect(await local.countersign('claim', '7h3k9q')).toMatchObject({
      code: 0,
      answer: { outcome: 'landed', generation: 7, path: LOCAL },
    })
    expect(local.read(LOCAL)).toContain('generation: 7')

    expect(await local.countersign('transfer', '7h3k9q')).toMatchObject({ code: 2 })
    expect(await local.countersign('transfer', '7h3k9q', 'cloud', '--to', 'cloud')).toMatchObject({ code: 2 })
    const handed = await local.countersign('transfer', '7h3k9q', '--to', 'cloud', '--why', 'a reply is due')
    expect(handed).toMatchObject({ code: 0, answer: { outcome: 'landed', generation: 8, for: 'cloud' } })
    await until('the cloud’s claim of what was handed over', () => cloud.read(CLOUD)?.includes('why: a reply is due'))
    await until('the claim in local', () => local.read(CLOUD))
    expect(await local.countersign('transfer', '7h3k9q', '--domain', 'payment', '--to', 'cloud')).toMatchObject({
      code: 4,
      answer: { outcome: 'refused', rule: 'domain-local-only' },
    })
    expect(await local.countersign('claim', 'nosuch')).toMatchObject({ code: 3 })
    expect(await local.countersign('check-claimed', '7h3k9q', '--generation', 'x')).toMatchObject({ code: 2 })
  },
  LIMIT_MS,
)

it(
  'a claim waits while the hub is away, says so, and is made when the hub is back',
  async () => {
    await local.start()
    put(local, NEEDS, taskText(0))
    await until('the task at the hub', () => local.status().hubHead)
    renameSync(hub, `${hub}.away`)
    expect(await local.countersign('claim', '7h3k9q')).toMatchObject({
      code: 6,
      answer: { outcome: 'waiting', say: expect.stringMatching(/^The hub cannot be reached/) },
    })
    expect(local.read(NEEDS)).toBeDefined()
    expect(local.status()).toMatchObject({ asked: [F] })
    const look = await local.countersign('check-claimed', '7h3k9q', '--generation', '1', '--hub')
    expect(look).toMatchObject({ code: 4 })
    renameSync(`${hub}.away`, hub)
    await until('the claim', () => local.read(LOCAL), 60_000)
    await until('nothing asked any more', () => (local.status().asked as string[]).length === 0)
    renameSync(hub, `${hub}.away`)
    expect(await local.countersign('check-claimed', '7h3k9q', '--generation', '1', '--hub')).toMatchObject({ code: 6 })
    expect(await local.countersign('check-claimed', '7h3k9q', '--generation', '1')).toMatchObject({ code: 0 })
  },
  LIMIT_MS,
)

it(
  'a claim that was not made yet is taken back',
  async () => {
    await local.start()
    put(local, NEEDS, taskText(0))
    await until('the task at the hub', () => local.status().hubHead)
    renameSync(hub, `${hub}.away`)
    expect(await local.countersign('claim', '7h3k9q')).toMatchObject({ code: 6 })
    expect(await local.countersign('release', '7h3k9q')).toMatchObject({ code: 0, answer: { outcome: 'withdrawn' } })
    expect(await local.countersign('release', '7h3k9q')).toMatchObject({
      code: 4,
      answer: { error: { code: 'ERR_TASK_STATE' } },
    })
    renameSync(`${hub}.away`, hub)
    await until('sync to be well', () => local.status().state === 'ok', 60_000)
    expect(local.read(NEEDS)).toBeDefined()
  },
  LIMIT_MS,
)
