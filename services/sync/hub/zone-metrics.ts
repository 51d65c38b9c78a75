import type { Heartbeat } from '#core/heartbeat.ts'
import type { Metrics } from '#runtime/metrics.ts'

const HEALTH = { ok: 0, degraded: 1, down: 2, unknown: 3 } as const
const OUTCOMES = ['done', 'refused', 'failed', 'unknown', 'cancelled'] as const

/**
 * Tells what the other zones say in their heartbeats as metrics of this one, so that its Grafana shows them. An agent's
 * totals begin anew when its executor does; the first that is heard here is where counting begins.
 */
export function zoneMetrics(metrics: Pick<Metrics, 'set' | 'count'>): (beats: readonly Heartbeat[]) => void {
  const last = new Map<string, NonNullable<Heartbeat['numbers']>['executions']>()
  return (beats) => {
    for (const { agent, zone: of, health, waiting, numbers } of beats) {
      metrics.set('countersign_zone_health', HEALTH[health], { of })
      // A silent health service knows of no task: what it last said is not made 0.
      if (health === 'unknown') continue
      const { needs_action, in_progress, pending, approved, conflicts = 0 } = waiting
      for (const [state, count] of Object.entries({ needs_action, in_progress, pending, approved, conflicts }))
        metrics.set('countersign_zone_tasks', count, { of, state: state as keyof typeof waiting })
      if (!numbers) continue
      metrics.set('countersign_zone_oldest_approved_seconds', numbers.oldest_approved_s, { of })
      const before = last.get(agent) ?? numbers.executions
      last.set(agent, numbers.executions)
      for (const outcome of OUTCOMES) {
        const [was, is] = [before[outcome], numbers.executions[outcome]]
        metrics.count('countersign_zone_executions_total', { of, outcome }, is < was ? is : is - was)
      }
    }
  }
}
