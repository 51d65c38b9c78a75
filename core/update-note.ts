import { createHash } from 'node:crypto'
import { makeTaskId } from './ids.ts'
import { type VaultPath, vaultPath } from './vault-path.ts'

/**
 * Where an agent's note for the dashboard stands. The name derives from its time (ms) and from what it tells of (`matter`):
 * who dies after writing it writes the same note again.
 */
export function updateNotePath(agent: string, atMs: number, matter: string): VaultPath {
  const seed = createHash('sha256').update(matter).digest()
  return vaultPath(`Updates/${agent}/${makeTaskId(atMs, seed)}.md`)
}
