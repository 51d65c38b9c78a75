export interface BreakerRules {
  /** So many failures in a row open it. */
  readonly failures: number
  /** Of the first pause; each that follows without a success between is twice as long. */
  readonly pauseMs: number
  readonly longestPauseMs: number
}

export type BreakerState = 'closed' | 'half-open' | 'open'

/** Leaves what failed again and again alone for a while; then one attempt shows whether it is back. */
export interface Breaker {
  /** True: go ahead, and tell how it went. After a pause it is true for one attempt at a time. */
  admit(now: number): boolean
  succeeded(): void
  failed(now: number): void
  /** It is known how long it will not do: at least until then. */
  openUntil(until: number): void
  /** The attempt was given up, and nothing is known. */
  released(): void
  state(now: number): BreakerState
  /** When the pause ends, ms; of use while it is open. */
  readonly until: number
}

export function makeBreaker({ failures, pauseMs, longestPauseMs }: BreakerRules): Breaker {
  let inARow = 0
  let pause = pauseMs
  let until: number | undefined
  let isProbing = false
  const state = (now: number): BreakerState => (until === undefined ? 'closed' : now < until ? 'open' : 'half-open')
  return {
    get until() {
      return until ?? 0
    },
    state,
    admit(now) {
      const found = state(now)
      if (found === 'closed') return true
      if (found === 'open' || isProbing) return false
      isProbing = true
      return true
    },
    succeeded() {
      inARow = 0
      pause = pauseMs
      until = undefined
      isProbing = false
    },
    failed(now) {
      inARow++
      isProbing = false
      // What was under way when it opened says nothing new.
      if (state(now) === 'open' || (inARow < failures && until === undefined)) return
      until = now + pause
      pause = Math.min(pause * 2, longestPauseMs)
    },
    openUntil(end) {
      until = Math.max(until ?? 0, end)
      isProbing = false
    },
    released() {
      isProbing = false
    },
  }
}
