import { mergeKey } from '#core/merge.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { BaseRow } from '#core/ports/sync-store.ts'
import { parseVaultPath, type VaultPath } from '#core/vault-path.ts'
import { missingLifeFacts } from '../hub/signs-of-life.ts'
import { stampsOf } from '../hub/verify-hub.ts'
import type { SyncDeps } from '../sync-deps.ts'

/**
 * When the store was lost (or is new): bytes that the hub has or had for a file are no edit of this work tree, however
 * old they are. Everything else is, and will be merged as one. Does nothing once a base is known.
 */
export async function rebuildBase(head: Oid | null, { repo, store, scanner, clock }: SyncDeps): Promise<void> {
  if (head === null || store.fact('based') !== undefined) return
  const found = [...scanner.view.differing()]
  if (found.length === 0 && store.somePaths(1).length === 0) return
  const commits = await repo.commitsBetween(null, head)
  const held = new Map<string, Set<Oid>>()
  for (const { changes } of commits) {
    for (const { path, after } of changes) {
      const verdict = parseVaultPath(path)
      if (!after || !verdict.ok) continue
      const key = mergeKey(verdict.path)
      held.set(key, (held.get(key) ?? new Set()).add(after.oid))
    }
  }
  const isHubs = (path: VaultPath, oid: Oid | undefined) => oid !== undefined && held.get(mergeKey(path))?.has(oid)
  const base = store.baseFolders().flatMap((folder) => [...store.baseIn(folder)])
  const rows = new Map<VaultPath, BaseRow | null>()
  for (const [path, { oid }] of base) if (!isHubs(path, oid)) rows.set(path, null)
  // A base that is known in part tells a move from an old copy; only without any, bytes that the hub had are no edit.
  for (const path of base.length === 0 ? found : []) {
    const oid = scanner.view.known(path)?.oid
    if (oid && isHubs(path, oid)) rows.set(path, { oid, identity: null })
  }
  const nowMs = clock.now()
  const facts = { ...missingLifeFacts(commits, nowMs, store), based: 'yes' }
  store.update({ base: rows, stamps: stampsOf(commits, nowMs), facts })
}

/**
 * Before the first look at the hub: a clone that has never fetched is a new one, and holds nothing of what the base
 * names. So the base is held against the hub's history again, and what that never had is forgotten.
 */
export async function forgetLostClone(deps: SyncDeps): Promise<void> {
  if (await isLostClone(deps)) deps.store.update({ facts: { based: null } })
}

/** Whether the clone was made anew and has not met the hub yet. */
export async function isLostClone({ repo, store, attention }: SyncDeps): Promise<boolean> {
  return !attention.isHubSeen && store.somePaths(1).length > 0 && (await repo.head()) === null
}

/** No file is known to be synchronised any more. */
export function allGone({ store }: Pick<SyncDeps, 'store'>): [VaultPath, BaseRow | null][] {
  return store
    .baseFolders()
    .flatMap((folder) => [...store.baseIn(folder).keys()].map((path): [VaultPath, null] => [path, null]))
}
