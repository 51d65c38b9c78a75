import type { ClockBounds } from './ports/heartbeats.ts'

/**
 * What another clock that said `saidMs`, cut to the second, tells of ours: it said so some time between our question and its
 * answer's arrival, and meant a moment of that second.
 */
export function clockBounds(saidMs: number, askedAtMs: number, answeredAtMs: number): ClockBounds {
  return { leastMs: saidMs - answeredAtMs, mostMs: saidMs + 1_000 - askedAtMs }
}
