import { mergeKey } from '#core/merge.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { SyncStore } from '#core/ports/sync-store.ts'
import type { VaultPath } from '#core/vault-path.ts'
import type { PlannedChange } from '../merge/plan-merge.ts'

/** The hub's tree as it will be once the planned changes have landed. */
export interface HubView {
  /** The files whose path begins with this. */
  under(prefix: string): Map<VaultPath, Oid>
  /** The files with this merge key. */
  of(key: string): Map<VaultPath, Oid>
}

export function hubView(store: Pick<SyncStore, 'hubUnder' | 'hubOf'>, changes: readonly PlannedChange[]): HubView {
  const byKey = Map.groupBy(changes, ({ path }) => mergeKey(path))
  const changed = (files: ReadonlyMap<VaultPath, { readonly oid: Oid }>, by: readonly PlannedChange[]) => {
    const found = new Map([...files].map(([path, { oid }]) => [path, oid]))
    for (const { path, oid } of by) {
      if (oid === null) found.delete(path)
      else found.set(path, oid)
    }
    return found
  }
  return {
    under: (prefix) =>
      changed(
        store.hubUnder(prefix),
        changes.filter(({ path }) => path.startsWith(prefix)),
      ),
    of: (key) => changed(store.hubOf([key]), byKey.get(key) ?? []),
  }
}
