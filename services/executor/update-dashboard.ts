import { readCanary } from '#core/canary.ts'
import { renderDashboard } from '#core/dashboard.ts'
import type { DashboardFacts } from '#core/dashboard-facts.ts'
import type { DashboardSources } from '#core/gather-dashboard.ts'
import { fileNameOf, vaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps } from './deps.ts'

const DASHBOARD = vaultPath('Dashboard.md')
const MAX_UPDATE_BYTES = 16 * 1024

/**
 * Rebuilds Dashboard.md, whose only writer this is, from the vault and the journal. Notes in Updates/ are taken over
 * into the journal and removed. Running it again changes nothing, and a file that would not change is not written.
 * Gives the facts it shows.
 */
export async function updateDashboard(
  sources: DashboardSources,
  deps: Pick<ExecutorDeps, 'vault' | 'journal' | 'gather' | 'metrics' | 'clock'>,
): Promise<DashboardFacts> {
  for (const agent of sources.agents) await mergeUpdates(agent, deps)
  const facts = await deps.gather(sources)
  const text = renderDashboard(facts)
  if ((await deps.vault.read(DASHBOARD).catch(() => undefined)) !== text) await deps.vault.replace(DASHBOARD, text)
  return facts
}

/** Journal first, then the file goes: a crash between the two merges the same note again, which changes nothing. */
async function mergeUpdates(
  agent: string,
  deps: Pick<ExecutorDeps, 'vault' | 'journal' | 'metrics' | 'clock'>,
): Promise<void> {
  for (const path of await deps.vault.list(`Updates/${agent}`)) {
    const text = await deps.vault.read(path, MAX_UPDATE_BYTES).catch(() => '(a note that cannot be read)')
    if (text === undefined) continue
    if (readCanary(text)) deps.metrics.since('countersign_canary_age_seconds', deps.clock.now(), {})
    else deps.journal.keepUpdate({ agent, name: fileNameOf(path), text: text.slice(0, 2_000) })
    await deps.vault.remove(path)
  }
}
