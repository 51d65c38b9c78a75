import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { VaultCounts } from '#core/status.ts'
import { DOMAINS, isConflictCopy, parseVaultPath } from '#core/vault-path.ts'

/**
 * Counts the tasks of each state by file name alone: what is not a task file of the contract is not counted. `month`
 * is `YYYY-MM`. Missing folders count as empty.
 */
export async function countVault(root: string, month: string): Promise<VaultCounts> {
  let conflicts = 0
  const count = async (folder: string): Promise<number> => {
    let tasks = 0
    for (const entry of await entriesOf(join(root, folder))) {
      if (!entry.isFile() || !parseVaultPath(`${folder}/${entry.name}`).ok) continue
      if (isConflictCopy(entry.name)) conflicts += 1
      else tasks += 1
    }
    return tasks
  }
  const sum = async (folders: readonly string[]) => {
    let total = 0
    for (const folder of folders) total += await count(folder)
    return total
  }
  const in_progress: Record<string, number> = {}
  for (const agent of await entriesOf(join(root, 'In_Progress'))) {
    if (agent.isDirectory()) in_progress[agent.name] = await count(`In_Progress/${agent.name}`)
  }
  for (const notes of ['Plans', 'Examples', 'Inbox']) await count(notes)
  const counts = {
    needs_action: await sum(DOMAINS.map((domain) => `Needs_Action/${domain}`)),
    in_progress,
    pending: await sum(DOMAINS.map((domain) => `Pending_Approval/${domain}`)),
    approved: await count('Approved'),
    rejected: await count('Rejected'),
    done: await count(`Done/${month}`),
    halted: (await entriesOf(root)).some((entry) => entry.name === 'HALT.md'),
  }
  return { ...counts, conflicts }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => [])
}
