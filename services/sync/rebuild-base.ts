import { mergeKey } from '#core/merge.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { BaseRow } from '#core/ports/sync-store.ts'
import { parseVaultPath, type VaultPath } from '#core/vault-path.ts'
import type { SyncDeps } from './sync-deps.ts'
import { stampsOf } from './verify-hub.ts'

/**
 * When the store was lost (or is new): bytes that the hub has or had for a file are no edit of this work tree, however
 * old they are. Everything else is, and will be merged as one. Does nothing once a base is known.
 */
export async function rebuildBase(head: Oid | null, { repo, store, scanner, clock }: SyncDeps): Promise<void> {
  if (head === null || store.fact('based') !== undefined) return
  const found = [...scanner.view.differing()]
  if (found.length === 0 && store.somePaths(1).length === 0) return
  const rows = new Map<VaultPath, BaseRow>()
  let stamps = new Map<string, string>()
  if (store.somePaths(1).length === 0) {
    const held = new Map<string, Set<Oid>>()
    const commits = await repo.commitsBetween(null, head)
    stamps = stampsOf(commits, clock.now())
    for (const { changes } of commits) {
      for (const { path, after } of changes) {
        const verdict = parseVaultPath(path)
        if (!after || !verdict.ok) continue
        const key = mergeKey(verdict.path)
        held.set(key, (held.get(key) ?? new Set()).add(after.oid))
      }
    }
    for (const path of found) {
      const oid = scanner.view.known(path)?.oid
      if (oid && held.get(mergeKey(path))?.has(oid)) rows.set(path, { oid, identity: null })
    }
  }
  store.update({ base: rows, stamps, facts: { based: 'yes' } })
}

/**
 * Before the first look at the hub: a clone that has never fetched is a new one, and holds nothing of what the base
 * names. So the base is forgotten, and built again from the hub's history.
 */
export async function forgetLostClone({ repo, store, attention }: SyncDeps): Promise<void> {
  if (attention.isHubSeen || store.somePaths(1).length === 0 || (await repo.head()) !== null) return
  store.update({ base: allGone({ store }), facts: { based: null } })
}

/** No file is known to be synchronised any more. */
export function allGone({ store }: Pick<SyncDeps, 'store'>): [VaultPath, BaseRow | null][] {
  return store
    .baseFolders()
    .flatMap((folder) => [...store.baseIn(folder).keys()].map((path): [VaultPath, null] => [path, null]))
}
