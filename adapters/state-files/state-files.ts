import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseStatus, type StatusDocument } from '#core/status.ts'

const TRASH_KEPT_MS = 30 * 24 * 60 * 60 * 1000

/** Writes a document into the zone's state whole: readers see the old one or the new one. Not synced to disk. */
export async function writeStateFile(stateDir: string, name: string, text: string): Promise<void> {
  const temporary = join(stateDir, `.${name}.tmp`)
  await writeFile(temporary, text, { mode: 0o600 })
  await rename(temporary, join(stateDir, name))
}

/** What the zone's health service last wrote; undefined: nothing that is one. */
export async function readStatus(stateDir: string): Promise<StatusDocument | undefined> {
  return parseStatus(await readFile(join(stateDir, 'status.json'), 'utf8').catch(() => ''))
}

/** What sync wrote of itself; empty when there never was a sync on this state. */
export function readSyncReport(stateDir: string): Promise<string> {
  return readFile(join(stateDir, 'sync-status.json'), 'utf8').catch((error: unknown) => {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return isMissing ? '' : 'unreadable'
  })
}

/**
 * A folder for the bytes of vault files that sync replaces or removes, kept for 30 days: `<hash>-<file name>`. The
 * hub's history has them too; this is for a person in a hurry. Opening it throws away what is older. Keeping gives the
 * path of what was kept.
 */
export async function openTrash(
  dir: string,
  nowMs: number,
): Promise<(path: string, bytes: Uint8Array) => Promise<string>> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  for (const name of await readdir(dir)) {
    const found = await stat(join(dir, name)).catch(() => undefined) // Another start swept it.
    if (found && nowMs - found.mtimeMs > TRASH_KEPT_MS) await rm(join(dir, name), { force: true })
  }
  return async (path, bytes) => {
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
    const file = join(dir, `${hash}-${path.slice(path.lastIndexOf('/') + 1)}`)
    try {
      await writeFile(file, bytes, { mode: 0o600, flag: 'wx' })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      const now = new Date()
      await utimes(file, now, now)
    }
    return file
  }
}
