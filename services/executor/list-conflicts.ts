import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isConflictCopy, parseVaultPath } from '#core/vault-path.ts'

const FOLDERS = ['Needs_Action', 'Pending_Approval', 'In_Progress', 'Approved', 'Rejected', 'Done', 'Plans', 'Inbox']

/** Paths of the kept losing sides of conflicts, sorted. */
export async function listConflicts(root: string): Promise<string[]> {
  const found: string[] = []
  for (const folder of FOLDERS) {
    const names = await readdir(join(root, folder), { recursive: true }).catch(() => [])
    const paths = names.map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    found.push(...paths.filter((path) => isConflictCopy(path) && parseVaultPath(path).ok))
  }
  return found.sort()
}
