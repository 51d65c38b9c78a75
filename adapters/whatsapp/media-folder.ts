import { createHash } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { writeWhole } from './write-whole.ts'

/** One file; what is larger stays on the telephone. */
export const MAX_MEDIA_BYTES = 16 * 1024 * 1024
/** All of them; beyond it the oldest go. */
const MAX_ALL_BYTES = 512 * 1024 * 1024
const KEPT_MS = 60 * 86_400_000

/** Files that came with messages, under the digest of their bytes and without an ending: nothing opens them by a click. */
export function mediaFolder(root: string) {
  const folder = join(root, 'media')
  return {
    /** Gives the digest (hex). */
    async keep(bytes: Uint8Array): Promise<string> {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeWhole(join(folder, sha256), bytes)
      return sha256
    },
    /** Removes what is older than 60 days, and the oldest beyond 512 MiB. */
    async tidy(now: number): Promise<void> {
      const names = await readdir(folder).catch(() => [])
      const files = await Promise.all(
        names.map(async (name) => ({ path: join(folder, name), info: await stat(join(folder, name)) })),
      )
      let left = files.reduce((sum, { info }) => sum + info.size, 0)
      for (const { path, info } of files.toSorted((a, b) => a.info.mtimeMs - b.info.mtimeMs)) {
        if (left <= MAX_ALL_BYTES && info.mtimeMs > now - KEPT_MS) break
        await rm(path, { force: true })
        left -= info.size
      }
    },
  }
}
export type MediaFolder = ReturnType<typeof mediaFolder>
