import { blobIdOf } from '#core/blob-id.ts'
import { CountersignError } from '#core/errors.ts'
import { type FileIdentity, sameIdentity } from '#core/file-identity.ts'
import { mergeKey } from '#core/merge.ts'
import { maxBytesOf } from '#core/path-ownership.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { Oid, RepoPort } from '#core/ports/repo.ts'
import type { SyncStore } from '#core/ports/sync-store.ts'
import type { Oddity, WorkTreePort } from '#core/ports/work-tree.ts'
import { fileNameOf, isTaskPlace, parseVaultPath, placeOf, respelled, type VaultPath } from '#core/vault-path.ts'
import { isFresh, WorkView } from './work-view.ts'

export interface Scan {
  /** Merge keys of which something was found to be different from what was known. */
  readonly keys: ReadonlySet<string>
  /** Everything was looked at, and not only what was marked. */
  readonly isWhole: boolean
  /** False: files were moving or being written while we looked; look again soon. */
  readonly isSettled: boolean
}

export interface Scanner {
  readonly view: WorkView
  /** Something may have changed at this path. */
  mark(path: string): void
  /** Anything may have changed: the next scan looks at everything. */
  markAll(): void
  /** Looks at what was marked. Throws ERR_VAULT_EMPTIED when everything vanished at once. */
  scan(): Promise<Scan>
  /** Looks at these as well, within a round. False: they did not hold still. */
  look(paths: Iterable<VaultPath>): Promise<boolean>
  /** What lies in the vault's folders and is not carried, with the rule. */
  oddities(): Oddity[]
}

export interface ScanDeps {
  readonly workTree: WorkTreePort
  readonly repo: Pick<RepoPort, 'writeBlob'>
  readonly store: SyncStore
  readonly clock: Clock
}

/** With fewer files known, an empty vault may be what the person wants. */
const EMPTIED_AT = 10
/** More marks than this at once: events may have been dropped with them. */
const TOO_MANY_MARKS = 5_000
const MAX_ODDITIES = 200

/**
 * Scans the vault against what it was last synchronised with: what was marked, or everything at the start and whenever
 * asked. Only files whose identity changed are read; their bytes are in the repository when a scan returns.
 */
