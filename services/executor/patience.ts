import { type CountersignError, isAway } from '#core/errors.ts'
import type { Clock } from '#core/ports/clock.ts'

const FIRST_RETRY_MS = 2_000
const MAX_RETRY_MS = 60_000

/** Leaves an unreachable server alone for a while: meanwhile each call fails at once, with the same error. */
export interface Patience {
  /** True, or why the server is left alone, in words for the person. */
  state(): true | string
  call<T>(ask: () => Promise<T>): Promise<T>
}

export function patience(clock: Clock): Patience {
  let fault: CountersignError | undefined
  let attempts = 0
  let retryAt = 0
  return {
    state: () => (fault ? `${fault.message}. ${fault.hint}` : true),
    async call(ask) {
      if (fault && clock.now() < retryAt) throw fault
      try {
        const result = await ask()
        fault = undefined
        attempts = 0
        return result
      } catch (error) {
        if (isAway(error)) {
          fault = error
          retryAt = clock.now() + Math.min(FIRST_RETRY_MS * 2 ** attempts++, MAX_RETRY_MS)
        }
        throw error
      }
    },
  }
}
