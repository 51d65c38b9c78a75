import type { Hlc } from './hlc.ts'
import { compareHlc } from './hlc.ts'
import { type Domain, fileNameOf, placeOf, type TaskPlace, taskPath, type VaultPath } from './vault-path.ts'
import type { Zone } from './zone-policy.ts'

/** One version of a file: where it stands and the id of its bytes. */
export interface Version {
  readonly path: VaultPath
  readonly blob: string
}

/** Who merges, and what can be asked about the two sides. All functions are pure look-ups. */
export interface MergeContext {
  readonly agent: string
  readonly zone: Zone
  /** When this work tree's version was written. */
  readonly oursAt: (path: VaultPath) => Hlc
  /** When the hub's version was written, and by which agent. */
  readonly theirsAt: (path: VaultPath) => Hlc
  /** Whether in Pending_Approval a blob is the person's: a card that local has put before them, or a file that nobody can read as a task. */
  readonly isThePersons: (blob: string) => boolean
  /** The domain of a task file. */
  readonly domainOf: (blob: string) => Domain
  /** The fencing number of a task file; 0 for what is none. */
  readonly generationOf: (blob: string) => number
}

/** A version that did not win and must be kept as a conflict copy. */
export interface Loser extends Version {
  readonly side: 'ours' | 'theirs'
}

export interface TaskMerge {
  /** Undefined: the task is gone. */
  readonly winner: Version | undefined
  readonly losers: readonly Loser[]
}

/**
 * Merges one task, which is known by its file name, as two registers: its place and its bytes. Each side may show it
 * in several places (a copy made by hand, a move applied by halves); the result has one.
 */
export function mergeTask(
  base: readonly Version[],
  ours: readonly Version[],
  theirs: readonly Version[],
  context: MergeContext,
): TaskMerge {
  const [hub, hubExtras] = oneOfTheirs(base, ours, theirs, context)
  const [own, ownExtras] = oneOfOurs(base, ours, hub, context)
  const from = baseOf(base, ours, own, hub)
  const { winner, losers } =
    own && isKeptHere(base, own, hub, context) ? keepOurs(from, own, hub) : mergeVersions(from, own, hub, context)
  const isKnown = (one: Version) => [winner, from, own, hub].some((known) => known?.blob === one.blob)
  const extras: Loser[] = [
    ...ownExtras.filter((one) => !isKnown(one)).map((one) => ({ ...one, side: 'ours' as const })),
    ...hubExtras.filter((one) => !isKnown(one)).map((one) => ({ ...one, side: 'theirs' as const })),
  ]
  // Without a winner there is no file to put a copy beside: the first of the extras is the file.
  if (!winner && extras[0]) return { winner: extras[0], losers: extras.slice(1) }
  return { winner, losers: [...losers, ...extras].filter((one) => one.blob !== winner?.blob) }
}

/**
 * The version that both sides are held against. When the hub's version also stands here, untouched, what stands beside
 * it was made from something else.
 */
function baseOf(
  base: readonly Version[],
  ours: readonly Version[],
  own: Version | undefined,
  hub: Version | undefined,
): Version | undefined {
  const at = (path: VaultPath | undefined) => base.find((one) => one.path === path)
  const isBeside = own?.path !== hub?.path && ours.some((one) => one.path === hub?.path && one.blob === hub?.blob)
  return isBeside ? at(own?.path) : (at(own?.path) ?? at(hub?.path) ?? base[0])
}

/** Whether local stands by what its work tree has of a task, whatever the hub shows: decided here, or on the person's desk. */
export function isLocalsWord(base: readonly Version[], ours: readonly Version[], context: MergeContext): boolean {
  return context.zone === 'local' && ours.some((one) => isDecided(one, context) || isHeld(base, one, context))
}

/**
 * A hub that shows a task twice was made to: the task is what only local can have put there, else what stands where it
 * is known to, else what is furthest along.
 */
function oneOfTheirs(
  base: readonly Version[],
  ours: readonly Version[],
  theirs: readonly Version[],
  context: MergeContext,
): [Version | undefined, readonly Version[]] {
  const isKnown = (one: Version) => [...base, ...ours].some((known) => known.path === one.path)
  const [first, ...rest] = theirs.toSorted(
    (a, b) =>
      Number(isDecided(b, context)) - Number(isDecided(a, context)) ||
      Number(isKnown(b)) - Number(isKnown(a)) ||
      furthestFirst(context)(a, b),
  )
  return [first, rest]
}

/**
 * Of several places in this work tree: a decision newly made here, else the hub's place, else a new one. Bytes that are
 * the base's at their path (clean) are no edit and never kept apart.
 */
function oneOfOurs(
  base: readonly Version[],
  ours: readonly Version[],
  hub: Version | undefined,
  context: MergeContext,
): [Version | undefined, readonly Version[]] {
  if (ours.length < 2) return [ours[0], []]
  const clean = ours.filter((one) => base.some((known) => known.path === one.path && known.blob === one.blob))
  const dirty = ours.filter((one) => !clean.includes(one)).toSorted(furthestFirst(context))
  const main =
    dirty.find((one) => context.zone === 'local' && isDecided(one, context)) ??
    ours.find((one) => one.path === hub?.path) ??
    dirty[0] ??
    ours[0]
  if (!main) return [undefined, []]
  const extras = dirty.filter((one) => one !== main)
  const edit = extras[0]
  // The hub's place untouched, and an edit of just these bytes elsewhere: the edit belongs to the task.
  if (edit && clean.includes(main) && !isDecided(main, context))
    return [{ path: main.path, blob: edit.blob }, extras.slice(1)]
  return [main, extras]
}

