import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Finding } from '#core/finding.ts'
import { attempt } from './finding.ts'

/** What a zone wants for its vault, ledger and journal; what cannot be written down is not executed. Bytes. */
export const ROOM_TO_WORK = 1_000_000_000
/** What `init` itself writes, many times over. Bytes. */
export const ROOM_TO_BEGIN = 20_000_000

/** How much room the disk below a zone home has. */
export async function diskFinding(root: string): Promise<Finding> {
  let hint: string | undefined
  const finding = await attempt('disk', '', async () => {
    const { free, files } = await roomAt(root)
    const found = `${sayBytes(free)} free where ${root} lies`
    if (free >= ROOM_TO_WORK && files > 1_000) return found
    hint = `Make room there, or move the home to another disk. Docker's own leavings: docker system df, docker image prune`
    throw new Error(
      free >= ROOM_TO_WORK ? `no room for more files where ${root} lies` : `only ${found}; a zone wants 1 GB`,
    )
  })
  return hint === undefined ? finding : { ...finding, hint }
}

/** What is left for others than root on the disk that `path` is, or would come to be, on. */
export async function roomAt(path: string): Promise<{ readonly free: number; readonly files: number }> {
  const disk = await statfs(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' && dirname(path) !== path) return undefined
    throw error
  })
  if (!disk) return roomAt(dirname(path))
  // Some file systems count no files.
  return { free: disk.bavail * disk.bsize, files: disk.files === 0 ? Number.POSITIVE_INFINITY : disk.ffree }
}

export function sayBytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.floor(bytes / 1e6)} MB`
}
