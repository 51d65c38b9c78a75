import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Hlc } from './hlc.ts'
import { mergeVault } from './merge.ts'
import { foldedPath, isConflictCopy, type VaultPath, vaultPath } from './vault-path.ts'
import type { Zone } from './zone-policy.ts'

// Up to five clones on one hub, which takes one merge after the other. Blobs are words; `written` knows when and by whom.
type Files = ReadonlyMap<VaultPath, string>
interface Clone {
  readonly agent: string
  readonly zone: Zone
  base: Files
  files: Map<VaultPath, string>
}

const TASK = 'EMAIL_2026-11-20_task_7h3k9q.md'
const NOTES = ['Plans/trip.md', 'Plans/Trip.md', 'Inbox/Café.md', `Plans/${'名'.repeat(80)}.md`].map(vaultPath)
const START = vaultPath(`Needs_Action/email/${TASK}`)
const FOLDERS: Record<Zone, readonly string[]> = {
  cloud: ['Needs_Action/email', 'Pending_Approval/email'],
  local: ['Needs_Action/email', 'Pending_Approval/email', 'Approved', 'Rejected', 'In_Progress/local', 'Done/2026-11'],
}

class World {
  hub: Files = new Map([[START, 'start']])
  readonly written = new Map<string, Hlc>()
  /** What somebody has replaced or removed with it before their eyes. */
  readonly replaced = new Set(['start'])
  readonly clones: readonly Clone[]

  constructor(clouds: number) {
    const agents = ['local', ...['cloud', 'cloud-b', 'cloud-c', 'cloud-d'].slice(0, clouds)]
    this.clones = agents.map((agent) => ({
      ...{ agent, zone: agent === 'local' ? 'local' : 'cloud' },
      ...{ base: this.hub, files: new Map(this.hub) },
    }))
  }

  write(clone: Clone, path: VaultPath, atMs: number): void {
    const blob = `${String(this.written.size).padStart(8, '0')}-${clone.agent}`
    this.#forget(clone, path)
    this.written.set(blob, { ms: atMs, counter: 0, agent: clone.agent })
    clone.files.set(path, blob)
  }

  remove(clone: Clone, path: VaultPath): void {
    this.#forget(clone, path)
    clone.files.delete(path)
  }

  sync(clone: Clone): void {
    const at = (files: Files) => (path: VaultPath) => this.#timeOf(files, path)
    const { tree } = mergeVault({
      ...{ agent: clone.agent, zone: clone.zone, base: clone.base, ours: clone.files, theirs: this.hub },
      ...{ oursAt: at(clone.files), theirsAt: at(this.hub) },
      ...{ isThePersons: () => false, domainOf: () => 'email', generationOf: () => 0 },
    })
    this.hub = tree
    clone.base = tree
    clone.files = new Map(tree)
  }

  settle(): void {
    for (const clone of [...this.clones, ...this.clones]) this.sync(clone)
  }

  #forget({ files }: Clone, path: VaultPath): void {
    const before = files.get(path)
    if (before) this.replaced.add(before)
  }

  #timeOf(files: Files, path: VaultPath): Hlc {
    return this.written.get(files.get(path) ?? '') ?? { ms: 0, counter: 0, agent: 'nobody' }
  }
}

const plain = (files: Files) => [...files].filter(([path]) => !isConflictCopy(path)).toSorted()
const deed = fc.record({
  who: fc.nat({ max: 4 }),
  what: fc.constantFrom('note', 'note', 'edit', 'move', 'remove', 'sync', 'sync'),
  where: fc.nat({ max: 5 }),
  atMs: fc.nat({ max: 1_000 }),
})
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never

function act(world: World, { who, what, where, atMs }: Deed): void {
  const clone = world.clones[who % world.clones.length] as Clone
  const task = [...clone.files.keys()].find((path) => path.endsWith(`/${TASK}`))
  const folders = FOLDERS[clone.zone]
  if (what === 'sync') world.sync(clone)
  else if (what === 'note') world.write(clone, NOTES[where % NOTES.length] as VaultPath, atMs)
  else if (!task) return
  else if (what === 'edit') world.write(clone, task, atMs)
  else if (what === 'remove') world.remove(clone, task)
  else {
    const blob = clone.files.get(task) ?? ''
    clone.files.delete(task)
    clone.files.set(vaultPath(`${folders[where % folders.length]}/${TASK}`), blob)
  }
}

