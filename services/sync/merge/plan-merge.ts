import { undecided } from '#core/claim.ts'
import { type Hlc, parseHlc } from '#core/hlc.ts'
import { type ConflictCopy, mergeKey, mergeVault } from '#core/merge.ts'
import { checkCommit, type FileChange, MAX_NOTE_BYTES, maxBytesOf } from '#core/path-ownership.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { Oddity } from '#core/ports/work-tree.ts'
import { isScanRule, scanChanges } from '#core/scan-changes.ts'
import { arrivals } from '#core/taken-names.ts'
import { parseTaskFile, renderTaskFile } from '#core/task-file.ts'
import { type Domain, isTaskPlace, placeOf, type VaultPath } from '#core/vault-path.ts'
import type { SyncDeps } from '../sync-deps.ts'
import type { Scanned } from '../work-tree/work-view.ts'
import { carryEdits } from './carry-edits.ts'
import { mayLeaveHub, privateKeys } from './private-keys.ts'
import { standingNames } from './standing-names.ts'

/** One path of a commit; null removes. */
export interface PlannedChange {
  readonly path: VaultPath
  readonly oid: Oid | null
}

export interface MergePlan {
  /** The work tree's files of the affected keys, as they were merged. */
  readonly ours: ReadonlyMap<VaultPath, Scanned>
  /** The merged files of the affected keys: what the work tree is to become. */
  readonly tree: ReadonlyMap<VaultPath, Oid>
  /** What to commit on top of the hub's head; empty when the hub has it all. */
  readonly changes: readonly PlannedChange[]
  readonly copies: readonly ConflictCopy[]
  /** Copies that may not leave this machine: they are kept in the work tree alone. */
  readonly copiesKeptHere: readonly ConflictCopy[]
  /** Copies that may stand nowhere: this clone is to keep their bytes. */
  readonly dropped: readonly ConflictCopy[]
  /** What this agent may not write, with the rule. Not committed; left alone in the work tree while the hub has nothing new. */
  readonly held: readonly Oddity[]
  /** Keys that were merged: their work-tree files are to become `tree`. */
  readonly merged: ReadonlySet<string>
  /** Keys that differ and were not merged: held back and left alone, or more than one commit should carry. */
  readonly unmerged: ReadonlySet<string>
  /** Keys whose files stay on this machine: whatever the hub has of them leaves it. */
  readonly staying: ReadonlySet<string>
  /** Some of `unmerged` only wait for the next commit. */
  readonly isPartial: boolean
}

/** Bounds of one commit, well below what the gate accepts; a round that takes longer than seconds would be taken for a hang. */
const MAX_KEYS = 500
const MAX_BYTES = 48 * 1024 * 1024

/**
 * Merges the work tree with the hub's verified head on these keys, and takes out what the ownership table forbids this
 * agent: such files never hold up the rest.
 */
