import { startDevMailServers } from '../../demo/mailbox/dev-servers.ts'
import { startCountingSmtp } from './counting-smtp.ts'
import type { DoomedChannel } from './doomed-executor.ts'
import { makeDraft } from './executor.ts'

export const mailChannel: DoomedChannel = {
  name: 'mail',
  draft: () => ({ domain: 'email', ...makeDraft() }),
  async openServers() {
    const closing = new AsyncDisposableStack()
    const mailbox = closing.use(await startDevMailServers())
    const { smtp, mails, holdAnswers } = closing.use(await startCountingSmtp())
    return {
      mailbox: { ...mailbox, smtp },
      env: {},
      effects: () => mails.length,
      holdAnswers,
      [Symbol.asyncDispose]: () => closing.disposeAsync(),
    }
  },
}

/** Every way to act there is. */
export const CHANNELS: readonly DoomedChannel[] = [mailChannel]
