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
      ? { check, result: 'failed', found, hint: error.hint }
      : { check, result: 'failed', found }
  }
}
