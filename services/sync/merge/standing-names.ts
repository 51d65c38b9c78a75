import { mergeKey } from '#core/merge.ts'
import type { SyncStore } from '#core/ports/sync-store.ts'
import { isConflictCopy, parseVaultPath, type VaultPath } from '#core/vault-path.ts'

/** The paths of the hub's verified tree among which are all that share a name with one of these. */
export function standingNames(store: Pick<SyncStore, 'hubOf' | 'hubUnder'>, paths: readonly string[]): VaultPath[] {
  const known = paths.filter((path): path is VaultPath => parseVaultPath(path).ok)
  const folders = new Set(known.filter(isConflictCopy).map((path) => path.slice(0, path.lastIndexOf('/') + 1)))
  const beside = [...folders].flatMap((folder) => [...store.hubUnder(folder).keys()])
  return [...store.hubOf(known.map(mergeKey)).keys(), ...beside]
}
