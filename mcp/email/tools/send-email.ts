import { type EmailAction, readyEmailSchema } from '#core/email-action.ts'
import type { OutgoingMail, SendOutcome } from '#core/ports/mail.ts'
import type { Report } from '#core/report.ts'
import { type ActingDeps, refused, registerActingTool } from '../../shared/acting-tool.ts'
import type { EmailTool } from '../server.ts'

export interface SendEmailDeps extends ActingDeps {
  compose(action: EmailAction, message: { messageId: string; sentAt: number }): Promise<OutgoingMail>
  /** Never throws for what network or server do. */
  send(mail: OutgoingMail): Promise<SendOutcome>
}

/** `send_email`: sends one approved mail. */
export function sendEmail(deps: SendEmailDeps): EmailTool {
  return (server) =>
    registerActingTool(
      server,
      {
        name: 'send_email',
        title: 'Send an approved e-mail',
        description: 'Sends a mail that the person approved in the vault of this machine.',
        schema: readyEmailSchema,
        async prepare(action, { key, intendedAt }) {
          const mail = await deps.compose(action, { messageId: key, sentAt: intendedAt })
          return async () => reportOf(await deps.send(mail), key)
        },
      },
      deps,
    )
}

function reportOf(outcome: SendOutcome, key: string): Report {
  switch (outcome.kind) {
    case 'accepted': {
      const missed = outcome.refusedRecipients.map(({ address, response }) => `not to ${address}: ${response}`)
      return { outcome: 'accepted', key, answer: outcome.response, missed }
    }
    case 'refused':
      return refused(outcome.permanent ? 'ERR_MAIL_REFUSED' : 'ERR_MAIL_UNREACHABLE', outcome.response)
    case 'unknown':
      return { outcome: 'unknown', key, code: 'ERR_OUTCOME_UNKNOWN', reason: outcome.reason }
  }
}
