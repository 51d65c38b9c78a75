import type { CountersignError } from '#core/errors.ts'
import type { MailSender, SendOutcome } from '#core/ports/mail.ts'
import { GMAIL_TIMINGS, type GmailAccount, type GmailClient, type GmailTimings, gmailClients } from '../gmail-client.ts'
import { answerOf } from '../gmail-faults.ts'

/** The request cannot have left: nobody was there, or it was not who it should have been. */
const NEVER_SENT =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|CERT_|DEPTH_ZERO|UNABLE_TO|SELF_SIGNED|ERR_TLS_CERT)/
/** The same message would be refused again. */
const PERMANENT = [400, 413]
/** The server was not done with the request when it answered. */
const NO_ANSWER = [408, 499]

/**
 * Sends through the Gmail API, which files the copy in Sent by itself, gives the message a Message-ID of its own, and
 * reports a refused recipient by a mail, not in its answer. Recipients are those of the message's headers.
 */
export function gmailSender(account: GmailAccount, timings: GmailTimings = GMAIL_TIMINGS): MailSender {
  const client = gmailClients(account, timings)
  return {
    async verify() {
      await client()
    },
    async send(mail) {
      let ready: GmailClient
      try {
        ready = await client()
      } catch (error) {
        const { code, message } = error as CountersignError
        return { kind: 'refused', code, response: message, permanent: false }
      }
      try {
        const media = { mimeType: 'message/rfc822', body: mail.raw }
        const { data } = await ready.users.messages.send(
          { userId: 'me', media },
          { ...ready.options, timeout: timings.sendMs },
        )
        return { kind: 'accepted', response: `Gmail ${data.id} in thread ${data.threadId}`, refusedRecipients: [] }
      } catch (error) {
        return failedOutcome(error)
      }
    },
  }
}

/** Refused only with the server's own word, or when the request cannot have left; everything else may have been sent. */
function failedOutcome(error: unknown): SendOutcome {
  const { status, code, say } = answerOf(error)
  const response = `${status ?? code} ${say}`.trim()
  if (status !== undefined && status >= 400 && status < 500 && !NO_ANSWER.includes(status))
    return { kind: 'refused', code: String(status), response, permanent: PERMANENT.includes(status) }
  if (status === undefined && NEVER_SENT.test(code)) return { kind: 'refused', code, response, permanent: false }
  return { kind: 'unknown', reason: response }
}
