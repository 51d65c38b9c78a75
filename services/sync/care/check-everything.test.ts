import { beforeEach, describe, expect, it } from 'vitest'
import type { LedgerHead } from '#core/ledger.ts'
import type { Oid } from '#core/ports/repo.ts'
import { LEDGER_DAY, makeSyncWorld, type SyncWorld, type SyncZone, taskText } from '#tests/support/sync-world.ts'
import { checkEverything, lastCheck } from './check-everything.ts'
import { standingReasons } from './verify-vault.ts'

const TRIP = 'Plans/trip.md'
const F = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'

let world: SyncWorld
let local: SyncZone
beforeEach(async () => {
  world = makeSyncWorld()
  ;({ local } = world)
  local.files.put(TRIP, 'one\n')
  world.cloud.files.put(`Needs_Action/email/${F}`, taskText())
  for (let round = 0; round < 3; round++) {
    await world.cloud.sync()
    await local.sync()
  }
})

let marked: string[]
const check = async (zone = local, ledgerHead: LedgerHead | null = null) => {
  marked = []
  const deps = zone.deps()
  const findings = await checkEverything(
    {
      ...{ ...deps, nowMs: world.now, ledgerHead: () => ledgerHead, ...standingReasons(deps) },
      checkpointKeys: new Map([...deps.ledgerKeys].map(([name, key]) => [name, [key]])),
      mark: (path) => void marked.push(path),
      breathe: async () => {},
    },
    { readAll: true, confirm: (act) => act() },
  )
  return findings
}
const failures = async (...args: Parameters<typeof check>) =>
  (await check(...args)).filter((one) => one.result === 'failed')

describe('the check of everything', () => {
  it('finds nothing in two zones at rest, and remembers that it looked', async () => {
    expect(await failures()).toEqual([])
    expect(await failures(world.cloud)).toEqual([])
    expect(lastCheck(local.store)).toEqual({ atMs: world.now, status: { at: expect.any(String), problems: [] } })
  })

  it('takes what was changed here, held back or not looked at yet for no fault', async () => {
    local.files.put(TRIP, 'two\n')
    local.files.put('Plans/new.md', 'new\n')
    local.files.put('Updates/cloud/01K9ZZZZZZZZZZZZZZZZ7H3K9Q.md', 'not mine\n')
    const vault = (await check()).find((one) => one.check === 'vault')
    expect(vault).toMatchObject({ result: 'ok', found: expect.stringContaining('3 changed here') })
    await local.sync()
    const held = (await check()).find((one) => one.check === 'vault')
    expect(held).toMatchObject({ result: 'ok', found: expect.stringContaining('1 held back') })
  })

  it('finds a file of the head that is not here though no round will bring it', async () => {
    local.files.drop(TRIP)
    local.store.update({ base: [[TRIP as never, null]] })
    expect(await failures()).toMatchObject([{ check: 'vault', found: `missing here: ${TRIP}` }])
  })

  it('finds bytes that changed though the times did not, and has them read again', async () => {
    const before = await local.files.look(TRIP)
    local.files.put(TRIP, 'rot\n')
    const now = await local.files.look(TRIP)
    if (before.kind !== 'file' || now.kind !== 'file') throw new Error('no file')
    local.store.update({
      base: [[TRIP as never, { oid: local.store.baseRow(TRIP as never)?.oid as Oid, identity: now.identity }]],
    })
    expect(await failures()).toMatchObject([{ check: 'vault', found: `changed unnoticed: ${TRIP}` }])
    expect(marked).toEqual([TRIP])
    expect(local.store.baseRow(TRIP as never)?.identity).toBeNull()
  })

  it('finds that what it remembers of the head is not the head', async () => {
    local.store.update({ hub: [[TRIP as never, { oid: '1'.repeat(40) as Oid, size: 3 }]] })
    const found = await failures()
    expect(found.map((one) => one.check)).toContain('memory')
    expect(lastCheck(local.store)?.status.problems).toContain(`memory: not as the head has it: ${TRIP}`)
  })

  it('finds a hub that lost its newest history, and one that is away', async () => {
    world.hub.head = (await local.repo.commitsBetween(null, world.hub.head as Oid))[0]?.oid ?? null
    expect(await failures()).toMatchObject([{ check: 'hub' }])
    world.hub.isOffline = true
    expect(await check()).toContainEqual(expect.objectContaining({ check: 'hub', result: 'skipped' }))
  })

  it('finds a ledger that was changed, and one that this machine knows to be longer', async () => {
    const path = `Logs/cloud/${LEDGER_DAY}.jsonl`
    const text = local.files.text(path) ?? ''
    local.files.put(path, text.replace('task.claimed', 'task.drafted'))
    expect((await failures()).map((one) => one.check)).toEqual(['ledgers'])
    local.files.put(path, text)
    expect(await failures(local, { seq: 99, hash: 'sha256:x' })).toMatchObject([{ check: 'ledgers' }])
  })

  it('finds a tree that no allowed change leads to', async () => {
    const oid = await local.repo.writeBlob(Buffer.from(taskText({ generation: 1 })))
    const parent = world.hub.head
    const head = await local.repo.commitTree({ parent, changes: [{ path: `Done/2026-11/${F}`, oid }], message: 'x' })
    const size = taskText({ generation: 1 }).length
    local.store.update({
      base: [[`Done/2026-11/${F}` as never, { oid, identity: null }]],
      hub: [[`Done/2026-11/${F}` as never, { oid, size }]],
      facts: { verified: head, hub_at: head },
    })
    local.files.put(`Done/2026-11/${F}`, taskText({ generation: 1 }))
    await local.repo.push({ commit: head, expected: parent })
    expect(await failures()).toMatchObject([{ check: 'tree', found: expect.stringContaining('task-in-two-places') }])
  })
})
