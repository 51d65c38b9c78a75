import { formatHlc, parseHlc, tickHlc } from '#core/hlc.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { PlannedCommit } from '../claims/claim-commits.ts'
import type { ClaimPlan } from '../claims/claim-tasks.ts'
import type { SyncDeps } from '../sync-deps.ts'
import type { MergePlan } from './plan-merge.ts'

/**
 * One commit for what changed here, one for what is given back and one for the claims; pushed together, after what is
 * still owed to the hub.
 */
export async function commitPlan(
  owed: readonly PlannedCommit[],
  plan: MergePlan,
  claims: ClaimPlan,
  head: Oid | null,
  deps: SyncDeps,
): Promise<{ readonly commit: Oid; readonly hlc: string }> {
  const { repo, store, agent, clock, nonce, courtesy } = deps
  // As near to the time of writing as causality allows: a file edited offline is as old as its edit.
  const written = plan.changes.flatMap(({ path }) => {
    const { identity } = plan.ours.get(path) ?? {}
    return identity ? [Number(BigInt(identity.mtimeNs) / 1_000_000n)] : []
  })
  const physicalMs = Math.min(clock.now(), written.length > 0 ? Math.max(...written) : clock.now())
  const merge: PlannedCommit = {
    message: `Sync ${plan.changes.length} ${plan.changes.length === 1 ? 'path' : 'paths'} from ${agent}`,
    trailers: {},
    changes: plan.changes,
  }
  let hlc = parseHlc(store.fact('hlc') ?? '')
  let parent = head
  for (const { message, trailers, changes } of [...owed, merge, ...claims.commits]) {
    if (changes.length === 0) continue
    hlc = tickHlc(hlc, changes === plan.changes ? physicalMs : clock.now(), agent)
    const took = courtesy.took()
    const more = { Nonce: nonce(), HLC: formatHlc(hlc), ...(took !== undefined && { Took: `${took}` }) }
    parent = await repo.commitTree({ parent, changes, message, trailers: { ...trailers, ...more } })
  }
  return { commit: parent as Oid, hlc: hlc ? formatHlc(hlc) : '' }
}
