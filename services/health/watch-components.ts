import type { VaultPort } from '#core/ports/vault.ts'
import { oneLine } from '#core/quote.ts'
import { type Judgement, judgeComponent, type Watched, type WatchMemory, WELL } from '#core/restarts.ts'
import type { ServiceStatus } from '#core/status.ts'
import { updateNotePath } from '#core/update-note.ts'
import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'

export interface WatchDeps {
  readonly agent: string
  readonly vault: Pick<VaultPort, 'create'>
  readonly boots: (service: string) => number
  readonly memory: WatchMemory
  readonly log: Pick<Log, 'warn' | 'info'>
  readonly metrics: Pick<Metrics, 'set' | 'observe'>
}

export interface ComponentWatch {
  look(services: readonly ServiceStatus[], nowMs: number): Promise<void>
}

/**
 * Judges each service at each look. Of one that fails again and again the person is told once, by a note in Updates/ (and by
 * Grafana, from the metrics), and once more when it is back. The note first, then the memory: whoever dies in between
 * writes the same note again, whose name derives from what it tells.
 */
export async function watchComponents(deps: WatchDeps): Promise<ComponentWatch> {
  const { metrics, log } = deps
  let known = await deps.memory.load()
  return {
    async look(services, nowMs) {
      const at = new Date(nowMs).toISOString()
      const next: Record<string, Watched> = {}
      for (const service of services) {
        const { name: component, live: isLive, ready: isReady } = service
        const before = known[component] ?? WELL
        const judgement = judgeComponent(before, { boots: deps.boots(component), isLive, isReady, at })
        next[component] = judgement.watched
        metrics.set('countersign_component_failed_restarts', judgement.failedRestarts, { component })
        metrics.set('countersign_component_ready', isReady ? 1 : 0, { component })
        if (judgement.recoveredAfterMs !== undefined)
          metrics.observe('countersign_component_recovery_seconds', judgement.recoveredAfterMs / 1000, {})
        if (judgement.news) await tell(service, before, judgement, at, deps)
      }
      if (JSON.stringify(next) !== JSON.stringify(known)) await deps.memory.save(next)
      known = next
    },
  }

  async function tell(
    { name, detail = '' }: ServiceStatus,
    before: Watched,
    { news, failedRestarts, watched }: Judgement,
    at: string,
    { agent, vault }: WatchDeps,
  ): Promise<void> {
    const since = before.downSince ?? watched.downSince ?? at
    const reason = detail ? ` It says: ${oneLine(detail, 200)}.` : ''
    const say =
      news === 'fails'
        ? `${name} keeps failing: ${failedRestarts} restarts did not help.${reason} It is tried further; \`docker compose logs ${name}\` says more.`
        : `${name} is back and has stayed up.`
    await vault.create(updateNotePath(agent, Date.parse(since), `${agent}/${name}/${news}/${since}`), `${say}\n`)
    if (news === 'fails') log.warn({ name, count: failedRestarts, reason: detail }, 'a service keeps failing')
    else log.info({ name }, 'a service is back')
  }
}
