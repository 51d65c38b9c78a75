import { statfs } from 'node:fs/promises'
import type { DiskSpace } from '#core/status.ts'

/** The disks that the zone writes to. One that cannot be asked is left out: what writes to it says so. */
export async function measureDisks(folders: Readonly<Record<DiskSpace['of'], string>>): Promise<DiskSpace[]> {
  const found = await Promise.all(
    Object.entries(folders).map(async ([of, folder]) => {
      const disk = await statfs(folder).catch(() => undefined)
      if (!disk || disk.blocks === 0) return []
      // Of what is kept for root nothing can be had.
      return [{ of, free: disk.bavail * disk.bsize, size: disk.blocks * disk.bsize } as DiskSpace]
    }),
  )
  return found.flat()
}