describe('many clones on one hub', () => {
  it('end with the same files, in one place and one spelling, and lose nothing that anyone wrote', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(deed, { maxLength: 30 }), (clouds, deeds) => {
        const world = new World(clouds)
        for (const one of deeds) act(world, one)
        world.settle()
        for (const { files } of world.clones) expect([...files].toSorted()).toEqual([...world.hub].toSorted())
        const keys = plain(world.hub).map(([path]) => (path.endsWith(TASK) ? TASK : foldedPath(path)))
        expect(new Set(keys).size).toBe(keys.length)
        const kept = new Set(world.hub.values())
        for (const blob of world.written.keys()) if (!world.replaced.has(blob)) expect(kept).toContain(blob)
        const before = [...world.hub]
        world.settle()
        expect([...world.hub]).toEqual(before)
      }),
      { numRuns: 2_000 },
    )
  })

  it('agree on the latest edit and keep every other, whoever meets the hub first', () => {
    const edits = fc.uniqueArray(fc.record({ who: fc.nat({ max: 4 }), atMs: fc.nat({ max: 1_000 }) }), {
      minLength: 2,
      maxLength: 5,
      selector: ({ who }) => who,
    })
    fc.assert(
      fc.property(edits, fc.constantFrom(START, ...NOTES), fc.infiniteStream(fc.nat()), (all, path, dice) => {
        const outcomes = [0, 1].map(() => {
          const world = new World(4)
          for (const { who, atMs } of all) world.write(world.clones[who] as Clone, path, atMs)
          const order = world.clones
            .map((clone) => [[...dice.take(1)][0] ?? 0, clone] as const)
            .toSorted(([a], [b]) => a - b)
          for (const [, clone] of order) world.sync(clone)
          world.settle()
          return { file: world.hub.get(path), words: [...world.hub.values()].toSorted(), world }
        })
        const [first, second] = outcomes
        expect([second?.file, second?.words]).toEqual([first?.file, first?.words])
        const latest = [...(first?.world.written ?? [])].toSorted(
          ([, a], [, b]) => b.ms - a.ms || (a.agent < b.agent ? 1 : -1),
        )
        expect(first?.file).toBe(latest[0]?.[0])
      }),
      { numRuns: 2_000 },
    )
  })

  it('keep an edit that a removal meets, whichever comes first', () => {
    fc.assert(
      fc.property(fc.constantFrom(START, ...NOTES), fc.boolean(), fc.nat({ max: 3 }), (path, isEditFirst, who) => {
        const world = new World(4)
        const [local, ...clouds] = world.clones as [Clone, ...Clone[]]
        world.write(local, path, 1)
        world.settle()
        const editor = clouds[who] as Clone
        world.write(editor, path, 2)
        world.remove(local, path)
        for (const clone of isEditFirst ? [editor, local] : [local, editor]) world.sync(clone)
        world.settle()
        expect(world.hub.get(path)).toMatch(new RegExp(`-${editor.agent}$`))
      }),
    )
  })

  it('stand by what local decided, whatever the clouds did with the task meanwhile', () => {
    const decisions = fc.constantFrom('Approved', 'Rejected', 'In_Progress/local', 'Done/2026-11')
    fc.assert(
      fc.property(decisions, fc.array(deed, { maxLength: 8 }), fc.boolean(), (folder, deeds, isLocalFirst) => {
        const world = new World(4)
        const [local, ...clouds] = world.clones as [Clone, ...Clone[]]
        world.write(local, START, 1)
        world.settle()
        const seen = local.files.get(START)
        local.files.delete(START)
        local.files.set(vaultPath(`${folder}/${TASK}`), seen ?? '')
        for (const one of deeds) if (one.what !== 'sync') act(world, { ...one, who: 1 + (one.who % 4) })
        for (const clone of isLocalFirst ? [local, ...clouds] : [...clouds, local]) world.sync(clone)
        world.settle()
        expect(world.hub.get(vaultPath(`${folder}/${TASK}`))).toBe(seen)
        const kept = new Set(world.hub.values())
        for (const blob of world.written.keys()) if (!world.replaced.has(blob)) expect(kept).toContain(blob)
      }),
      { numRuns: 1_000 },
    )
  })
})
