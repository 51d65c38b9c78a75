import { fileNameOf, type VaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps } from './deps.ts'
import { type Read, type ReadTask, readTask } from './read-task.ts'

/** What waits for the person is looked at in every pass, and hardly ever changes: each file is read once. */
export interface PendingReader {
  /** As `readTask`, from memory while the file's stamp and its count stand. What goes out is always read anew. */
  read(path: VaultPath, deps: Pick<ExecutorDeps, 'vault' | 'received'>): Promise<ReadTask>
  /** Forgets all others. */
  keepOnly(paths: readonly VaultPath[]): void
}

export function pendingReader(): PendingReader {
  const known = new Map<VaultPath, { readonly stamp: string; readonly read: Read }>()
  return {
    async read(path, deps) {
      // Before the reading: bytes that come between the two are read again next time.
      const stamp = await deps.vault.stamp(path)
      const before = known.get(path)
      if (before && before.stamp === stamp && before.read.received === deps.received.count(fileNameOf(path)))
        return before.read
      known.delete(path)
      const read = await readTask(path, deps)
      if (read.kind === 'read' && stamp !== undefined) known.set(path, { stamp, read })
      return read
    },
    keepOnly(paths) {
      const kept = new Set(paths)
      for (const path of known.keys()) if (!kept.has(path)) known.delete(path)
    },
  }
}
