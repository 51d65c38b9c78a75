import { blobIdOf } from '#core/blob-id.ts'
import { maxBytesOf } from '#core/path-ownership.ts'
import type { WorkTreePort } from '#core/ports/work-tree.ts'
import { placeOf } from '#core/vault-path.ts'

/** The bytes of those of the wanted blobs that stand in the vault. Reads every file: for a repair. */
export async function findInVault(
  wanted: ReadonlySet<string>,
  workTree: Pick<WorkTreePort, 'list' | 'read'>,
): Promise<Uint8Array[]> {
  const found = new Map<string, Uint8Array>()
  for await (const { files } of workTree.list()) {
    for (const path of files.keys()) {
      // What cannot be read was never carried.
      const file = await workTree.read(path, maxBytesOf(placeOf(path))).catch(() => undefined)
      const oid = file && blobIdOf(file.bytes)
      if (oid && wanted.has(oid)) found.set(oid, file.bytes)
    }
  }
  return [...found.values()]
}
