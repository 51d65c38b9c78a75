import type { Contender, Figures } from './figures.ts'
import type { Lab } from './lab.ts'
import type { Shape } from './populate.ts'
import { spreadOf, whole } from './statistics.ts'
import { load } from './usage.ts'

/** The first sample opens the connection and warms caches up, and does not count. */
export function sampleSync(
  lab: Lab,
  figures: Figures,
  shape: Shape,
  contender: Contender,
  samples: number,
  sample: (mark: string) => number,
): void {
  const took = Array.from({ length: samples + 1 }, (_, index) => sample(`${contender} ${index}`))
  note(lab, figures, { shape, contender, toDiskMs: took.slice(1) })
}

export function note(
  lab: Lab,
  figures: Figures,
  run: { shape: Shape; contender: Contender; toDiskMs: readonly number[]; toHubMs?: readonly number[] },
): void {
  const { median, p95 } = spreadOf(run.toDiskMs)
  lab.say(`  ${run.contender}: median ${whole(median)} ms, p95 ${whole(p95)} ms, load ${load()}`)
  figures.runs.push({ toHubMs: [], ...run, load: load() })
}
