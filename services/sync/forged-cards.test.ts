import { beforeEach, describe, expect, it } from 'vitest'
import { mergeKey } from '#core/merge.ts'
import type { Oid } from '#core/ports/repo.ts'
import { isConflictCopy, vaultPath } from '#core/vault-path.ts'
import { Crash, makeSyncWorld, PRESENTED, type SyncWorld, type SyncZone, taskText } from '#tests/support/sync-world.ts'
import { planMerge } from './merge/plan-merge.ts'
import { applyTree } from './work-tree/apply-tree.ts'

// A cloud that was taken over, with its key, against the local zone alone: the hub in memory has no hook.
const F = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const NEEDS = `Needs_Action/email/${F}`
const CLOUD = `In_Progress/cloud/${F}`
const PENDING = `Pending_Approval/email/${F}`
const APPROVED = `Approved/${F}`
const OTHER_NEEDS = `Needs_Action/accounting/${F}`
const OTHER_PENDING = `Pending_Approval/accounting/${F}`
const BOXES = '<!-- countersign:decision -->\n- [ ] Approve\n- [ ] Reject\n<!-- countersign:/decision -->\n'
const CARD = taskText({ generation: 1, more: PRESENTED, body: `${BOXES}it is on its way` })
const FORGED = CARD.replace('it is on its way', 'pay to another account').replace('[ ] Approve', '[x] Approve')
const generation = (text: string, value: number) => text.replace(/generation: .*/, `generation: "${value}"`)
/** A forgery that the ownership table has nothing against: its own task, in its own domain, merely of the same name. */
const plain = (value: number) =>
  taskText({ generation: value, body: 'pay to another account' }).replace('domain: email', 'domain: accounting')

let world: SyncWorld
let cloud: SyncZone
let local: SyncZone
beforeEach(async () => {
  world = makeSyncWorld()
  ;({ cloud, local } = world)
  cloud.files.put(NEEDS, taskText())
  await quiesce()
  cloud.files.put(CLOUD, taskText({ generation: 1, body: 'it is on its way' }))
  cloud.files.rename(CLOUD, PENDING)
  await quiesce()
})

const quiesce = async () => {
  for (let round = 0; round < 12; round++) {
    const outcomes = [await cloud.sync(), await local.sync()]
    if (outcomes.every((one) => one.kind === 'synced' && !one.report.pushed && one.report.appliedCount === 0)) return
  }
  throw new Error('the two zones do not come to rest')
}
/** The executor's card, at the hub and in the cloud as well. */
const present = async (text = CARD) => {
  local.files.put(PENDING, text)
  await quiesce()
}
const forge = async (...files: [string, string | null][]) => {
  await cloud.repo.fetch()
  const changes: { path: string; oid: Oid | null }[] = []
  for (const [path, text] of files)
    changes.push({ path, oid: text === null ? null : await cloud.repo.writeBlob(Buffer.from(text)) })
  const parent = world.hub.head
  const commit = await cloud.repo.commitTree({ parent, changes, message: 'forged', trailers: {} })
  expect(await cloud.repo.push({ commit, expected: parent })).toEqual({ kind: 'landed' })
}
const rulesOf = async () => {
  const outcome = await local.sync()
  return outcome.kind === 'refused' ? outcome.faults.map((one) => one.rule) : outcome.kind
}
/** Local's work tree is merged with a hub that holds this too, whatever the gate says. */
const mergePastGate = async (path: string, text: string) => {
  const deps = local.deps()
  await deps.scanner.scan()
  const oid = await deps.repo.writeBlob(Buffer.from(text))
  deps.store.update({ hub: [[vaultPath(path), { oid, size: text.length }]] })
  await applyTree(await planMerge(new Set([mergeKey(vaultPath(path))]), deps), deps)
}
const tasks = () =>
  [...local.files.files().keys()].filter((path) => path.endsWith(F.slice(-9)) && !isConflictCopy(path))

