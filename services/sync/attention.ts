import { mergeKey } from '#core/merge.ts'
import type { HubFile, SyncStore } from '#core/ports/sync-store.ts'
import type { Oddity } from '#core/ports/work-tree.ts'
import type { VaultPath } from '#core/vault-path.ts'
import type { WorkView } from './work-tree/work-view.ts'

/**
 * Which merge keys the next round has to merge. In memory only: a new process begins by comparing everything. A key
 * leaves when base, work tree and hub agree on it, or when it is held back; it comes again when either side moves.
 */
export class Attention {
  readonly open = new Set<string>()
  /** Held back by a rule, and why. */
  readonly held = new Map<string, Oddity>()
  /** The hub has been fetched since this process began: only then the clone is known to hold what the store says. */
  isHubSeen = false
  /** When the hub last answered this process, ms. */
  hubReachedAt: number | null = null
  /** When the other agents' heartbeats were last read, ms. */
  listenedAt: number | null = null

  wake(keys: Iterable<string>): void {
    for (const key of keys) {
      this.open.add(key)
      this.held.delete(key)
    }
  }

  wakePaths(paths: Iterable<VaultPath>): void {
    for (const path of paths) this.wake([mergeKey(path)])
  }

  /** Lets go of the keys on which all agree. */
  rest(keys: Iterable<string>, store: SyncStore, view: WorkView): void {
    for (const key of keys) if (isEven(key, store, view)) this.open.delete(key)
  }

  /** These are not the hub's at all. */
  leave(keys: Iterable<string>): void {
    for (const key of keys) this.open.delete(key)
  }

  hold(held: readonly Oddity[]): void {
    for (const one of held) {
      const key = mergeKey(one.path as VaultPath)
      this.held.set(key, one)
      this.open.delete(key)
    }
  }
}

function isEven(key: string, store: SyncStore, view: WorkView): boolean {
  const hub = store.hubOf([key])
  return haveSameBytes(store.baseOf([key]), hub) && haveSameBytes(view.ours([key]), hub)
}

function haveSameBytes(
  files: ReadonlyMap<VaultPath, Pick<HubFile, 'oid'>>,
  hub: ReadonlyMap<VaultPath, HubFile>,
): boolean {
  return files.size === hub.size && [...files].every(([path, { oid }]) => hub.get(path)?.oid === oid)
}
