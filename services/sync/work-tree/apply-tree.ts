import type { FileIdentity } from '#core/file-identity.ts'
import type { Hlc } from '#core/hlc.ts'
import { mergeKey } from '#core/merge.ts'
import { maxBytesOf } from '#core/path-ownership.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { BaseRow } from '#core/ports/sync-store.ts'
import {
  conflictCopyPath,
  fileNameOf,
  isConflictCopy,
  isTaskPlace,
  parseVaultPath,
  placeOf,
  taskPath,
  type VaultPath,
  withoutConflictMark,
} from '#core/vault-path.ts'
import type { MergePlan } from '../merge/plan-merge.ts'
import type { SyncDeps } from '../sync-deps.ts'
import { isFresh, rememberable, type Scanned } from './work-view.ts'

interface Held {
  readonly path: VaultPath
  readonly oid: Oid
  readonly identity: FileIdentity | null
}

/** A key whose work-tree files differ from what they are to become. */
interface Task {
  readonly from: readonly Held[]
  readonly to: readonly { readonly path: VaultPath; readonly oid: Oid }[]
}

/** What apply has made of each path; null: removed. */
type Made = Map<VaultPath, Scanned | null>

/**
 * Makes the work tree what was merged, each file only if it is still what was scanned: anything written meanwhile is
 * left for the next cycle. The plan is remembered first, so that a crash in the middle is recognised at the next
 * start. Returns how many files were changed.
 */
export async function applyTree(plan: Pick<MergePlan, 'tree' | 'merged' | 'ours'>, deps: SyncDeps): Promise<number> {
  const tasks = tasksOf(plan).filter((task) => mayApply(task, deps))
  if (tasks.length === 0) return 0
  deps.store.update({ applying: tasks.flatMap(targetsOf) })
  await deps.at('applying')
  const made: Made = new Map()
  for (const task of tasks) await applyTask(task, made, deps)
  await deps.at('written')
  deps.store.update({ base: rowsOf(made, deps), applying: [] })
  for (const [path, found] of made) deps.scanner.view.note(path, found)
  await deps.at('applied')
  return made.size
}

function rowsOf(made: Made, { clock }: SyncDeps): [VaultPath, BaseRow | null][] {
  return [...made].map(([path, found]) => [
    path,
    found && { oid: found.oid, identity: rememberable(found.identity, clock) },
  ])
}

/**
 * After a crash within `applyTree`: what the work tree has become of what it was to become counts as synchronised, so
 * that the hub's own bytes are not taken for somebody's edit.
 */
export async function settleApplying({ store, scanner, attention }: SyncDeps): Promise<void> {
  const applying = store.applying()
  if (applying.size === 0) return
  await scanner.look(applying.keys())
  const rows = new Map<VaultPath, BaseRow | null>()
  for (const [path, target] of applying) {
    const found = scanner.view.known(path)
    const known = store.baseRow(path)
    if ((found?.oid ?? null) === target) rows.set(path, found ? { oid: found.oid, identity: null } : null)
    // Edited since the crash: on top of the target or of what was there before, nobody can tell. Without a base
    // neither is taken for known, and nothing that the hub has is given up for it.
    else if (found && found.oid !== known?.oid) rows.set(path, null)
    // It was removed, and somebody has put the same bytes back since: a new file, not the one to remove.
    else if (
      target === null &&
      found &&
      found.oid === known?.oid &&
      known.identity &&
      known.identity.ino !== found.identity?.ino
    )
      rows.set(path, null)
  }
  store.update({ base: rows, applying: [] })
  attention.wakePaths(applying.keys())
  for (const path of rows.keys()) scanner.view.note(path, scanner.view.known(path) ?? null)
}

function tasksOf({ tree, merged, ours }: Pick<MergePlan, 'tree' | 'merged' | 'ours'>): Task[] {
  const tasks = new Map<string, { from: Held[]; to: { path: VaultPath; oid: Oid }[] }>()
  const taskOf = (path: VaultPath) => {
    const key = mergeKey(path)
    if (!merged.has(key) && !tree.has(path)) return undefined
    const task = tasks.get(key) ?? { from: [], to: [] }
    tasks.set(key, task)
    return task
  }
  for (const [path, { oid, identity }] of ours) taskOf(path)?.from.push({ path, oid, identity })
  for (const [path, oid] of tree) taskOf(path)?.to.push({ path, oid })
  const isThere = ({ from, to }: Task) =>
    from.length === to.length && to.every((one) => from.some((has) => has.path === one.path && has.oid === one.oid))
  return [...tasks].filter(([key, task]) => isMergedKey(key, task) && !isThere(task)).map(([, task]) => task)

  function isMergedKey(key: string, task: Task): boolean {
    // A conflict copy is new and of no key that was merged.
    return merged.has(key) || (isConflictCopy(key) && task.from.length === 0)
  }
}

/** Never: a file that could not be scanned, a ledger that is being written here, anything into the local Approved/. */
function mayApply({ from, to }: Task, { zone, agent }: SyncDeps): boolean {
  if (from.some((one) => one.identity === null)) return false
  return to.every((one) => {
    const place = placeOf(one.path)
    if (place.kind === 'log' && place.agent === agent) return from.length === 0
    const isSame = from.some((has) => has.path === one.path && has.oid === one.oid)
    return zone !== 'local' || place.kind !== 'approved' || isSame
  })
}

