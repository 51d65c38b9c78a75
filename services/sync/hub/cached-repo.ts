import { blobIdOf } from '#core/blob-id.ts'
import { CountersignError } from '#core/errors.ts'
import type { Oid, RepoPort } from '#core/ports/repo.ts'

/** Enough for the task files of one cycle; a ledger or an attachment is read again. */
const MAX_CACHED_BYTES = 4 * 1024 * 1024
const MAX_BLOB_BYTES = 256 * 1024

/**
 * The same repository, keeping the blobs that were read of late: they are named by their content and never change, and a
 * cycle asks for the same few several times.
 */
export function cachedRepo(repo: RepoPort): RepoPort {
  const blobs = new Map<Oid, Uint8Array>()
  let cachedBytes = 0

  const keep = (oid: Oid, bytes: Uint8Array) => {
    if (bytes.length > MAX_BLOB_BYTES || blobs.has(oid)) return
    blobs.set(oid, bytes)
    cachedBytes += bytes.length
    for (const [oldest, old] of blobs) {
      if (cachedBytes <= MAX_CACHED_BYTES) return
      blobs.delete(oldest)
      cachedBytes -= old.length
    }
  }
  return {
    ...repo,
    async readBlob(oid, maxBytes) {
      const bytes = blobs.get(oid) ?? (await repo.readBlob(oid, maxBytes))
      if (bytes.length > maxBytes)
        throw new CountersignError('ERR_GIT_FAILED', `reading blob ${oid}: ${bytes.length} bytes, over ${maxBytes}`)
      keep(oid, bytes)
      return bytes
    },
    async writeBlob(bytes) {
      // In the cache means in the repository: written or read there before.
      const known = blobIdOf(bytes)
      if (blobs.has(known)) return known
      const oid = await repo.writeBlob(bytes)
      keep(oid, Uint8Array.from(bytes))
      return oid
    },
  }
}
