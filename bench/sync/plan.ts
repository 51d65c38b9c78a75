/** What a run measures; each can be asked for alone. */
export const PARTS = ['carry', 'plumbing', 'porcelain', 'peer', 'far', 'idle', 'forks', 'burst', 'clone'] as const
export type Part = (typeof PARTS)[number]

export interface Plan {
  readonly files: readonly number[]
  readonly commits: readonly number[]
  /** Changes carried by each contender for each vault; the slow ones get fewer. */
  readonly samples: number
  readonly idleMs: number
  readonly parts: readonly Part[]
  readonly minutes: number
  /** On the clock of `performance.now()`: nothing new is begun after it. */
  readonly deadline: number
}

export const FULL: Plan = {
  files: [1_000, 10_000, 100_000],
  commits: [100, 10_000],
  samples: 30,
  idleMs: 60_000,
  parts: PARTS,
  minutes: 25,
  deadline: 0,
}

export const QUICK: Plan = { ...FULL, files: [1_000, 10_000], commits: [100], samples: 10, idleMs: 15_000, minutes: 8 }

/** Added to every packet in each direction for the far hub. */
export const FAR_DELAY_MS = 25
/** Changes the far hub sees: enough for a 95th percentile. */
export const FAR_SAMPLES = 60
export const BURST_FILES = 500
export const TRACED_CHANGES = 5

export function isLate(plan: Plan): boolean {
  return performance.now() > plan.deadline
}
