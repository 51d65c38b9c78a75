import { mergeKey } from '#core/merge.ts'
import { maxBytesOf } from '#core/path-ownership.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { Claim, HubFile, SyncStore } from '#core/ports/sync-store.ts'
import { scanChanges } from '#core/scan-changes.ts'
import { placeOf, type VaultPath } from '#core/vault-path.ts'
import { type PlannedChange, withBytes } from '../merge/plan-merge.ts'
import type { SyncDeps } from '../sync-deps.ts'
import { claimCommit, type PlannedCommit } from './claim-commits.ts'

/** A claim that was made while the hub was away, of a task that it had never seen. */
interface OfflineClaim {
  readonly open: { readonly path: VaultPath; readonly oid: Oid }
  readonly claimed: { readonly path: VaultPath; readonly oid: Oid }
  readonly taskId: string
}

export interface Replay {
  readonly commits: readonly PlannedCommit[]
  /** As if they had landed. */
  readonly deps: SyncDeps
}

/** The cloud owes the hub every step of a task; local may put its own where it is. */
export function rememberOffline(
  { from, to, was, next }: { from: VaultPath; to: VaultPath; was: Oid; next: Oid },
  { taskId }: Claim,
  deps: Pick<SyncDeps, 'zone' | 'store'>,
): Record<string, string> {
  if (deps.zone !== 'cloud') return {}
  const one: OfflineClaim = { open: { path: from, oid: was }, claimed: { path: to, oid: next }, taskId }
  return { offline_claims: JSON.stringify([...offlineClaims(deps), one]) }
}

/**
 * What was claimed offline, as commits on top of the hub's head: the task as it came, then its claim. What has become
 * of it since is merged on top as usual.
 */
export async function replayOffline(deps: SyncDeps): Promise<Replay> {
  const all = offlineClaims(deps)
  if (all.length === 0) return { commits: [], deps }
  const { store, scanner, agent } = deps
  const isOwed = ({ open }: OfflineClaim) => {
    const key = mergeKey(open.path)
    return store.hubOf([key]).size === 0 && scanner.view.ours([key]).size > 0
  }
  const owed = all.filter(isOwed)
  if (owed.length < all.length) store.update({ facts: { offline_claims: JSON.stringify(owed) } })
  const clean = await Promise.all(owed.map(async (one) => ((await isClean(one, deps)) ? [one] : [])))
  const claims = clean.flat()
  if (claims.length === 0) return { commits: [], deps }
  const taken = claims.flatMap(({ open, claimed }): PlannedChange[] => [{ path: open.path, oid: null }, claimed])
  const sent = claims.map(({ open }) => open)
  const created = {
    message: `Sync ${sent.length} ${sent.length === 1 ? 'path' : 'paths'} from ${agent}`,
    trailers: {},
    changes: sent,
  }
  const taskIds = claims.map((one) => one.taskId)
  const overlaid = await overlay(store, claims, deps)
  return { commits: [created, claimCommit(taskIds, agent, taken)], deps: { ...deps, store: overlaid } }
}

function offlineClaims({ store }: Pick<SyncDeps, 'store'>): OfflineClaim[] {
  return JSON.parse(store.fact('offline_claims') ?? '[]') as OfflineClaim[]
}

/** What may not leave this machine is held back by the merge, as any other file. */
async function isClean({ open }: OfflineClaim, deps: SyncDeps): Promise<boolean> {
  return (await scanChanges(await withBytes([open], new Map(), deps), deps.scan)).length === 0
}

async function overlay(store: SyncStore, claims: readonly OfflineClaim[], { repo }: SyncDeps): Promise<SyncStore> {
  const files = await Promise.all(
    claims.map(async ({ claimed: { path, oid } }): Promise<[VaultPath, HubFile]> => {
      return [path, { oid, size: (await repo.readBlob(oid, maxBytesOf(placeOf(path)))).length }]
    }),
  )
  const added = (has: (path: VaultPath) => boolean) => files.filter(([path]) => has(path))
  const of = (keys: Iterable<string>) => {
    const wanted = new Set(keys)
    return added((path) => wanted.has(mergeKey(path)))
  }
  return {
    ...store,
    hubOf: (keys) => new Map([...store.hubOf(keys), ...of(keys)]),
    hubUnder: (prefix) => new Map([...store.hubUnder(prefix), ...added((path) => path.startsWith(prefix))]),
    baseOf: (keys) =>
      new Map([...store.baseOf(keys), ...of(keys).map(([path, { oid }]) => [path, { oid, identity: null }] as const)]),
  }
}
