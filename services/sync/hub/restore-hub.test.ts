import { beforeEach, describe, expect, it } from 'vitest'
import { verifyChain } from '#core/ledger.ts'
import type { Oid } from '#core/ports/repo.ts'
import { isConflictCopy } from '#core/vault-path.ts'
import { Crash, LEDGER_DAY, makeSyncWorld, type SyncWorld, type SyncZone, taskText } from '#tests/support/sync-world.ts'
import { reattach } from './reattach.ts'
import { GRACE_MS, graceLeftMs, heedRestore } from './restore-hub.ts'

const F = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const NEEDS = `Needs_Action/email/${F}`
const CLOUD = `In_Progress/cloud/${F}`
const PENDING = `Pending_Approval/email/${F}`
const DONE = `Done/2026-11/${F}`
const TRIP = 'Plans/trip.md'

let world: SyncWorld
let cloud: SyncZone
let local: SyncZone
beforeEach(() => {
  world = makeSyncWorld()
  ;({ cloud, local } = world)
})

/** Rounds of both until nothing changes any more, the clock moving on while one of them waits. */
const quiesce = async () => {
  for (let round = 0; round < 20; round++) {
    const outcomes = [await cloud.sync(), await local.sync()]
    if (outcomes.some(({ kind }) => kind === 'waiting')) world.now += GRACE_MS
    const isQuiet = outcomes.every(
      (one) => one.kind === 'synced' && !one.report.pushed && one.report.appliedCount === 0,
    )
    if (isQuiet) return
  }
  throw new Error('the two zones do not come to rest')
}
const without = (files: ReadonlyMap<string, string>) =>
  Object.fromEntries([...files].filter(([path]) => !path.startsWith('Logs/')).sort())
const agreed = () => {
  expect(without(cloud.files.files())).toEqual(without(world.hub.files()))
  expect(without(local.files.files())).toEqual(without(world.hub.files()))
  return without(world.hub.files())
}
const ledgerOf = (zone: SyncZone) => {
  const name = `${LEDGER_DAY}.jsonl`
  const report = verifyChain(zone.zone, [{ name, text: zone.files.text(`Logs/${zone.zone}/${name}`) ?? '' }])
  expect(report.faults).toEqual([])
  return report.entries.map(({ type }) => type)
}
const head = () => world.hub.head as Oid
/** A day's backup of the hub, and what happened after it: a task drafted, a plan edited on both sides. */
const dayAfterBackup = async (): Promise<Oid> => {
  cloud.files.put(NEEDS, taskText())
  local.files.put(TRIP, 'yesterday\n')
  await quiesce()
  const backup = head()
  cloud.files.put(CLOUD, taskText({ generation: 1, body: 'a draft' }))
  cloud.files.rename(CLOUD, PENDING)
  await quiesce()
  local.files.put(TRIP, 'today\n')
  await quiesce()
  return backup
}

