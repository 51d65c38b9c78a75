import { CountersignError } from '#core/errors.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { SentMail } from '#core/ports/mail.ts'

const FIRST_RETRY_MS = 2_000
const MAX_RETRY_MS = 60_000

/** `state`: true, or why the server is left alone, in words for the person. */
export interface PatientSent extends SentMail {
  state(): true | string
}

/** Sent mail that leaves an unreachable server alone for a while: meanwhile each call fails at once, with the same error. */
export function patientSent(sent: SentMail, clock: Clock): PatientSent {
  let fault: CountersignError | undefined
  let attempts = 0
  let retryAt = 0
  const guarded = async <T>(call: () => Promise<T>): Promise<T> => {
    if (fault && clock.now() < retryAt) throw fault
    try {
      const result = await call()
      fault = undefined
      attempts = 0
      return result
    } catch (error) {
      if (error instanceof CountersignError) {
        fault = error
        retryAt = clock.now() + Math.min(FIRST_RETRY_MS * 2 ** attempts++, MAX_RETRY_MS)
      }
      throw error
    }
  }
  return {
    has: (messageId) => guarded(() => sent.has(messageId)),
    append: (raw, sentAt) => guarded(() => sent.append(raw, sentAt)),
    state: () => (fault ? `${fault.message}. ${fault.hint}` : true),
  }
}