function targetsOf({ from, to }: Task): [VaultPath, Oid | null][] {
  const gone = from.filter((one) => !to.some((other) => other.path === one.path))
  return [
    ...gone.map((one): [VaultPath, null] => [one.path, null]),
    ...to.map((one): [VaultPath, Oid] => [one.path, one.oid]),
  ]
}

async function applyTask({ from, to }: Task, made: Made, deps: SyncDeps): Promise<void> {
  noteReceived({ from, to }, deps)
  const [only, ...more] = from
  const [target] = to
  if (only && target && more.length === 0 && to.length === 1 && only.path !== target.path)
    return moveTask(only, target, made, deps)
  for (const { path, oid } of to) {
    const has = from.find((one) => one.path === path)
    if (has?.oid === oid) continue
    // The new version first: when it cannot be written, the old one stays.
    if (!(await replace(path, oid, has, made, deps))) return
  }
  for (const one of from) if (!to.some((other) => other.path === one.path)) await remove(one, made, deps)
}

/** Before any of it is written: the executor is to look anew at every task that others have put somewhere here. */
function noteReceived({ from, to }: Task, { zone, received }: SyncDeps): void {
  if (zone !== 'local') return
  const arriving = to.filter(({ path, oid }) => !from.some((has) => has.path === path && has.oid === oid))
  // A copy counts for the file it may be renamed over: what it says of having been shown is out of date by then.
  const names = arriving
    .filter(({ path }) => isTaskPlace(placeOf(path)))
    .map(({ path }) => withoutConflictMark(fileNameOf(path)))
  for (const name of new Set(names)) received.note(name)
}

/** New bytes in the old place, then one rename: whoever watches the new place sees a whole file appear. */
async function moveTask(from: Held, to: { path: VaultPath; oid: Oid }, made: Made, deps: SyncDeps) {
  let identity = from.identity
  if (from.oid !== to.oid) {
    const replaced = await replace(from.path, to.oid, from, made, deps)
    identity = replaced?.identity ?? null
    if (!identity) return
    await deps.at('replaced')
  }
  const moved = identity && (await deps.workTree.move(from.path, to.path, identity))
  if (moved?.kind !== 'done') return
  made.set(from.path, null)
  made.set(to.path, scannedAs(to.oid, moved.identity ?? null, deps))
}

async function replace(
  path: VaultPath,
  oid: Oid,
  has: Held | undefined,
  made: Made,
  deps: SyncDeps,
): Promise<{ identity: FileIdentity | null } | undefined> {
  const bytes = await deps.repo.readBlob(oid, maxBytesOf(placeOf(path)))
  if (has) await keep(has, deps)
  const outcome = await deps.workTree.write(path, bytes, has?.identity ?? null)
  if (outcome.kind === 'changed') return undefined
  const identity = outcome.identity ?? null
  made.set(path, scannedAs(oid, identity, deps))
  if (outcome.displaced) await rescue(path, outcome.displaced, deps)
  return { identity }
}

function scannedAs(oid: Oid, identity: FileIdentity | null, { clock }: SyncDeps): Scanned {
  return { oid, identity, isFresh: identity === null || isFresh(identity, clock) }
}

async function remove(has: Held, made: Made, deps: SyncDeps): Promise<void> {
  if (!has.identity) return
  await keep(has, deps)
  const outcome = await deps.workTree.remove(has.path, has.identity)
  if (outcome.kind === 'changed') return
  made.set(has.path, null)
  if (outcome.displaced) await rescue(has.path, outcome.displaced, deps)
}

async function keep(has: Held, { repo, keepInTrash }: SyncDeps): Promise<void> {
  await keepInTrash(has.path, await repo.readBlob(has.oid, maxBytesOf(placeOf(has.path))))
}

/**
 * The losing side of a conflict that may not go to the hub, written beside the file before anything is replaced. No
 * base remembers it: it stays a file of this machine, held back each time somebody looks.
 */
export async function keepCopiesHere({ copiesKeptHere }: MergePlan, { workTree, repo }: SyncDeps): Promise<void> {
  for (const { path, blob } of copiesKeptHere)
    await workTree.write(path, await repo.readBlob(blob as Oid, maxBytesOf(placeOf(path))), null)
}

/** An editor wrote in the instant before its file was replaced: its bytes come back as a conflict copy. */
async function rescue(path: VaultPath, bytes: Uint8Array, { workTree, repo, agent, clock }: SyncDeps): Promise<void> {
  const oid = await repo.writeBlob(bytes)
  const at: Hlc = { ms: clock.now(), counter: 0, agent }
  const place = placeOf(path)
  const home =
    isTaskPlace(place) && !('domain' in place)
      ? taskPath({ kind: 'pending', domain: 'general' }, fileNameOf(path))
      : path
  const verdict = parseVaultPath(conflictCopyPath(home, at.agent, at.ms, oid))
  if (verdict.ok) await workTree.write(verdict.path, bytes, null)
}