describe('a hub that was restored from a backup', () => {
  it('gets back what it had lost, from whoever looks first, and the ledger says so', async () => {
    const backup = await dayAfterBackup()
    const before = head()
    world.hub.head = backup
    expect(await cloud.sync()).toEqual({ kind: 'restored', from: backup, to: before })
    expect(head()).toBe(before)
    await quiesce()
    expect(Object.keys(agreed())).toEqual([PENDING, TRIP])
    expect(ledgerOf(cloud).filter((type) => type === 'hub.rolled-back')).toHaveLength(1)
    expect(ledgerOf(local)).not.toContain('hub.rolled-back')
  })

  it('gets it back even when it was made anew', async () => {
    await dayAfterBackup()
    const before = head()
    world.hub.head = null
    expect(await local.sync()).toEqual({ kind: 'restored', from: null, to: before })
    await quiesce()
    expect(agreed()[TRIP]).toBe('today\n')
  })

  it('gets nothing new for a while, so that a clone that knows more can put its part back first', async () => {
    const backup = await dayAfterBackup()
    // Of the newest commit only the cloud has heard.
    cloud.files.put('Plans/late.md', 'late\n')
    await cloud.sync()
    const newest = head()
    world.hub.head = backup
    local.files.put(TRIP, 'written after the backup\n')
    expect(await local.sync()).toMatchObject({ kind: 'restored' })
    expect(await local.sync()).toMatchObject({ kind: 'waiting' })
    expect(await cloud.sync()).toEqual({ kind: 'restored', from: expect.any(String), to: newest })
    expect(head()).toBe(newest)
    expect(await local.sync()).toMatchObject({ kind: 'waiting' })
    world.now += GRACE_MS
    expect(graceLeftMs(local.deps())).toBe(0)
    await quiesce()
    expect(agreed()).toMatchObject({ 'Plans/late.md': 'late\n', [TRIP]: 'written after the backup\n' })
  })

  it('gets it back in parts when it refuses all of it at once', async () => {
    const backup = await dayAfterBackup()
    const before = head()
    world.hub.head = backup
    let pushes = 0
    world.hub.pushFate = () => (++pushes === 1 ? 'refused' : 'ok')
    expect(await local.sync()).toMatchObject({ kind: 'restored' })
    expect(head()).toBe(before)
    expect(pushes).toBeGreaterThan(2)
  })

  it.each(['loss-noted', 'restoring', 'restored'])('gets it back when the process dies at “%s”', async (point) => {
    await dayAfterBackup()
    const before = head()
    world.hub.head = null
    world.at = (_zone, at) => {
      if (at === point) throw new Crash(point)
    }
    await expect(local.sync()).rejects.toThrow(Crash)
    world.at = () => {}
    local.restart()
    await quiesce()
    expect(await local.repo.isAncestor(before, head())).toBe(true)
    expect(ledgerOf(local).filter((type) => type === 'hub.rolled-back')).toHaveLength(1)
  })

  it('is not relied on any more when it forgets four times within an hour', async () => {
    const backup = await dayAfterBackup()
    for (let time = 0; time < 3; time++) {
      world.hub.head = backup
      expect(await local.sync()).toMatchObject({ kind: 'restored' })
    }
    world.hub.head = backup
    expect(await local.sync()).toMatchObject({ kind: 'refused', faults: [{ rule: 'hub-rolled-back' }] })
    expect(head()).toBe(backup)
    world.now += 3_600_000
    expect(await local.sync()).toMatchObject({ kind: 'restored' })
  })
})

