import { readConflictMark } from '#core/conflict.ts'
import { type ConflictCopy, mergeKey } from '#core/merge.ts'
import { MAX_NOTE_BYTES } from '#core/path-ownership.ts'
import type { Oid } from '#core/ports/repo.ts'
import { fileNameOf, type VaultPath } from '#core/vault-path.ts'
import type { SyncDeps } from '../sync-deps.ts'

/** A version that lost, kept in the clone under a ref of its own. */
interface Lost {
  readonly path: VaultPath
  readonly oid: Oid
  /** Milliseconds since the epoch; absent: until the person has settled the conflict. */
  readonly until?: number
}

/** As long as the trash keeps things. */
const KEPT_MS = 30 * 24 * 60 * 60 * 1000

/**
 * Keeps the losing bytes of each conflict reachable in the clone, whatever happens to the copy elsewhere, until the copy
 * is gone from the hub: then the person has settled it, and the ledger says so.
 */
export async function keepLost(deps: SyncDeps): Promise<void> {
  const { store, clock, ledger } = deps
  const before = lostOf(deps)
  const copies = store.hubConflicts()
  const now = new Map([...before].filter(([, { until }]) => until !== undefined && until > clock.now()))
  for (const path of copies) {
    const oid = store.hubOf([mergeKey(path)]).get(path)?.oid
    const mark = readConflictMark(path)?.text
    if (oid && mark) now.set(mark, { path, oid })
  }
  if (now.size === before.size && [...now.keys()].every((mark) => before.has(mark))) return
  for (const [mark, { path, until }] of before)
    if (!now.has(mark) && until === undefined)
      await ledger.append('conflict.settled', { data: { copy: fileNameOf(path) } })
  await remember(now, deps)
}

/** Bytes that may not even be kept beside their file: the clone and the trash are all that has them. */
export async function keepDropped(dropped: readonly ConflictCopy[], deps: SyncDeps): Promise<void> {
  if (dropped.length === 0) return
  const lost = lostOf(deps)
  for (const { path, blob } of dropped) {
    const mark = readConflictMark(path)?.text
    if (mark) lost.set(mark, { path, oid: blob as Oid, until: deps.clock.now() + KEPT_MS })
  }
  await remember(lost, deps)
}

/** Refs first: a crash in between does it again. What a repaired clone could not get again is let go. */
async function remember(lost: ReadonlyMap<string, Lost>, { repo, store }: SyncDeps): Promise<void> {
  const there = new Map<string, Oid>()
  for (const [mark, { oid }] of lost) {
    const bytes = await repo.readBlob(oid, MAX_NOTE_BYTES).catch(() => undefined)
    if (bytes) there.set(mark, oid)
  }
  await repo.keepBlobs(there)
  store.update({ facts: { lost: JSON.stringify([...lost]) } })
}

function lostOf({ store }: SyncDeps): Map<string, Lost> {
  return new Map(JSON.parse(store.fact('lost') ?? '[]') as [string, Lost][])
}
