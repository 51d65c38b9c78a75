import { CountersignError } from '#core/errors.ts'
import type { Clock } from '#core/ports/clock.ts'

const FIRST_RETRY_MS = 2_000
const MAX_RETRY_MS = 60_000

/** Whether the mail server can be reached and lets us in, asked again with back-off while it does not. */
export interface SenderWatch {
  /** True, or what is wrong, in words for the person. */
  state(): true | string
  /** True when a mail may be sent now. While the back-off lasts, the server is left alone. */
  isReady(): Promise<boolean>
}

/** `verify` connects and logs in; it throws ERR_MAIL_AUTH or ERR_MAIL_UNREACHABLE. */
export function watchSender(
  verify: () => Promise<void>,
  clock: Clock,
  onChange: (state: true | string, error?: CountersignError) => void,
): SenderWatch {
  let fault: CountersignError | undefined
  let attempts = 0
  let retryAt = 0
  const state = () => (fault ? `${fault.message}. ${fault.hint}` : true)
  return {
    state,
    async isReady() {
      if (fault && clock.now() < retryAt) return false
      try {
        await verify()
      } catch (error) {
        if (!(error instanceof CountersignError && error.retryable)) throw error
        const isNew = fault?.code !== error.code
        fault = error
        retryAt = clock.now() + Math.min(FIRST_RETRY_MS * 2 ** attempts++, MAX_RETRY_MS)
        if (isNew) onChange(state(), error)
        return false
      }
      const wasFaulty = fault !== undefined
      fault = undefined
      attempts = 0
      if (wasFaulty) onChange(true)
      return true
    },
  }
}
