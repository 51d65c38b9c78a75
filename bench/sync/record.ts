import type { Carried } from './carry.ts'
import type { Contender, Figures } from './figures.ts'
import type { Lab } from './lab.ts'
import type { Shape } from './populate.ts'
import { spreadOf, whole } from './statistics.ts'
import { cpuSeconds, load } from './usage.ts'

export interface Sampling {
  readonly shape: Shape
  readonly contender: Contender
  readonly samples: number
  /** Carries one change; `mark` makes its text differ from every other. */
  readonly once: (mark: string) => Carried | Promise<Carried>
  /** Before each change. */
  readonly pause?: () => Promise<void>
}

/** Carries changes one after the other. The first opens the connection and warms caches up, and does not count. */
export async function sample(lab: Lab, figures: Figures, sampling: Sampling): Promise<void> {
  const { shape, contender, samples, once, pause } = sampling
  await once(`${contender}, the first`)
  const cpuBefore = cpuOfAll(lab)
  const carried: Carried[] = []
  for (let change = 1; change <= samples; change++) {
    await pause?.()
    if (lab.signal.aborted) throw lab.signal.reason
    carried.push(await once(`${contender} ${change}`))
  }
  const toDiskMs = carried.map((one) => one.toDiskMs)
  const toHubMs = carried.flatMap((one) => one.toHubMs ?? [])
  const cpuMs = ((cpuOfAll(lab) - cpuBefore) / samples) * 1000
  figures.runs.push({ shape, contender, toDiskMs, toHubMs, cpuMs, load: load() })
  const { median, p95 } = spreadOf(toDiskMs)
  lab.say(
    `  ${contender}: median ${whole(median)} ms, p95 ${whole(p95)} ms, ` +
      `${whole(cpuMs)} ms of processor time a change, load ${load()}`,
  )
}

/** Everything that this run has started, the hub's side included: an open ssh is nobody's child, and known by its key. */
function cpuOfAll({ root }: Lab): number {
  return cpuSeconds([process.pid], [root])
}
