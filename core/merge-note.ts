import { type Loser, type MergeContext, mergeTask, type TaskMerge, type Version } from './merge-task.ts'

/**
 * Merges one of a person's notes, which is known by its path whatever the case of its letters: as for a task, its
 * spelling is one register and its bytes another. A side may show it in several spellings (two files on a disk that
 * tells them apart); the result has one, and the others' bytes are kept beside it.
 */
export function mergeNote(
  base: readonly Version[],
  ours: readonly Version[],
  theirs: readonly Version[],
  context: MergeContext,
): TaskMerge {
  const isKnownTo = (side: readonly Version[]) => (one: Version) =>
    side.some((known) => known.path === one.path && known.blob === one.blob)
  const hub = spelledAs(base, theirs)
  const own = spelledAs([...(hub ? [hub] : []), ...base], ours)
  // Beside another spelling it was not made from what that one holds.
  const from = ours.length > 1 ? base.filter((one) => one.path === own?.path) : base
  const { winner, losers } = mergeTask(from, own ? [own] : [], hub ? [hub] : [], context)
  const extras: Loser[] = [
    // A spelling that the hub once had and has no more was removed there: nobody's edit.
    ...ours
      .filter((one) => one !== own && (isKnownTo(theirs)(one) || !isKnownTo(base)(one)))
      .map((one) => ({ ...one, side: 'ours' as const })),
    ...theirs.filter((one) => one !== hub).map((one) => ({ ...one, side: 'theirs' as const })),
  ]
  const [first, ...rest] = extras
  if (!winner) return first ? { winner: first, losers: differing(first, rest) } : { winner, losers: [] }
  return { winner, losers: differing(winner, [...losers, ...extras]) }
}

/** The version whose spelling is known already, or the first. */
function spelledAs(known: readonly Version[], versions: readonly Version[]): Version | undefined {
  const same = known.map((one) => versions.find((other) => other.path === one.path)).find((one) => one !== undefined)
  return same ?? versions.toSorted((a, b) => (a.path < b.path ? -1 : 1))[0]
}

/** Each different version once. */
function differing(winner: Version, losers: readonly Loser[]): Loser[] {
  const blobs = new Set([winner.blob])
  return losers.filter((one) => blobs.size !== blobs.add(one.blob).size)
}
