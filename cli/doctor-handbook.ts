import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import type { Finding } from '#core/finding.ts'
import { sayRuleProblem } from '#core/handbook-lines.ts'
import { MAX_HANDBOOK_BYTES, readHandbookRules } from '#core/handbook-rules.ts'
import { vaultPath } from '#core/vault-path.ts'
import { attempt } from './finding.ts'

/** Whether every line under "Rules" of the handbook is understood. */
export function handbookFinding(vaultRoot: string): Promise<Finding> {
  return attempt('handbook', 'every rule is understood', async () => {
    const vault = await openVault(vaultRoot)
    const text = await vault.read(vaultPath('Company_Handbook.md'), MAX_HANDBOOK_BYTES)
    if (text === undefined) return 'there is none: no rules of yours hold'
    const { problems } = readHandbookRules(text)
    if (problems.length > 0) throw new Error(problems.map(sayRuleProblem).join('; '))
    return 'every rule is understood'
  })
}
