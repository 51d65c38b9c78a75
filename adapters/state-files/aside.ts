import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

const KEPT_MS = 30 * 24 * 60 * 60 * 1000

/**
 * A folder of the zone's state for what a repair puts aside, named by the time; made by whoever puts something there. What
 * was put aside more than 30 days ago is thrown away.
 */
export function asideFolder(stateDir: string, nowMs: number): string {
  const root = join(stateDir, 'damaged')
  const names = statSync(root, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(root) : []
  for (const name of names)
    if (nowMs - statSync(join(root, name)).mtimeMs > KEPT_MS) rmSync(join(root, name), { recursive: true, force: true })
  return join(root, new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-'))
}
