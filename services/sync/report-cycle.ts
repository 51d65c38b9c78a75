import type { TaskJob } from '#core/jobs.ts'
import { isScanRule } from '#core/scan-changes.ts'
import { updateNotePath } from '#core/update-note.ts'
import { fileNameOf } from '#core/vault-path.ts'
import { landedClaims } from './hub/settle-intents.ts'
import type { MergePlan } from './merge/plan-merge.ts'
import type { SyncDeps } from './sync-deps.ts'

/**
 * Tells the ledger, the drafter and whoever asked of claims that have landed and whose files stand in the work tree. A crash in
 * between repeats it: a second ledger line and a second ring do no harm, a missing one would.
 */
export async function announceClaims(deps: SyncDeps): Promise<TaskJob[]> {
  const claims = landedClaims(deps)
  for (const { request, ...job } of claims) {
    await deps.ledger.append('task.claimed', { task: job.taskId, data: { generation: job.generation } })
    if (request !== undefined) await deps.requests.answer(request, { kind: 'landed', generation: job.generation })
    await deps.doorbell.ring('draft', 'draft-reply', job)
  }
  if (claims.length > 0) deps.store.update({ facts: { landed_claims: null } })
  return claims.map(({ taskId, generation }) => ({ taskId, generation }))
}

/** The ledger's lines about what a landed merge kept apart or back; each held-back path once for each rule. */
export async function reportMerge(plan: MergePlan, deps: SyncDeps): Promise<void> {
  for (const copy of plan.copies) {
    await deps.ledger.append('conflict.kept', { data: { copy: copy.path, of: copy.of } })
  }
}

/** Ledger lines for what is newly held back; remembers what was reported, and forgets what is solved. */
export async function reportHeld(held: MergePlan['held'], deps: SyncDeps): Promise<void> {
  const before = new Set(JSON.parse(deps.store.fact('held') ?? '[]') as string[])
  const now = held.map(({ path, rule }) => `${rule} ${path}`)
  for (const [index, line] of now.entries()) {
    const { path = '', rule = '' } = held[index] ?? {}
    if (before.has(line)) continue
    await deps.ledger.append('path.held', { data: { path: fileNameOf(path), rule } })
    if (isScanRule(rule)) await noteHeld(path, rule, deps)
  }
  if (now.length !== before.size || now.some((line) => !before.has(line)))
    deps.store.update({ facts: { held: JSON.stringify(now) } })
}

/** What another zone holds back the person would not see otherwise: the local machine's own stands on its dashboard. */
async function noteHeld(path: string, rule: string, { workTree, zone, agent, clock }: SyncDeps): Promise<void> {
  if (zone === 'local') return
  const text = `A file stays on the ${agent} machine because of a secret in it (${rule}): ${fileNameOf(path)}\n`
  await workTree.write(updateNotePath(agent, clock.now(), `${rule} ${path}`), Buffer.from(text), null)
}
