import { type Action, parseAction } from '#core/action.ts'
import type { Receipt } from '#core/countersignature.ts'
import { CountersignError } from '#core/errors.ts'
import type { Channel } from '#core/ports/channel.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { Intent } from '#core/ports/journal.ts'
import type { MailSender, OutgoingMail, SentMail } from '#core/ports/mail.ts'
import type { Log } from '#runtime/logger.ts'
import { patientSent } from './patient-sent.ts'
import { watchSender } from './sender-watch.ts'

export interface EmailParts {
  readonly smtp: MailSender
  readonly sentFolder: SentMail
  readonly clock: Clock
  readonly log: Log
  /** The bytes of the message, the same for the same input: what was sent is made again for Sent. */
  compose(action: Action, message: { messageId: string; sentAt: number }): Promise<OutgoingMail>
  sendEmail(action: Action, receipt: Receipt): Promise<unknown>
}

/** Mail: sent by the tool `send_email`, looked up in Sent by its Message-ID, which derives from the task's id. */
export function emailChannel(parts: EmailParts): Channel {
  const { log } = parts
  const sent = patientSent(parts.sentFolder, parts.clock)
  const sender = watchSender(
    () => parts.smtp.verify(),
    parts.clock,
    (state, error) => (state === true ? log.info({}, 'the mail server is back') : log.warn({ err: error }, state)),
  )
  return {
    name: 'email',
    problems: () => [sender.state(), sent.state()].filter((state) => state !== true),
    isReady: () => sender.isReady(),
    keyOf: ({ taskId, generation }, { account }) =>
      `<${taskId}.${generation}@${account.slice(account.lastIndexOf('@') + 1)}>`,
    async lookAtTheWorld({ key, isOld }) {
      // A mailbox that is away delays only those that the journal may have forgotten.
      if (!isOld) return { kind: 'clear' }
      try {
        return (await sent.has(key)) ? ALREADY_SENT : { kind: 'clear' }
      } catch (error) {
        if (!(error instanceof CountersignError && error.retryable)) throw error
        const why = 'This task is older than the journal, so Sent must be looked at first, and cannot be'
        return { kind: 'cannot-tell', say: `${why}: ${error.message}. ${error.hint}` }
      }
    },
    act: (action, receipt) => parts.sendEmail(action, receipt),
    lookUp: async ({ key }) =>
      (await sent.has(key)) ? { kind: 'done', answer: 'found in Sent' } : { kind: 'not-found' },
    /** The copy in Sent, which SMTP does not file. Providers that file it themselves are noticed. */
    async settle({ action, key, intendedAt }: Intent) {
      if (action === undefined || (await sent.has(key))) return
      const mail = await parts.compose(parseAction(action), { messageId: key, sentAt: intendedAt })
      await sent.append(mail.raw, intendedAt)
    },
    sayWhereToLook: ({ key }) =>
      `It is not in Sent (Message-ID ${key}). Ask the recipient, or look at the mail server’s log.`,
  }
}

const ALREADY_SENT = {
  kind: 'stale',
  rule: 'already-sent',
  say: 'A mail for this task stands in Sent already, and nothing is done twice. Make a new task for a new mail.',
} as const
