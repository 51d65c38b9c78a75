import { beforeEach, describe, expect, it } from 'vitest'
import { blobIdOf } from '#core/blob-id.ts'
import { readConflictMark } from '#core/conflict.ts'
import { isConflictCopy, type VaultPath } from '#core/vault-path.ts'
import { LEDGER_DAY, makeSyncWorld, type SyncWorld, type SyncZone } from '#tests/support/sync-world.ts'
import { keepDropped, keepLost } from './keep-lost.ts'

const TRIP = 'Plans/trip.md'
const DAY_MS = 24 * 3_600_000

let world: SyncWorld
let cloud: SyncZone
let local: SyncZone
beforeEach(async () => {
  world = makeSyncWorld()
  ;({ cloud, local } = world)
  local.files.put(TRIP, 'one\n')
  await rounds()
  cloud.files.put(TRIP, 'cloud\n')
  local.files.put(TRIP, 'local\n')
  await rounds()
})

const rounds = async () => {
  for (let round = 0; round < 4; round++) {
    await local.sync()
    await cloud.sync()
  }
}
const copy = () => [...local.files.files().keys()].find(isConflictCopy) as VaultPath
const refOf = (zone: SyncZone, path: string) => zone.repo.readRef(`lost/${readConflictMark(path)?.text}`)
const settled = (zone: SyncZone) =>
  (zone.files.text(`Logs/${zone.zone}/${LEDGER_DAY}.jsonl`) ?? '')
    .split('\n')
    .filter((line) => line.includes('conflict.settled'))

describe('the version that lost', () => {
  it('stays reachable in every clone while its copy stands', async () => {
    const path = copy()
    const oid = blobIdOf(Buffer.from(local.files.text(path) ?? ''))
    expect([await refOf(local, path), await refOf(cloud, path)]).toEqual([oid, oid])
    expect(settled(local)).toEqual([])
  })

  it('is let go when the person has settled the conflict, and the ledger says so once', async () => {
    const path = copy()
    local.files.drop(path)
    await rounds()
    expect([await refOf(local, path), await refOf(cloud, path)]).toEqual([null, null])
    expect(settled(local)).toHaveLength(1)
    expect(settled(local)[0]).toContain(path.slice(path.lastIndexOf('/') + 1))
  })

  it('is kept for 30 days where it may not even stand beside its file', async () => {
    const deps = local.deps()
    const blob = await local.repo.writeBlob(Buffer.from('nobody else has this\n'))
    const path = `Plans/x.conflict-local-20261120T100000Z-${blob.slice(0, 8)}.md` as VaultPath
    await keepDropped([{ path, blob, of: 'Plans/x.md' as VaultPath }], deps)
    await rounds()
    expect(await refOf(local, path)).toBe(blob)
    world.now += 31 * DAY_MS
    await keepLost(local.deps())
    expect(await refOf(local, path)).toBeNull()
    expect(await refOf(local, copy())).not.toBeNull()
    expect(settled(local)).toEqual([])
  })
})
