import { fileNameOf, foldedPath, isConflictCopy, isTaskPath } from './vault-path.ts'

/**
 * Which names are taken in a tree, as far as it was told of. Two paths share a name when a disk that folds names takes
 * them for one file, or when they are of one task.
 */
export class TakenNames {
  readonly #paths = new Map<string, Set<string>>()

  constructor(paths: Iterable<string>) {
    for (const path of paths) this.#add(path)
  }

  change(changes: readonly { readonly path: string; readonly after?: unknown }[]): void {
    for (const { path } of changes) for (const { key } of namesOf(path)) this.#paths.get(key)?.delete(path)
    for (const { path, after } of changes) if (after !== undefined) this.#add(path)
  }

  /** All paths that share a name with one of these. */
  sharedWith(paths: readonly string[]): string[] {
    return [...new Set(paths.flatMap(namesOf).flatMap(({ key }) => [...(this.#paths.get(key) ?? [])]))]
  }

  /** The rules that a path of the tree breaks because another shares a name with it. */
  brokenBy(path: string): string[] {
    return namesOf(path).flatMap(({ key, rule }) => ((this.#paths.get(key)?.size ?? 0) > 1 ? [rule] : []))
  }

  #add(path: string): void {
    for (const { key } of namesOf(path)) this.#paths.set(key, (this.#paths.get(key) ?? new Set()).add(path))
  }
}

/** A path that a change adds, changes (both there) or removes. */
interface Change {
  readonly path: string
  readonly before?: unknown
  readonly after?: unknown
}

/** The names that changes bring and do not merely move on: only these can repeat one that stands. */
export function arrivals(changes: readonly Change[]): string[] {
  const left = new Set(changes.flatMap(({ path, after }) => (!after && isTaskPath(path) ? [fileNameOf(path)] : [])))
  return changes.flatMap(({ path, before, after }) => (after && !before && !left.has(fileNameOf(path)) ? [path] : []))
}

function namesOf(path: string): { readonly key: string; readonly rule: string }[] {
  const spelling = { key: foldedPath(path), rule: 'name-differs-only-in-case' }
  if (!isTaskPath(path) || isConflictCopy(path)) return [spelling]
  return [spelling, { key: `/${fileNameOf(path)}`, rule: 'task-in-two-places' }]
}
