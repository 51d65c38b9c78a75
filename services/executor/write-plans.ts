import type { OpenWork } from '#core/gather-plans.ts'
import { planNotePath, renderPlanNote } from '#core/plan-note.ts'
import type { ExecutorDeps } from './deps.ts'

/**
 * Writes the overview of each plan to Plans/, whose only writer of these notes this is. One that would not change is not
 * written. Gives what the dashboard shows of it.
 */
export async function writePlans(deps: Pick<ExecutorDeps, 'vault' | 'gatherPlans'>): Promise<OpenWork> {
  const work = await deps.gatherPlans()
  for (const plan of work.plans) {
    const path = planNotePath(plan)
    const text = renderPlanNote(plan)
    if ((await deps.vault.read(path).catch(() => undefined)) !== text) await deps.vault.replace(path, text)
  }
  return work
}
