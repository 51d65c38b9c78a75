import { maxBytesOf } from './path-ownership.ts'
import { fileNameOf, foldedPath, isConflictCopy, isTaskPlace, parseVaultPath } from './vault-path.ts'

/** One file of a whole tree. */
export interface TreeEntry {
  readonly path: string
  readonly mode: string
  readonly size: number
}

export interface TreeFault {
  readonly path: string
  readonly rule: string
}

/**
 * What of a whole tree no sequence of allowed commits leads to: strange names and modes, a task in two places, two names
 * that some disk takes for one, a folder of an agent that nobody knows. The gate judges commits; this is the sum of them.
 */
export function checkTree(entries: Iterable<TreeEntry>, agents: ReadonlySet<string>): TreeFault[] {
  const faults: TreeFault[] = []
  const folded = new Map<string, string>()
  const tasks = new Map<string, string>()
  for (const { path, mode, size } of entries) {
    const verdict = parseVaultPath(path)
    if (!verdict.ok) {
      faults.push({ path, rule: verdict.rule })
      continue
    }
    const { place } = verdict
    if (mode !== '100644') faults.push({ path, rule: 'mode' })
    if (size > maxBytesOf(place)) faults.push({ path, rule: 'size' })
    if ((place.kind === 'in-progress' || place.kind === 'updates') && !agents.has(place.agent))
      faults.push({ path, rule: 'agent-unknown' })
    if (folded.has(foldedPath(path))) faults.push({ path, rule: 'name-differs-only-in-case' })
    folded.set(foldedPath(path), path)
    if (!isTaskPlace(place) || isConflictCopy(path)) continue
    if (tasks.has(fileNameOf(path))) faults.push({ path, rule: 'task-in-two-places' })
    tasks.set(fileNameOf(path), path)
  }
  return faults
}
