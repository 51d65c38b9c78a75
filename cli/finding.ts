import { CountersignError, messageOf } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'

/** Runs a check; what it throws is what was found. */
export async function attempt(check: string, good: string, act: () => Promise<unknown>): Promise<Finding> {
  try {
    const found = await act()
    return { check, result: 'ok', found: typeof found === 'string' ? found : good }
  } catch (error) {
    const found = messageOf(error)
    return error instanceof CountersignError
      ? // A service tries again by itself; this look is over.
        { check, result: 'failed', found, hint: error.hint.replace(/^Will retry[.;] */, '') }
      : { check, result: 'failed', found }
  }
}
