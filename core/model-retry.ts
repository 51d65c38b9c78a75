import type { LadderLimits } from './model-ladder.ts'
import type { CallOutcome } from './ports/model-call.ts'

/**
 * How long to wait before the same is asked again, ms; undefined: not again. Doubles with each failure, with up to half
 * of it more by chance, so that those that failed together do not come back together. What the provider asks for holds.
 * `random`: at least 0, less than 1.
 */
export function retryWait(
  { fault, retryAfterMs = 0 }: Extract<CallOutcome, { kind: 'failed' }>,
  failures: number,
  limits: Pick<LadderLimits, 'tries' | 'backoffMs' | 'longestWaitMs'>,
  random: number,
): number | undefined {
  if (fault !== 'busy' && fault !== 'down') return undefined
  if (failures >= limits.tries || retryAfterMs > limits.longestWaitMs) return undefined
  const backoff = limits.backoffMs * 2 ** (failures - 1) * (1 + random / 2)
  return Math.max(retryAfterMs, Math.min(backoff, limits.longestWaitMs))
}
