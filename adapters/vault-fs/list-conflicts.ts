import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isConflictCopy, parseVaultPath, type VaultPath } from '#core/vault-path.ts'

/** Where conflict copies may stand. Not Done/, which grows for ever: a merge never puts one there. */
const FOLDERS = [
  'Needs_Action',
  'Pending_Approval',
  'In_Progress',
  'Approved',
  'Rejected',
  'Plans',
  'Examples',
  'Inbox',
]

/** The kept losing sides of conflicts in the vault at `root`, sorted. */
export async function listConflicts(root: string): Promise<VaultPath[]> {
  const found: VaultPath[] = []
  for (const folder of FOLDERS) {
    const names = await readdir(join(root, folder), { recursive: true }).catch(() => [])
    for (const name of names) {
      const verdict = isConflictCopy(name) ? parseVaultPath(`${folder}/${name.replaceAll('\\', '/')}`) : undefined
      if (verdict?.ok) found.push(verdict.path)
    }
  }
  return found.sort()
}