function mergeVersions(
  base: Version | undefined,
  ours: Version | undefined,
  theirs: Version | undefined,
  context: MergeContext,
): TaskMerge {
  const path = guardApproved(choosePlace(base, ours, theirs, context), ours, theirs, context)
  if (!path) return { winner: undefined, losers: [] }
  if (!ours || !theirs) return { winner: { path, blob: (ours ?? theirs)?.blob ?? '' }, losers: [] }
  return outcomeOf(path, chooseBytes(path, base, ours, theirs, context), base, ours, theirs)
}

/** One side's bytes at a place; the other's are kept when they are an edit. */
function outcomeOf(
  path: VaultPath,
  side: 'ours' | 'theirs',
  base: Version | undefined,
  ours: Version,
  theirs: Version,
): TaskMerge {
  const [won, lost] = side === 'ours' ? [ours, theirs] : [theirs, ours]
  const isEdit = lost.blob !== won.blob && lost.blob !== base?.blob
  const loser: Loser = { ...lost, side: side === 'ours' ? 'theirs' : 'ours' }
  return { winner: { path, blob: won.blob }, losers: isEdit ? [loser] : [] }
}

/**
 * In the local zone the person's desk gives way to nothing that others wrote, neither in place nor in bytes. A place
 * that only local writes is no other's word: it is our own of before this work tree was restored.
 */
function isKeptHere(
  base: readonly Version[],
  ours: Version,
  theirs: Version | undefined,
  context: MergeContext,
): boolean {
  return context.zone === 'local' && !(theirs && isDecided(theirs, context)) && isHeld(base, ours, context)
}

/** A card, or what was one; in Pending_Approval also what the person or the executor wrote. */
function isHeld(base: readonly Version[], ours: Version, context: MergeContext): boolean {
  if ([...base, ours].some((one) => isOpenCard(one, context))) return true
  const isClean = base.some((one) => one.path === ours.path && one.blob === ours.blob)
  return placeOf(ours.path).kind === 'pending' && !isClean
}

function keepOurs(base: Version | undefined, ours: Version, theirs: Version | undefined): TaskMerge {
  return theirs ? outcomeOf(ours.path, 'ours', base, ours, theirs) : { winner: ours, losers: [] }
}

function choosePlace(
  base: Version | undefined,
  ours: Version | undefined,
  theirs: Version | undefined,
  context: MergeContext,
): VaultPath | undefined {
  // A deletion gives way to an edit or a move of the other side.
  if (!ours || !theirs) {
    const left = ours ?? theirs
    return left && base && left.path === base.path && left.blob === base.blob ? undefined : left?.path
  }
  if (ours.path === theirs.path || theirs.path === base?.path) return ours.path
  if (ours.path === base?.path) return theirs.path
  const isOursFurther = isDecided(ours, context) && progress(ours, context) >= progress(theirs, context)
  return context.zone === 'local' && isOursFurther ? ours.path : theirs.path
}

/** Sync never puts a file into the local zone's Approved/: only the person does. */
function guardApproved(
  path: VaultPath | undefined,
  ours: Version | undefined,
  theirs: Version | undefined,
  context: MergeContext,
): VaultPath | undefined {
  if (!path || context.zone !== 'local' || path === ours?.path || placeOf(path).kind !== 'approved') return path
  const domain = context.domainOf((ours ?? theirs)?.blob ?? '')
  return ours?.path ?? taskPath({ kind: 'pending', domain }, fileNameOf(path))
}

function chooseBytes(
  path: VaultPath,
  base: Version | undefined,
  ours: Version,
  theirs: Version,
  context: MergeContext,
): 'ours' | 'theirs' {
  const { zone } = context
  // What the person decided on stays as it is; the other side's edit is put before the person beside it.
  if (zone === 'local' && path === ours.path && isDecided(ours, context)) return 'ours'
  const holdsTheirs = path === theirs.path && (isDecided(theirs, context) || isOpenCard(theirs, context))
  if (zone === 'cloud' && holdsTheirs) return 'theirs'
  if (ours.blob === base?.blob) return 'theirs'
  if (theirs.blob === base?.blob) return 'ours'
  if (holdsTheirs) return 'theirs'
  // An edit of before a claim does not undo the claim, however late it was written.
  const ahead = context.generationOf(ours.blob) - context.generationOf(theirs.blob)
  if (ahead !== 0) return ahead > 0 ? 'ours' : 'theirs'
  return compareHlc(context.oursAt(ours.path), context.theirsAt(theirs.path)) > 0 ? 'ours' : 'theirs'
}

/** Whether the task is where only the person or local's executor puts it. */
function isDecided(version: Version, { zone, agent }: MergeContext): boolean {
  const place = placeOf(version.path)
  if (place.kind === 'in-progress') return (place.agent === agent) === (zone === 'local')
  return place.kind === 'approved' || place.kind === 'rejected' || place.kind === 'done'
}

function isOpenCard(version: Version, context: MergeContext): boolean {
  return placeOf(version.path).kind === 'pending' && context.isThePersons(version.blob)
}

function furthestFirst(context: MergeContext): (a: Version, b: Version) => number {
  return (a, b) => progress(b, context) - progress(a, context) || (a.path < b.path ? -1 : 1)
}

/** How far along its life a task is at this place. */
function progress(version: Version, context: MergeContext): number {
  const place = placeOf(version.path) as TaskPlace
  if (place.kind === 'in-progress') return isDecided(version, context) ? 4 : 1
  return { 'needs-action': 0, pending: 2, approved: 3, rejected: 3, done: 5 }[place.kind]
}
