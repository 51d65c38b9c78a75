import { isClaimable } from '#core/claim.ts'
import { oldestWaiting } from '#core/oldest.ts'
import { isConflictCopy, placeOf } from '#core/vault-path.ts'
import { ZONES } from '#core/zone-policy.ts'
import type { Metrics } from '#runtime/metrics.ts'
import type { CycleOutcome } from './cycle-outcome.ts'
import type { SyncDeps } from './sync-deps.ts'
import type { SyncStatus } from './sync-status.ts'

type FlowDeps = Pick<SyncDeps, 'store' | 'zone' | 'notOurs' | 'clock'>
type Flow = (outcome: CycleOutcome, before: SyncStatus, after: SyncStatus) => void

/** A running sync looks at the hub every ten minutes at least: after longer, this machine had slept or been offline. */
const AWAY_MS = 15 * 60_000

/** Tells, from what a round knows anyway, how fast changes cross and what waits to be claimed. */
export function syncFlow(deps: FlowDeps, metrics: Pick<Metrics, 'set' | 'since' | 'observe'>): Flow {
  const oldest = oldestWaiting()
  return (outcome, before, after) => {
    for (const of of ZONES) {
      const heard = after.others.flatMap(({ zone, at }) => (zone === of && at !== null ? [Date.parse(at)] : []))
      if (heard.length > 0)
        metrics.set('countersign_zone_last_heard_timestamp_seconds', Math.max(...heard) / 1000, { of })
    }
    if (outcome.kind !== 'synced') return
    const now = deps.clock.now()
    for (const ms of crossingTimes(before, after, now))
      metrics.observe('countersign_sync_propagation_seconds', ms / 1000, {})
    const open = [...deps.store.hubUnder('Needs_Action/')].filter(
      ([path, { oid }]) => isClaimable(placeOf(path), deps.zone) && !isConflictCopy(path) && !deps.notOurs.has(oid),
    )
    const since = oldest(
      open.map(([path]) => path),
      now,
    )
    metrics.since('countersign_task_oldest_age_seconds', since, { state: 'needs_action' })
  }
}

/** Of each agent with a new commit in this round. */
function crossingTimes(before: SyncStatus, after: SyncStatus, now: number): number[] {
  const reachedAt = before.hubReachedAt === null ? Number.NEGATIVE_INFINITY : Date.parse(before.hubReachedAt)
  if (now - reachedAt > AWAY_MS) return []
  return after.others.flatMap(({ agent, seenAt, claimedAt }) => {
    const known = before.others.find((other) => other.agent === agent)
    const isNews = claimedAt !== null && seenAt !== known?.seenAt
    return isNews ? [now - Date.parse(claimedAt)] : []
  })
}