describe('a hub whose history does not follow what was verified', () => {
  /** The cloud never heard of what came after the backup, and works on from there. */
  const fork = async () => {
    const backup = await dayAfterBackup()
    const ours = head()
    world.hub.head = backup
    const stranger = makeSyncWorldOn(backup)
    await stranger()
    return { backup, ours }
  }
  /** A commit of the cloud on an older head. */
  const makeSyncWorldOn = (parent: Oid) => async () => {
    const oid = await cloud.repo.writeBlob(Buffer.from('written on the old history\n'))
    const commit = await cloud.repo.commitTree({
      ...{ parent, message: 'other', trailers: { Nonce: 'n' } },
      changes: [
        { path: 'Plans/other.md', oid },
        { path: TRIP, oid },
      ],
    })
    await cloud.repo.push({ commit, expected: parent })
  }

  it('is refused until the person says so', async () => {
    await fork()
    const forked = head()
    expect(await local.sync()).toMatchObject({ kind: 'refused', faults: [{ rule: 'hub-rolled-back' }] })
    expect(await cloud.sync()).toMatchObject({ kind: 'refused' })
    expect(head()).toBe(forked)
    expect(local.files.text(TRIP)).toBe('today\n')
  })

  it.each([
    ['local first', ['local', 'cloud']],
    ['cloud first', ['cloud', 'local']],
  ] as const)('is taken over on their word with nothing lost, %s', async (_order, order) => {
    const { ours } = await fork()
    local.files.put('Plans/offline.md', 'not pushed yet\n')
    for (const name of order) {
      const zone = world[name]
      await zone.sync()
      expect(await reattach(head(), ours, zone.deps())).toMatchObject({ result: 'repaired' })
      await zone.sync()
    }
    await quiesce()
    const files = agreed()
    expect(files).toMatchObject({
      'Plans/other.md': 'written on the old history\n',
      'Plans/offline.md': 'not pushed yet\n',
      [PENDING]: expect.stringContaining('a draft'),
    })
    const trips = Object.entries(files).filter(([path]) => path.startsWith('Plans/trip'))
    expect(trips.map(([, text]) => text).sort()).toEqual(['today\n', 'written on the old history\n'])
    expect(trips.filter(([path]) => isConflictCopy(path))).toHaveLength(1)
    expect(await local.repo.readRef('left-behind')).toBe(ours)
    expect(ledgerOf(local)).toContain('hub.reattached')
  })

  it('lets the cloud make its steps again that local never saw', async () => {
    cloud.files.put(NEEDS, taskText())
    await quiesce()
    cloud.files.put(
      'Needs_Action/email/EMAIL_2026-11-20_second_aaaaaa.md',
      taskText({ id: '01K9ZZZZZZZZZZZZZZZZAAAAAA' }),
    )
    await cloud.sync()
    const second = 'EMAIL_2026-11-20_second_aaaaaa.md'
    cloud.files.rename(`In_Progress/cloud/${second}`, `Pending_Approval/email/${second}`)
    await cloud.sync()
    const ours = head()
    world.hub.head = (await cloud.repo.commitsBetween(null, ours)).at(-4)?.oid ?? null
    await makeSyncWorldOn(head())()
    expect(await reattach(head(), ours, cloud.deps())).toMatchObject({
      found: expect.stringMatching(/commits made again/),
    })
    await quiesce()
    expect(Object.keys(agreed())).toContain(`Pending_Approval/email/${second}`)
  })

  it.each(['reattaching', 'remade'])(
    'is taken over when the process dies at “%s” and they say it again',
    async (point) => {
      const { ours } = await fork()
      world.at = (zone, at) => {
        if (zone === 'cloud' && at === point) throw new Crash(point)
      }
      await cloud.sync()
      await expect(reattach(head(), ours, cloud.deps())).rejects.toThrow(Crash)
      world.at = () => {}
      cloud.restart()
      for (const zone of [cloud, local]) {
        await zone.sync()
        if (zone.store.fact('verified') === ours) await reattach(head(), ours, zone.deps())
      }
      await quiesce()
      expect(Object.values(agreed())).toEqual(
        expect.arrayContaining(['today\n', 'written on the old history\n', expect.stringContaining('a draft')]),
      )
    },
  )

  it('is not taken over when the gate finds something in it that may not enter', async () => {
    const { ours } = await fork()
    const oid = await cloud.repo.writeBlob(Buffer.from(taskText({ generation: 1 })))
    const parent = head()
    const forged = await cloud.repo.commitTree({ parent, changes: [{ path: DONE, oid }], message: 'x' })
    await cloud.repo.push({ commit: forged, expected: parent })
    await local.sync()
    expect(await reattach(head(), ours, local.deps())).toMatchObject({ result: 'failed' })
    expect(await local.sync()).toMatchObject({ kind: 'refused' })
    expect(local.store.fact('verified')).toBe(ours)
  })
})

it('a zone that was restored together with its hub lets the others go first, once', async () => {
  await quiesce()
  const before = world.hub.files().get(TRIP)
  cloud.files.put(TRIP, 'written after the restore')
  heedRestore('a'.repeat(32), cloud.deps())
  expect(await cloud.sync()).toMatchObject({ kind: 'waiting' })
  expect(world.hub.files().get(TRIP)).toBe(before)
  world.now += GRACE_MS
  heedRestore('a'.repeat(32), cloud.deps())
  expect(await cloud.sync()).toMatchObject({ kind: 'synced' })
  expect(world.hub.files().get(TRIP)).toBe('written after the restore')
})
