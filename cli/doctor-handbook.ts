import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import type { Finding } from '#core/finding.ts'
import { sayProblemIn, sayRuleProblem } from '#core/handbook-lines.ts'
import { MAX_HANDBOOK_BYTES, readHandbookRules } from '#core/handbook-rules.ts'
import { MAX_GOALS_BYTES, readPostCalendar } from '#core/post-calendar.ts'
import { readTriageRules } from '#core/triage-rules.ts'
import { vaultPath } from '#core/vault-path.ts'
import { attempt } from './finding.ts'

/** Whether every line under "Rules" and "Triage" of the handbook is understood. */
export function handbookFinding(vaultRoot: string): Promise<Finding> {
  return attempt('handbook', 'every rule is understood', async () => {
    const vault = await openVault(vaultRoot)
    const text = await vault.read(vaultPath('Company_Handbook.md'), MAX_HANDBOOK_BYTES)
    if (text === undefined) return 'there is none: no rules of yours hold'
    const problems = [...readHandbookRules(text).problems, ...readTriageRules(text).problems]
    if (problems.length > 0) throw new Error(problems.map(sayRuleProblem).join('; '))
    return 'every rule is understood'
  })
}

/** Whether every line under "Posts" of the goals is understood, and how many there are. */
export function goalsFinding(vaultRoot: string): Promise<Finding> {
  return attempt('posts', 'every planned post is understood', async () => {
    const vault = await openVault(vaultRoot)
    const text = (await vault.read(vaultPath('Business_Goals.md'), MAX_GOALS_BYTES)) ?? ''
    const { plans, problems, zone } = readPostCalendar(text)
    if (problems.length > 0) throw new Error(problems.map((one) => sayProblemIn('Business_Goals.md', one)).join('; '))
    return plans.length === 0
      ? 'none are planned'
      : `${plans.length} ${plans.length === 1 ? 'line plans' : 'lines plan'} posts, by the clock of ${zone}`
  })
}