describe('a card that waits for the person', () => {
  it('is not replaced by a ticked copy of it that the cloud walks into another folder', async () => {
    await present()
    await forge([OTHER_NEEDS, generation(FORGED, 0)])
    await forge([OTHER_NEEDS, null], [CLOUD, FORGED])
    await forge([CLOUD, null], [OTHER_PENDING, FORGED])
    expect(await rulesOf()).toEqual(['presented-is-locals', 'task-in-two-places'])
    expect(local.files.text(PENDING)).toBe(CARD)
    expect(tasks()).toEqual([PENDING])
  })

  it.each([PENDING, APPROVED])('has the only task of its name: %s', async (place) => {
    await present()
    if (place !== PENDING) local.files.rename(PENDING, place)
    await forge([OTHER_NEEDS, plain(0)])
    await forge([OTHER_NEEDS, null], [CLOUD, plain(1)])
    expect(await rulesOf()).toEqual(['task-in-two-places'])
    expect(local.files.text(place)).toBe(CARD)
    expect(tasks()).toEqual([place])
  })

  it.each([
    ['untouched', PENDING, CARD],
    ['being edited', PENDING, CARD.replace('it is on its way', 'my own words')],
    ['broken by hand', PENDING, CARD.replace('schema: ', 'schema: [')],
    ['approved', APPROVED, CARD],
  ])('keeps place and bytes even past the gate, against another task of its name: %s', async (_, place, text) => {
    await present()
    local.files.put(PENDING, text)
    if (place !== PENDING) local.files.rename(PENDING, place)
    for (const elsewhere of [CLOUD, OTHER_PENDING]) {
      await mergePastGate(elsewhere, plain(1))
      expect(local.files.text(place)).toBe(text)
      expect(tasks()).toEqual([place])
    }
    for (const [path, kept] of [...local.files.files()].filter(([one]) => isConflictCopy(one)))
      expect([path, kept]).toEqual([expect.stringMatching(/^Pending_Approval\//), plain(1)])
  })

  it('stays the person’s when they broke it', async () => {
    const broken = CARD.replace('schema: ', 'schema: [').replace('it is on its way', 'my own words')
    await present(broken)
    await forge([PENDING, taskText({ generation: 1, body: 'pay to another account' })])
    expect(await rulesOf()).toEqual(['broken-file-is-the-persons'])
    expect(local.files.text(PENDING)).toBe(broken)
  })

  it('stays the person’s when they broke it, even past the gate', async () => {
    const broken = CARD.replace('schema: ', 'schema: [')
    await present(broken)
    await mergePastGate(PENDING, taskText({ generation: 1, body: 'pay to another account' }))
    expect(local.files.text(PENDING)).toBe(broken)
  })

  it('cannot come back from a claim as presented and approved', async () => {
    await present()
    local.files.rename(PENDING, NEEDS)
    await local.sync()
    await forge([NEEDS, null], [CLOUD, generation(FORGED, 2)])
    expect(await rulesOf()).toEqual(['presented-is-locals'])
  })

  it('goes back to the cloud by hand and by its box, and comes again as a plain draft', async () => {
    await present(CARD.replace('[ ] Reject', '[x] Redraft'))
    local.files.rename(PENDING, NEEDS)
    await quiesce()
    expect(cloud.files.text(CLOUD)).toMatch(/generation: "?2/)
    expect(cloud.files.text(CLOUD)).not.toMatch(/presented|\[x\]/)
    cloud.files.rename(CLOUD, PENDING)
    await quiesce()
    expect(local.files.text(PENDING)).toMatch(/generation: "?2/)
  })
})

it('pushes more conflict copies than one commit may bring in several', async () => {
  const notes = Array.from({ length: 150 }, (_, number) => `Plans/note ${number}.md`)
  for (const path of notes) local.files.put(path, 'of both\n')
  await quiesce()
  for (const path of notes) local.files.put(path, 'the person’s words\n')
  expect((await local.sync()).kind).toBe('synced')
  for (const path of notes) cloud.files.put(path, 'the cloud’s words\n')
  expect(await cloud.sync()).toMatchObject({ kind: 'synced', report: { isPartial: true } })
  await quiesce()
  const files = [...local.files.files()].filter(([path]) => path.startsWith('Plans/'))
  expect(files.filter(([path]) => isConflictCopy(path))).toHaveLength(150)
  expect(files).toHaveLength(300)
})

it('leaves the notes of both where they are, whatever the cloud removes', async () => {
  local.files.put('Plans/mine.md', 'the person wrote this\n')
  await quiesce()
  await forge(['Plans/mine.md', null])
  expect(await rulesOf()).toEqual(['plan-removed'])
  expect(local.files.text('Plans/mine.md')).toBe('the person wrote this\n')
})

describe('what the hub brings under a task’s name', () => {
  it('is noted in the local zone before it is written, and after a crash again', async () => {
    const events: string[] = []
    const note = (event: string) => events.push(event)
    const { write, move } = local.files
    local.files.write = (path, ...rest) => {
      if (path.endsWith(`/${F}`)) note(`write after ${local.received.length} notes`)
      return write(path, ...rest)
    }
    local.files.move = (from, to, ...rest) => {
      if (to.endsWith(`/${F}`)) note(`move after ${local.received.length} notes`)
      return move(from, to, ...rest)
    }
    const before = local.received.length
    cloud.files.put(PENDING, taskText({ generation: 1, body: 'draft two' }))
    await cloud.sync()
    world.at = (zone, point) => {
      if (zone === 'local' && point === 'written') throw new Crash(point)
    }
    await expect(local.sync()).rejects.toThrow(Crash)
    expect(local.received.slice(before)).toEqual([F])
    expect(events).toEqual([`write after ${before + 1} notes`])
    expect(cloud.received).toEqual([])
  })

  it('is noted for a move of the same bytes into Pending_Approval', async () => {
    local.files.put(PENDING, CARD)
    local.files.rename(PENDING, NEEDS)
    await quiesce()
    const before = local.received.length
    cloud.files.rename(CLOUD, PENDING)
    await quiesce()
    expect(local.files.text(PENDING)).toBeDefined()
    expect(local.received.slice(before)).toEqual([F])
  })

  it('is noted for a conflict copy under the name of its card, which it may be renamed over', async () => {
    await present()
    const before = local.received.length
    await forge([PENDING.replace('.md', '.conflict-cloud-20261120T100000Z-12345678.md'), taskText()])
    expect(await rulesOf()).toBe('synced')
    expect(local.received.slice(before)).toEqual([F])
  })

  it('is not noted for what this work tree wrote itself', async () => {
    const before = local.received.length
    await present()
    local.files.rename(PENDING, APPROVED)
    await quiesce()
    expect(local.received.slice(before)).toEqual([])
  })
})
