import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import type { DoneFile } from '#core/receipt-audit.ts'
import { parseTaskFile } from '#core/task-file.ts'
import type { VaultPath } from '#core/vault-path.ts'

/** The executed tasks in Done/, as far as their files can be read, that were done on the day `since` (UTC) or later. */
export async function doneFiles(vaultRoot: string, since = ''): Promise<DoneFile[]> {
  const vault = await openVault(vaultRoot)
  const months = await readdir(join(vaultRoot, 'Done')).catch(() => [])
  const wanted = months.filter((month) => /^\d{4}-\d{2}$/.test(month) && month >= since.slice(0, 7)).sort()
  const paths = await Promise.all(wanted.map((month) => vault.list(`Done/${month}`)))
  const files: DoneFile[] = []
  for (const path of paths.flat()) files.push(...(await executionIn(path, vault, since)))
  return files
}

async function executionIn(path: VaultPath, vault: VaultPort, since: string): Promise<DoneFile[]> {
  const parsed = parseTaskFile((await vault.read(path).catch(() => undefined)) ?? '')
  const outcome = parsed.ok ? parsed.task.front.outcome : undefined
  if (!parsed.ok || outcome?.receipt === undefined || (outcome.at ?? '').slice(0, 10) < since) return []
  return [{ path, task: parsed.task.front.id, digest: outcome.digest, receipt: outcome.receipt }]
}
