import { type CountersignError, isAway } from '#core/errors.ts'
import type { Clock } from '#core/ports/clock.ts'
import { patience } from './patience.ts'

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
  const server = patience(clock)
  return {
    state: server.state,
    async isReady() {
      const before = server.state()
      try {
        await server.call(verify)
      } catch (error) {
        if (!isAway(error)) throw error
        if (server.state() !== before) onChange(server.state(), error)
        return false
      }
      if (before !== true) onChange(true)
      return true
    },
  }
}