export function createScanner(deps: ScanDeps): Scanner {
  const view = new WorkView(deps.store, deps.clock)
  const odd = new Map<string, string>()
  let marked = new Set<string>()
  let isAllMarked = true

  const scan = async (): Promise<Scan> => {
    const isWhole = isAllMarked || marked.size > TOO_MANY_MARKS
    const wanted = marked
    marked = new Set()
    isAllMarked = false
    try {
      if (isWhole) await addDifferences(wanted)
      const looked = await lookAtAll(wanted)
      if (looked.gone.size >= EMPTIED_AT || isWhole) await refuseEmptied(deps)
      return { keys: looked.keys, isWhole, isSettled: looked.moving.size === 0 }
    } catch (error) {
      // Nothing that was marked is forgotten with the error.
      for (const path of wanted) marked.add(path)
      isAllMarked ||= isWhole
      throw error
    }
  }

  /** Adds every path at which a whole listing differs from what is known. */
  const addDifferences = async (wanted: Set<string>): Promise<void> => {
    const folders = new Set(deps.store.baseFolders())
    const differing = new Set(view.differing())
    odd.clear()
    for await (const { folder, files, oddities } of deps.workTree.list()) {
      folders.delete(folder)
      for (const { path } of oddities) wanted.add(path)
      const known = view.in(folder)
      for (const [path, identity] of files) {
        const was = known.get(path)
        if (was?.isFresh || !sameIdentity(was?.identity, identity)) wanted.add(path)
        differing.delete(path)
      }
      for (const path of known.keys()) if (!files.has(path)) wanted.add(path)
    }
    for (const folder of folders) for (const path of deps.store.baseIn(folder).keys()) wanted.add(path)
    for (const path of differing) wanted.add(path)
  }

  /**
   * Looks at each path. A task that is gone from one folder is looked for in all the others before that is believed,
   * and so is one that stands twice: looks are not atomic, and a file may move between two of them.
   */
  const lookAtAll = async (wanted: ReadonlySet<string>) => {
    const gone = new Set<VaultPath>()
    const moving = new Set<string>()
    const keys = new Set<string>()
    const look = async (path: string) => {
      const outcome = await lookAt(path)
      const verdict = parseVaultPath(path)
      if (!verdict.ok) return
      if (outcome === 'gone') gone.add(verdict.path)
      if (outcome === 'moving') moving.add(path)
      if (outcome !== 'unchanged') keys.add(mergeKey(verdict.path))
    }
    for (const path of wanted) await look(path)
    const lost = new Set([...gone].filter((path) => isTaskPlace(placeOf(path))).map(fileNameOf))
    const folders = lost.size > 0 ? await deps.workTree.folders() : []
    for (const name of lost) for (const folder of folders) await look(`${folder}/${name}`)
    const twice = [...keys].filter((key) => !key.includes('/') && view.ours([key]).size > 1)
    for (const path of view.ours(twice).keys()) await look(path)
    // What a moving file becomes is told by its next event; without one, by the next look.
    for (const path of moving) marked.add(path)
    for (const path of marked) if (lost.has(fileNameOf(path))) moving.add(path)
    return { gone, moving, keys }
  }

  const lookAt = async (path: string): Promise<'unchanged' | 'changed' | 'gone' | 'moving'> => {
    const sight = await deps.workTree.look(path)
    odd.delete(path)
    if (sight.kind === 'gone') {
      const verdict = parseVaultPath(path)
      if (!verdict.ok || !view.known(verdict.path)) return 'unchanged'
      view.note(verdict.path, null)
      return 'gone'
    }
    if (sight.kind === 'odd') {
      const name = respelled(path)
      const isMended = name && (await deps.workTree.respell(path, name)).kind === 'done'
      return isMended ? lookAt(name) : leave(path, sight.rule)
    }
    const known = view.known(sight.path)
    if (known && !known.isFresh && sameIdentity(known.identity, sight.identity)) return 'unchanged'
    const found = await readFile(deps, sight.path)
    if (found.kind === 'odd') return leave(path, found.rule)
    if (found.kind === 'moving') {
      leave(path)
      return 'moving'
    }
    const { oid, identity } = found
    view.note(sight.path, { oid, identity, isFresh: isFresh(identity, deps.clock) })
    return known?.oid === oid ? 'unchanged' : 'changed'
  }

  /** A file that cannot be carried now counts as unchanged, never as deleted. */
  const leave = (path: string, rule?: string): 'changed' | 'unchanged' => {
    if (rule !== undefined && odd.size < MAX_ODDITIES) odd.set(path.slice(0, 300), rule)
    const verdict = parseVaultPath(path)
    const base = verdict.ok ? deps.store.baseRow(verdict.path) : undefined
    if (!verdict.ok || !base) return 'unchanged'
    view.note(verdict.path, { oid: base.oid, identity: null })
    return 'changed'
  }

  return {
    view,
    mark: (path) => void marked.add(path),
    markAll: () => {
      isAllMarked = true
    },
    scan,
    look: async (paths) => (await lookAtAll(new Set(paths))).moving.size === 0,
    oddities: () => [...odd].map(([path, rule]) => ({ path, rule })),
  }
}

/** None of the files known from before is there: rather a volume that is not mounted than a person's wish. */
async function refuseEmptied({ store, workTree }: ScanDeps): Promise<void> {
  const some = store.somePaths(50)
  if (some.length < EMPTIED_AT) return
  for (const path of some) if ((await workTree.look(path)).kind !== 'gone') return
  for (const folder of store.baseFolders())
    for (const path of store.baseIn(folder).keys()) if ((await workTree.look(path)).kind !== 'gone') return
  throw new CountersignError(
    'ERR_VAULT_EMPTIED',
    'scanning the vault: none of the files known from before is there any more',
  )
}

type ReadFile =
  | { readonly kind: 'read'; readonly oid: Oid; readonly identity: FileIdentity }
  | { readonly kind: 'odd'; readonly rule: string }
  | { readonly kind: 'moving' }

async function readFile({ workTree, repo, store }: ScanDeps, path: VaultPath): Promise<ReadFile> {
  const place = placeOf(path)
  let found: Awaited<ReturnType<WorkTreePort['read']>>
  try {
    found = await workTree.read(path, maxBytesOf(place))
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'ERR_VAULT_UNREADABLE')
      return { kind: 'odd', rule: 'unreadable-or-too-big' }
    throw error
  }
  if (!found) return { kind: 'moving' }
  // A ledger is carried up to its last whole line: the rest is being written.
  const bytes = place.kind === 'log' ? found.bytes.subarray(0, found.bytes.lastIndexOf(10) + 1) : found.bytes
  const oid = blobIdOf(bytes)
  if (store.baseRow(path)?.oid !== oid) await repo.writeBlob(bytes)
  return { kind: 'read', oid, identity: found.identity }
}
