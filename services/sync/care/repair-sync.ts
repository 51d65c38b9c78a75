import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import type { Oddity, WorkTreePort } from '#core/ports/work-tree.ts'
import type { ReopeningRepo } from '../hub/reopening-repo.ts'
import { verifiedHead } from '../hub/verify-hub.ts'
import type { HubDeps, SyncDeps } from '../sync-deps.ts'
import { repairHub } from './repair-hub.ts'

export interface RepairTools {
  readonly repo: ReopeningRepo
  readonly mendClone: () => Promise<Finding[]>
  readonly inspectShared: () => Finding[]
}

const MAX_NAMED = 3

/** Repairs everything that sync works with, between two rounds of a running service. Line by line what was found and done. */
export async function repairSync(deps: SyncDeps, tools: RepairTools, mayReset: boolean): Promise<Finding[]> {
  const clone = await repairOpenClone(deps, tools)
  return [...clone, ...tools.inspectShared(), await inspectVault(deps.workTree), await repairHub(deps, mayReset)]
}

/** Mends the clone, and forgets whatever was believed because of it: the next round compares everything. */
export async function repairOpenClone(
  deps: SyncDeps,
  { repo, mendClone }: Pick<RepairTools, 'repo' | 'mendClone'>,
): Promise<Finding[]> {
  const findings = await repo.reopen(mendClone)
  deps.scanner.view.forget()
  deps.attention.isHubSeen = false
  await readAnew(deps)
  return findings
}

/** Has the next round read the verified head and the whole vault anew. */
export async function readAnew(deps: Pick<HubDeps, 'store' | 'repo' | 'scanner'>): Promise<void> {
  const verified = await verifiedHead(deps)
  deps.store.update({ facts: { hub_at: null, anchored: null }, ...(verified === null && { wholeHub: [] }) })
  deps.scanner.markAll()
}

/** What lies in the vault's folders and is not carried: nothing to repair, but something to know. */
export async function inspectVault(workTree: Pick<WorkTreePort, 'list'>): Promise<Finding> {
  const check = 'vault'
  try {
    let files = 0
    const oddities: Oddity[] = []
    for await (const listing of workTree.list()) {
      files += listing.files.size
      oddities.push(...listing.oddities)
    }
    const named = oddities.slice(0, MAX_NAMED).map(({ path, rule }) => `${path} (${rule})`)
    const more = oddities.length - named.length
    const odd = oddities.length > 0 ? `; not carried: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}` : ''
    return { check, result: 'ok', found: `${files} files${odd}` }
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error
    return { check, result: 'failed', found: error.message, hint: error.hint }
  }
}