export async function planMerge(wanted: ReadonlySet<string>, deps: SyncDeps, maxKeys = MAX_KEYS): Promise<MergePlan> {
  const all = {
    base: deps.store.baseOf(wanted),
    ours: deps.scanner.view.ours(wanted),
    theirs: deps.store.hubOf(wanted),
  }
  const { keys, rest } = affectedKeys(all, maxKeys, deps)
  const only = (files: ReadonlyMap<VaultPath, { oid: Oid }>) =>
    new Map([...files].filter(([path]) => keys.has(mergeKey(path))).map(([path, { oid }]) => [path, oid]))
  const everything = { base: only(all.base), ours: only(all.ours), theirs: only(all.theirs) }
  const facts = await taskFacts(everything, deps)
  const staying = privateKeys(everything, facts, deps)
  const sides = without(everything, staying.keys)
  const held = new Map<string, Oddity>()
  const unwritten = new Set<VaultPath>()
  const keptHere = new Set<VaultPath>()
  for (;;) {
    const yielded = new Set(held.keys())
    const {
      tree,
      copies: lost,
      untouched,
    } = mergeVault({
      ...sides,
      agent: deps.agent,
      zone: deps.zone,
      oursAt: (path) => oursAt(path, all.ours, deps),
      theirsAt: (path) => parseHlc(deps.store.stamp(mergeKey(path)) ?? '') ?? { ms: 0, counter: 0, agent: 'unknown' },
      isThePersons: (blob) => facts.get(blob)?.isThePersons ?? false,
      domainOf: (blob) => facts.get(blob)?.domain ?? 'general',
      generationOf: (blob) => facts.get(blob)?.generation ?? 0,
      yielded,
    })
    const copies = await carryEdits(lost, tree, sides, deps)
    for (const { path, blob } of copies) {
      const atHub = sides.theirs.get(path)
      if (unwritten.has(path) && atHub) tree.set(path, atHub)
      else if (unwritten.has(path) || standsAlready(path, keys, deps)) tree.delete(path)
      else if (deps.zone === 'cloud' && tree.get(path) === blob) tree.set(path, await undecidedCopy(blob as Oid, deps))
    }
    const changes = [...staying.removals, ...changesBetween(sides.theirs, tree as Map<VaultPath, Oid>)]
    const files = await withBytes(changes, all.theirs, deps)
    const refused = [
      ...checkCommit({ agent: deps.agent, zone: deps.zone }, files, standingNames(deps.store, arrivals(files))),
      // The last of a file is the one told: a known secret by its name before what it looks like.
      ...(await scanChanges(files, deps.scan)).toReversed(),
    ]
    // One name may need many changes: then fewer names go into one commit.
    if (keys.size > 1 && refused.some(({ path }) => path === ''))
      return planMerge(wanted, deps, Math.floor(keys.size / 2))
    const fresh = refused.filter(({ path }) => isFresh(path as VaultPath))
    if (fresh.length === 0) {
      const merged = new Set([...keys].filter((key) => !untouched.has(key) && !staying.keys.has(key)))
      return {
        ours: all.ours,
        tree: tree as Map<VaultPath, Oid>,
        changes,
        copies: copies.filter((copy) => tree.has(copy.path)),
        copiesKeptHere: [...copies.filter((copy) => keptHere.has(copy.path)), ...staying.copies],
        dropped: copies.filter(({ path }) => unwritten.has(path) && !keptHere.has(path)),
        held: [...held.values()],
        merged,
        unmerged: new Set([...untouched, ...rest, ...staying.keys]),
        staying: staying.keys,
        isPartial: rest.size > 0,
      }
    }
    for (const { path, rule } of fresh) {
      // A copy that may not be written at the hub: its bytes stay in the trash and in this clone.
      if (copies.some((copy) => copy.path === path)) {
        unwritten.add(path as VaultPath)
        if (isScanRule(rule)) keptHere.add(path as VaultPath)
      } else held.set(mergeKey(path as VaultPath), { path, rule })
    }

    function isFresh(path: VaultPath): boolean {
      return !unwritten.has(path) && !held.has(mergeKey(path))
    }
  }
}

/** Whether a copy was made before, and is not merged now: what the person has made of it since is not written over. */
function standsAlready(path: VaultPath, keys: ReadonlySet<string>, { store, scanner }: SyncDeps): boolean {
  const key = mergeKey(path)
  return !keys.has(key) && (store.hubOf([key]).has(path) || scanner.view.ours([key]).has(path))
}

/** A copy that the cloud keeps says no more than it may say itself (`checkCommit`); every word of the text stays. */
async function undecidedCopy(oid: Oid, { repo }: SyncDeps): Promise<Oid> {
  const parsed = parseTaskFile(Buffer.from(await repo.readBlob(oid, MAX_NOTE_BYTES)).toString('utf8'))
  if (!parsed.ok) return oid
  const copy = undecided(parsed.task)
  return copy === parsed.task ? oid : repo.writeBlob(Buffer.from(renderTaskFile(copy)))
}

/** The plan without what would have to be pushed first: only what the hub has is taken, the rest waits. */
export function takenOnly(plan: MergePlan): MergePlan {
  const waiting = new Set([...plan.changes.map(({ path }) => path), ...plan.copies.map(({ of }) => of)].map(mergeKey))
  return {
    ...plan,
    tree: new Map([...plan.tree].filter(([path]) => !waiting.has(mergeKey(path)))),
    changes: [],
    copies: [],
    staying: new Set(),
    merged: new Set([...plan.merged].filter((key) => !waiting.has(key))),
    unmerged: new Set([...plan.unmerged, ...waiting]),
  }
}

interface Sides {
  readonly base: ReadonlyMap<VaultPath, { readonly oid: Oid }>
  readonly ours: ReadonlyMap<VaultPath, Scanned>
  readonly theirs: ReadonlyMap<VaultPath, { readonly oid: Oid; readonly size: number }>
}

