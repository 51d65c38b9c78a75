import { beforeEach, describe, expect, it } from 'vitest'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import { makeSyncWorld, type SyncWorld, type SyncZone } from '#tests/support/sync-world.ts'
import { runSync } from '../run-sync.ts'
import type { SyncStatus } from '../sync-status.ts'
import { signsOfLife } from './signs-of-life.ts'

const HOUR = 3_600_000

let world: SyncWorld
let cloud: SyncZone
let local: SyncZone
let skewMs: number
beforeEach(() => {
  skewMs = 0
  world = makeSyncWorld({ skewMs: (agent) => (agent === 'cloud' ? skewMs : 0) })
  ;({ cloud, local } = world)
})

const put = async (text: string) => {
  cloud.files.put('Plans/trip.md', text)
  expect(await cloud.sync()).toMatchObject({ kind: 'synced', report: { pushed: true } })
}
const seen = async (of = local) => (await signsOfLife(of.deps()))[0]
const ms = (text: string | null | undefined) => Date.parse(text ?? '')

describe('the last sign of life', () => {
  it('is not there before the other agent committed anything', async () => {
    await local.sync()
    expect(await seen()).toEqual({ agent: 'cloud', zone: 'cloud', at: null, seenAt: null, claimedAt: null })
  })

  it('is the other’s newest commit, seen by both, and does not move while nothing comes', async () => {
    await put('one')
    const made = world.now
    world.now += HOUR
    await local.sync()
    const first = await seen()
    expect(Math.abs(ms(first?.at) - made)).toBeLessThan(1_000)
    expect(Math.abs(ms(first?.seenAt) - world.now)).toBeLessThan(1_000)
    world.now += HOUR
    await local.sync()
    expect(await seen()).toEqual(first)
    await put('two')
    await local.sync()
    expect(Math.abs(ms((await seen())?.at) - world.now)).toBeLessThan(1_000)
    local.files.put('Plans/wifi.md', 'mine')
    await local.sync()
    await cloud.sync()
    expect(await seen(cloud)).toMatchObject({ agent: 'local', zone: 'local', at: expect.any(String) })
  })

  it('is cut back to when it was seen when the other’s clock is ahead, and what it said stays known', async () => {
    skewMs = 24 * HOUR
    await put('one')
    await local.sync()
    const sign = await seen()
    expect(sign?.at).toBe(sign?.seenAt)
    expect(ms(sign?.at)).toBeLessThanOrEqual(world.now)
    expect(ms(sign?.claimedAt) - ms(sign?.seenAt)).toBeGreaterThan(23 * HOUR)
  })

  it('is nothing that the gate refused', async () => {
    const deps = cloud.deps()
    const bad = await deps.repo.commitTree({
      ...{ parent: null, message: 'x', trailers: {} },
      changes: [{ path: 'Approved/email/x.md' as never, oid: await deps.repo.writeBlob(Buffer.from('x')) }],
    })
    await deps.repo.push({ commit: bad, expected: null })
    expect(await local.sync()).toMatchObject({ kind: 'refused' })
    expect(await seen()).toMatchObject({ at: null })
  })

  it('is found again when the memory was lost, and is not renewed by a look at old history', async () => {
    await put('one')
    await local.sync()
    const first = await seen()
    world.now += HOUR
    local.store.update({ facts: { based: null } })
    await local.sync()
    expect(await seen()).toEqual(first)
    local.store = openSyncStore(':memory:')
    local.restart()
    await local.sync()
    expect(await seen()).toMatchObject({ at: first?.at, claimedAt: first?.claimedAt })
  })

  it('is told of who is trusted now, by name', async () => {
    const trust = async () => ({
      agents: new Map([
        ['local', 'local'],
        ['mia', 'local'],
        ['bot', 'cloud'],
      ] as const),
    })
    const signs = await signsOfLife({ ...local.deps(), trust })
    expect(signs.map(({ agent, zone }) => [agent, zone])).toEqual([
      ['bot', 'cloud'],
      ['mia', 'local'],
    ])
  })
})

it('stands in the status after each round, whether or not the hub answers', async () => {
  await put('one')
  local.deps().attention.listenedAt = Date.UTC(2026, 10, 20, 9, 59)
  const written: SyncStatus[] = []
  await using sync = runSync(local.deps(), {
    log: { debug() {}, info() {}, warn() {}, error() {} },
    metrics: { count() {}, set() {}, since() {}, observe() {} },
    writeStatus: async (status) => void written.push(status),
    ...{ onProgress() {}, onFault() {}, repair: async () => {} },
    ...{ random: () => 0, monotonic: () => 0 },
  })
  await sync.exclusive(async () => {})
  await expect
    .poll(() => written.at(-1))
    .toMatchObject({
      state: 'ok',
      hubReachedAt: expect.stringMatching(/^2026-11-20T10:0/),
      listenedAt: '2026-11-20T09:59:00.000Z',
      others: [{ agent: 'cloud', at: expect.stringMatching(/^2026-11-20T10:0/) }],
    })
  const [last, count] = [written.at(-1), written.length]
  world.hub.isOffline = true
  await sync.exclusive(async () => {})
  await expect.poll(() => written.length).toBeGreaterThan(count)
  const { hubReachedAt, others } = last as SyncStatus
  expect(written.at(-1)).toMatchObject({ state: 'hub unreachable', hubReachedAt, others })
})

describe('when the hub was last reached', () => {
  const reachedAt = () => local.deps().attention.hubReachedAt

  it('is its last answer: to a look, or to a push', async () => {
    await put('one')
    await local.sync()
    await local.sync()
    const first = reachedAt()
    expect(first).toBeGreaterThan(0)
    world.hub.isOffline = true
    world.now += HOUR
    expect(await local.sync()).toMatchObject({ kind: 'unreachable' })
    expect(await local.sync('vault')).toMatchObject({ kind: 'idle' })
    expect(reachedAt()).toBe(first)
    world.hub.isOffline = false
    local.files.put('Plans/wifi.md', 'mine')
    expect(await local.sync('vault')).toMatchObject({ kind: 'synced', report: { pushed: true } })
    expect((reachedAt() ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(HOUR)
  })
})
