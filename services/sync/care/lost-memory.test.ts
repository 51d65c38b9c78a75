import { beforeEach, describe, expect, it } from 'vitest'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import type { TaskId } from '#core/ids.ts'
import { isConflictCopy, type VaultPath } from '#core/vault-path.ts'
import {
  Crash,
  makeSyncWorld,
  PRESENTED,
  pendingEverywhere,
  quiesce,
  type SyncWorld,
  type SyncZone,
  synced,
  taskText,
  withoutLogs,
} from '#tests/support/sync-world.ts'

const F = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const NEEDS = `Needs_Action/email/${F}`
const CLOUD = `In_Progress/cloud/${F}`
const PENDING = `Pending_Approval/email/${F}`
const APPROVED = `Approved/${F}`
const DONE = `Done/2026-11/${F}`

let world: SyncWorld
let cloud: SyncZone
let local: SyncZone
beforeEach(() => {
  world = makeSyncWorld()
  ;({ cloud, local } = world)
})

const hubFiles = () => withoutLogs(world.hub.files())
const copies = (files: ReadonlyMap<string, string>) => [...files.keys()].filter(isConflictCopy)

// Processes die at any line, and what they remembered may be lost with them.
describe('a crash at any point', () => {
  it('between writing files and remembering it makes no conflict of the hub’s own bytes', async () => {
    local.files.put('Plans/trip.md', 'one')
    await quiesce(world)
    cloud.files.put('Plans/trip.md', 'two')
    await synced(cloud)
    world.at = (zone, point) => {
      if (zone === 'local' && point === 'written') throw new Crash(point)
    }
    await expect(local.sync()).rejects.toThrow(Crash)
    expect(local.files.text('Plans/trip.md')).toBe('two')
    world.at = () => {}
    local.restart()
    cloud.files.put('Plans/trip.md', 'three')
    await synced(cloud)
    await quiesce(world)
    expect(hubFiles()).toEqual({ 'Plans/trip.md': 'three' })
  })

  it('and an edit before the next round lose nothing that the hub has meanwhile', async () => {
    local.files.put('Plans/trip.md', 'one')
    await quiesce(world)
    cloud.files.put('Plans/trip.md', 'two')
    local.files.put('Plans/trip.md', 'lost, and kept as a copy')
    await synced(local)
    world.at = (agent, point) => {
      if (agent === 'cloud' && point === 'written') throw new Crash(point)
    }
    await expect(cloud.sync()).rejects.toThrow(Crash)
    world.at = () => {}
    cloud.restart()
    // The person takes up what had lost, while the cloud's file is edited.
    await synced(local)
    local.files.put('Plans/trip.md', 'two')
    for (const copy of copies(local.files.files())) local.files.drop(copy)
    await synced(local)
    cloud.files.put('Plans/trip.md', 'three')
    await quiesce(world)
    expect(Object.values(hubFiles()).sort()).toEqual(['three', 'two'])
  })

  const points = [
    'scanned',
    'verified',
    'settled',
    'committed',
    'pushed',
    'landed',
    'applying',
    'replaced',
    'written',
    'applied',
  ]
  it.each(points)('at "%s" loses nothing and claims once', async (point) => {
    const crashOnce = (zone: string) => {
      let left = 1
      world.at = (where, at) => {
        if (where === zone && at === point && left-- > 0) throw new Crash(point)
      }
    }
    const survive = async (zone: SyncZone) => {
      crashOnce(zone.zone)
      await zone.sync().catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error
        zone.restart()
      })
      world.at = () => {}
      await synced(zone)
    }
    cloud.files.put(NEEDS, taskText())
    await survive(cloud)
    expect(cloud.files.text(CLOUD)).toMatch(/generation: "?1/)
    cloud.files.put(CLOUD, taskText({ generation: 1, body: 'a draft' }))
    cloud.files.rename(CLOUD, PENDING)
    await survive(cloud)
    await survive(local)
    local.files.put(PENDING, taskText({ generation: 1, body: 'edited', more: PRESENTED }))
    local.files.rename(PENDING, APPROVED)
    await survive(local)
    local.files.rename(APPROVED, DONE)
    await survive(local)
    await survive(cloud)
    await quiesce(world)
    expect(Object.keys(hubFiles())).toEqual([DONE])
    expect(hubFiles()[DONE]).toContain('edited')
    expect(new Set(cloud.rung.map((job) => job.generation))).toEqual(new Set([1]))
  })
})

