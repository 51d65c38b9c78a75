import { compareHlc } from './hlc.ts'
import { mergeNote } from './merge-note.ts'
import { isLocalsWord, type Loser, type MergeContext, mergeTask, type Version } from './merge-task.ts'
import {
  conflictCopyPath,
  fileNameOf,
  foldedPath,
  isConflictCopy,
  isTaskPlace,
  type Place,
  parseVaultPath,
  placeOf,
  taskPath,
  type VaultPath,
  vaultPath,
  withoutConflictMark,
} from './vault-path.ts'

/** Path → id of the bytes. */
export type Tree = ReadonlyMap<VaultPath, string>

export interface MergeInput extends MergeContext {
  /** Per path: the version that this work tree's file is known to be synchronised with. */
  readonly base: Tree
  /** The work tree. */
  readonly ours: Tree
  /** The hub's head. */
  readonly theirs: Tree
  /** Keys (`mergeKey`) of which this agent may not write what it has: the hub's version stands there. */
  readonly yielded?: ReadonlySet<string>
}

export interface ConflictCopy {
  readonly path: VaultPath
  readonly blob: string
  /** The file that it lost against. */
  readonly of: VaultPath
}

export interface MergeResult {
  /** What to commit on top of theirs, conflict copies included. The work tree is to become this. */
  readonly tree: Map<VaultPath, string>
  readonly copies: readonly ConflictCopy[]
  /** Yielded keys of which the hub has nothing new, or local its own word: their files in the work tree are left alone. */
  readonly untouched: ReadonlySet<string>
}

/**
 * What is merged as one thing: a task by its file name, wherever it stands; a note by its path, whatever the case of its
 * letters, because on some disks two such names are one file; any other file by its path.
 */
export function mergeKey(path: VaultPath): string {
  const place = placeOf(path)
  if (isTaskPlace(place) && !isConflictCopy(path)) return fileNameOf(path)
  if (!isSpelledFreely(place)) return path
  const name = fileNameOf(path)
  return `${path.slice(0, -name.length)}${foldedPath(name)}`
}

/** Whether a person gives the files here their names. */
function isSpelledFreely(place: Place): boolean {
  return place.kind === 'inbox' || place.kind === 'plans' || place.kind === 'examples'
}

/**
 * Three-way merge of whole files with the base known per path. Invariants: every version that a side wrote is in the
 * result, in its place or as a conflict copy; a task stands in one place; merging the result again changes nothing.
 * Exceptions: a ledger has one writer and an attachment never changes, so of those only one version can be right.
 */
export function mergeVault(input: MergeInput): MergeResult {
  const base = byKey(input.base)
  const ours = byKey(input.ours)
  const theirs = byKey(input.theirs)
  const tree = new Map<VaultPath, string>()
  const copies: ConflictCopy[] = []
  const untouched = new Set<string>()
  for (const key of [...new Set([...base.keys(), ...ours.keys(), ...theirs.keys()])].sort()) {
    const b = base.get(key) ?? []
    const o = ours.get(key) ?? []
    const t = theirs.get(key) ?? []
    const place = placeOf((o[0] ?? t[0] ?? b[0])!.path)
    const isTask = isTaskPlace(place) && !key.includes('/')
    if (input.yielded?.has(key)) {
      for (const one of t) tree.set(one.path, one.blob)
      if (o.length > 0 && (sameVersions(b, t) || (isTask && isLocalsWord(b, o, input)))) untouched.add(key)
      else copies.push(...copiesOf(t[0]?.path ?? o[0]?.path, yieldedLosers(b, o, t), input))
      continue
    }
    const { winner, losers } = isTask
      ? mergeTask(b, o, t, input)
      : isSpelledFreely(place)
        ? mergeNote(b, o, t, input)
        : mergeFile(b[0], o[0], t[0], input)
    if (winner) tree.set(winner.path, winner.blob)
    copies.push(...copiesOf(winner?.path, losers, input))
  }
  // What stands under the name already is this copy, or what the person has made of it since.
  for (const copy of copies) if (!tree.has(copy.path)) tree.set(copy.path, copy.blob)
  return { tree, copies, untouched }
}

