import type { SyncStore } from '#core/ports/sync-store.ts'
import { whereToLook } from '#core/taken-names.ts'
import type { VaultPath } from '#core/vault-path.ts'

/** The paths of the hub's verified tree among which are all that share a name with one of these. */
export function standingNames(store: Pick<SyncStore, 'hubOf' | 'hubUnder'>, paths: readonly string[]): VaultPath[] {
  const { folders, tasks } = whereToLook(paths)
  const listed = [...folders].flatMap((folder) => [...store.hubUnder(`${folder}/`).keys()])
  // A task's merge key is its file name.
  return [...store.hubOf(tasks).keys(), ...listed]
}