describe('a lost memory', () => {
  it('is rebuilt from the hub’s history: an old file is no edit', async () => {
    await pendingEverywhere(world, F)
    const old = cloud.files.text(PENDING) ?? ''
    local.files.put(PENDING, taskText({ generation: 1, body: 'the card', more: PRESENTED }))
    local.files.rename(PENDING, DONE)
    await synced(local)
    cloud.store.update({
      base: cloud.store.somePaths(100).map((path): [VaultPath, null] => [path, null]),
      facts: { based: null },
    })
    expect(cloud.files.text(PENDING)).toBe(old)
    cloud.restart()
    await quiesce(world)
    expect(Object.keys(hubFiles())).toEqual([DONE])
    expect(cloud.files.text(PENDING)).toBeUndefined()
  })
})

describe('a lost store', () => {
  it('makes nobody take back a conflict copy that the hub has', async () => {
    await pendingEverywhere(world, F)
    local.files.put(PENDING, taskText({ generation: 1, body: 'the card', more: PRESENTED }))
    await synced(local)
    cloud.files.put(PENDING, taskText({ generation: 1, body: 'draft two' }))
    world.at = (agent, point) => {
      if (agent === 'cloud' && point === 'applying') throw new Crash(point)
    }
    await expect(cloud.sync()).rejects.toThrow(Crash)
    world.at = () => {}
    const [copy] = copies(world.hub.files())
    cloud.store = openSyncStore(':memory:')
    cloud.restart()
    await quiesce(world)
    expect(copies(world.hub.files())).toEqual([copy])
    expect(local.files.text(copy ?? '')).toContain('draft two')
  })
})

describe('a lost clone', () => {
  it('is fetched again before anything is built on it', async () => {
    await pendingEverywhere(world, F)
    cloud.repo.lose()
    cloud.restart()
    cloud.files.put('Plans/trip.md', 'one')
    expect(await cloud.sync('vault')).toMatchObject({ kind: 'synced' })
    expect(world.hub.files().get('Plans/trip.md')).toBe('one')
  })

  it('takes with it what only it had of a file’s past', async () => {
    const path = 'Plans/trip.md'
    cloud.files.put(path, 'mine')
    local.files.put(path, 'yours')
    await synced(local)
    world.at = (agent, point) => {
      if (agent === 'cloud' && point === 'applying') throw new Crash(point)
    }
    await expect(cloud.sync()).rejects.toThrow(Crash)
    world.at = () => {}
    cloud.repo.lose()
    cloud.restart()
    await quiesce(world)
    expect(cloud.files.text(path)).toBe('yours')
    const kept = [...cloud.files.files()].filter(([one]) => isConflictCopy(one))
    expect(kept.map(([, text]) => text)).toEqual(['mine'])
  })

  it('answers what is asked once the hub is there again', async () => {
    await pendingEverywhere(world, F)
    cloud.repo.lose()
    cloud.restart()
    world.hub.isOffline = true
    const task = '01K9ZZZZZZZZZZZZZZZZ7H3K9Q' as TaskId
    cloud.requests.ask({ kind: 'look', id: 'a'.repeat(32), task, file: F })
    expect(await cloud.sync()).toMatchObject({ kind: 'unreachable' })
    world.hub.isOffline = false
    await synced(cloud)
    expect(cloud.requests.answers.at(-1)?.[1]).toMatchObject({ kind: 'seen', generation: 1 })
  })
})