function byKey(tree: Tree): Map<string, Version[]> {
  const keys = new Map<string, Version[]>()
  for (const [path, blob] of tree) {
    const key = mergeKey(path)
    keys.set(key, [...(keys.get(key) ?? []), { path, blob }])
  }
  return keys
}

function sameVersions(a: readonly Version[], b: readonly Version[]): boolean {
  return (
    a.length === b.length && a.every((one) => b.some((other) => other.path === one.path && other.blob === one.blob))
  )
}

function yieldedLosers(b: readonly Version[], o: readonly Version[], t: readonly Version[]): Loser[] {
  const known = new Set([...b, ...t].map((one) => one.blob))
  return o.filter((one) => !known.has(one.blob)).map((one) => ({ ...one, side: 'ours' }))
}

/** A file of a fixed name: one side changed → that one; both → the later, the other kept. */
function mergeFile(
  base: Version | undefined,
  ours: Version | undefined,
  theirs: Version | undefined,
  context: MergeContext,
): { winner: Version | undefined; losers: readonly Loser[] } {
  const place = placeOf((ours ?? theirs ?? base)!.path)
  if (place.kind === 'log') return { winner: place.agent === context.agent ? (ours ?? theirs) : theirs, losers: [] }
  if (ours?.blob === theirs?.blob) return { winner: ours, losers: [] }
  if (ours?.blob === base?.blob) return { winner: theirs, losers: [] }
  if (theirs?.blob === base?.blob) return { winner: ours, losers: [] }
  if (!ours || !theirs) return { winner: ours ?? theirs, losers: [] }
  if (place.kind === 'attachment') return { winner: theirs, losers: [] }
  // Dashboard.md is made by local from the vault: a version that lost says nothing.
  if (place.kind === 'note' && place.name === 'Dashboard.md')
    return { winner: context.zone === 'local' ? ours : theirs, losers: [] }
  return compareHlc(context.oursAt(ours.path), context.theirsAt(theirs.path)) > 0
    ? { winner: ours, losers: [{ ...theirs, side: 'theirs' }] }
    : { winner: theirs, losers: [{ ...ours, side: 'ours' }] }
}

function copiesOf(winner: VaultPath | undefined, losers: readonly Loser[], context: MergeContext): ConflictCopy[] {
  if (!winner) return []
  return losers.map((loser) => ({ path: copyPath(winner, loser, context), blob: loser.blob, of: winner }))
}

/**
 * Beside the file, or where the person looks when the file is past deciding: never in Approved/, Rejected/, Done/ or
 * somebody's In_Progress/. The time is that of the loser's writing, so that a repeated merge names it the same.
 */
function copyPath(winner: VaultPath, loser: Loser, context: MergeContext): VaultPath {
  const at = loser.side === 'ours' ? context.oursAt(loser.path) : context.theirsAt(loser.path)
  const agent = loser.side === 'ours' ? context.agent : at.agent
  const copy = conflictCopyPath(copyHome(winner, loser, context), agent, at.ms, loser.blob)
  if (parseVaultPath(copy).ok) return copy
  // A note at the root or an update has one possible name: its copy goes where any name may stand.
  return vaultPath(conflictCopyPath(`Plans/${fileNameOf(winner)}` as VaultPath, agent, at.ms, loser.blob))
}

function copyHome(winner: VaultPath, loser: Loser, context: MergeContext): VaultPath {
  const plain = withoutConflictMark(winner)
  const place = placeOf(winner)
  if (!isTaskPlace(place) || place.kind === 'pending' || place.kind === 'needs-action') return plain
  return taskPath({ kind: 'pending', domain: context.domainOf(loser.blob) }, fileNameOf(plain))
}