/**
 * Keys on which base, work tree and hub are not all the same, as many as one commit should carry; and those that may
 * have to leave a hub with which all is well.
 */
function affectedKeys(
  { base, ours, theirs }: Sides,
  maxKeys: number,
  deps: SyncDeps,
): { keys: Set<string>; rest: Set<string> } {
  const keys = new Set<string>()
  const rest = new Set<string>()
  let bytes = 0
  for (const path of new Set([...ours.keys(), ...theirs.keys(), ...base.keys()])) {
    const own = ours.get(path)
    const hub = theirs.get(path)
    if (own?.oid === hub?.oid && own?.oid === base.get(path)?.oid && !mayLeaveHub(path, deps)) continue
    const key = mergeKey(path)
    if (rest.has(key)) continue
    if (!keys.has(key) && keys.size > 0 && (keys.size >= maxKeys || bytes > MAX_BYTES)) {
      rest.add(key)
      continue
    }
    keys.add(key)
    bytes += (own?.identity?.size ?? 0) + (hub?.size ?? 0)
  }
  return { keys, rest }
}

function oursAt(path: VaultPath, ours: ReadonlyMap<VaultPath, Scanned>, { agent, clock }: SyncDeps): Hlc {
  const { identity } = ours.get(path) ?? {}
  const ms = identity ? Number(BigInt(identity.mtimeNs) / 1_000_000n) : 0
  // A file's time set into the future must not win for ever.
  return { ms: Math.max(0, Math.min(ms, Math.trunc(clock.now()))), counter: 0, agent }
}

/** The merged files by side. */
export type MergeSides = Readonly<Record<'base' | 'ours' | 'theirs', ReadonlyMap<VaultPath, Oid>>>

function without(sides: MergeSides, keys: ReadonlySet<string>): MergeSides {
  const rest = (files: ReadonlyMap<VaultPath, Oid>) => new Map([...files].filter(([path]) => !keys.has(mergeKey(path))))
  return keys.size === 0 ? sides : { base: rest(sides.base), ours: rest(sides.ours), theirs: rest(sides.theirs) }
}

export interface TaskFacts {
  readonly isThePersons: boolean
  readonly domain: Domain
  /** What the file says itself. */
  readonly ownDomain: Domain | undefined
  readonly generation: number
}

/** What the merge asks of task files. The domain of a broken file is that of the folder it stands in. */
async function taskFacts(sides: MergeSides, { repo }: SyncDeps): Promise<Map<string, TaskFacts>> {
  const found = new Map<string, TaskFacts>()
  await Promise.all(
    [sides.base, sides.theirs, sides.ours].flatMap((side) =>
      [...side].map(async ([path, oid]) => {
        const place = placeOf(path)
        if (!isTaskPlace(place)) return
        const parsed = parseTaskFile(Buffer.from(await repo.readBlob(oid, maxBytesOf(place))).toString('utf8'))
        const folder = 'domain' in place ? place.domain : 'general'
        found.set(oid, {
          isThePersons: !parsed.ok || parsed.task.front.presented !== undefined,
          domain: parsed.ok ? parsed.task.front.domain : folder,
          ownDomain: parsed.ok ? parsed.task.front.domain : undefined,
          generation: parsed.ok ? parsed.task.front.generation : 0,
        })
      }),
    ),
  )
  return found
}

function changesBetween(theirs: ReadonlyMap<VaultPath, Oid>, tree: ReadonlyMap<VaultPath, Oid>): PlannedChange[] {
  const removed = [...theirs.keys()].filter((path) => !tree.has(path)).map((path) => ({ path, oid: null }))
  const written = [...tree].filter(([path, oid]) => theirs.get(path) !== oid).map(([path, oid]) => ({ path, oid }))
  return [...removed, ...written]
}

/** The changes with their bytes, as the ownership check wants them. */
export async function withBytes(
  changes: readonly PlannedChange[],
  before: ReadonlyMap<VaultPath, { readonly oid: Oid }>,
  { repo }: Pick<SyncDeps, 'repo'>,
): Promise<FileChange[]> {
  return Promise.all(
    changes.map(async ({ path, oid }): Promise<FileChange> => {
      const limit = maxBytesOf(placeOf(path))
      const was = before.get(path)
      return {
        path,
        mode: oid ? '100644' : undefined,
        before: was && (await repo.readBlob(was.oid, limit)),
        after: oid ? await repo.readBlob(oid, limit) : undefined,
      }
    }),
  )
}
