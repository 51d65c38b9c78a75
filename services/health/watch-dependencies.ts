import type { Checked } from '#core/dependencies.ts'
import type { Metrics } from '#runtime/metrics.ts'

export interface DependencyDeps {
  readonly memory: { save(checked: readonly Checked[]): Promise<void> }
  readonly metrics: Pick<Metrics, 'set'>
  /** As health knew them when it ended. */
  readonly before: readonly Checked[]
}

/** Keeps what was found of what the zone works with, and tells it as metrics. */
export function dependencyWatch({ memory, metrics, before }: DependencyDeps) {
  let known = before
  return {
    known: (): readonly Checked[] => known,
    async look(checked: readonly Checked[]): Promise<void> {
      for (const { what, of, state, ends, skewMs } of checked) {
        if (what === 'certificate' && ends)
          metrics.set('countersign_certificate_expiry_timestamp_seconds', Date.parse(ends) / 1000, { of })
        else if (what === 'clock' && skewMs !== undefined)
          metrics.set('countersign_clock_skew_seconds', skewMs / 1000, { of })
        else if (what !== 'certificate' && what !== 'clock' && what !== 'token' && state !== 'unknown')
          metrics.set('countersign_dependency_up', state === 'ok' ? 1 : 0, { dependency: what, of })
      }
      const isNews = statesOf(checked) !== statesOf(known)
      known = checked
      if (isNews) await memory.save(checked)
    },
  }
}

function statesOf(checked: readonly Checked[]): string {
  return JSON.stringify(checked.map(({ what, of, state, since }) => [what, of, state, since]))
}
