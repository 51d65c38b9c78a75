import { Readable } from 'node:stream'
import { rootCertificates } from 'node:tls'
import type { NodemailerError } from 'nodemailer'
import SMTPConnection, { type SMTPConnectionSendInfo } from 'nodemailer/lib/smtp-connection'
import { CountersignError } from '#core/errors.ts'
import { isEightBit } from '#core/mail-address.ts'
import type { MailAccount, MailSender, OutgoingMail, SendOutcome } from '#core/ports/mail.ts'

/** Milliseconds. `silenceMs` also bounds the wait for the answer to the message itself. */
export interface SmtpTimings {
  readonly connectMs: number
  readonly silenceMs: number
}

const SMTP_TIMINGS: SmtpTimings = { connectMs: 10_000, silenceMs: 60_000 }

/** Sends through one SMTP server, one connection a message. A server without AUTH is used without logging in only when the user is empty. */
export function smtpSender(account: MailAccount, timings: SmtpTimings = SMTP_TIMINGS): MailSender {
  return {
    async verify() {
      const { connection } = await open(account, timings)
      connection.quit()
    },
    async send(mail) {
      let opened: Opened
      try {
        opened = await open(account, timings)
      } catch (error) {
        const fault = error as CountersignError
        return { kind: 'refused', code: fault.code, response: fault.message, permanent: false }
      }
      try {
        return opened.takesEightBit || !needsEightBit(mail) ? await transmit(opened.connection, mail) : TOO_MANY_LETTERS
      } finally {
        opened.connection.close()
      }
    },
  }
}

interface Opened {
  readonly connection: SMTPConnection
  /** It takes addresses with letters beyond ASCII (SMTPUTF8). */
  readonly takesEightBit: boolean
}

function needsEightBit({ envelope }: OutgoingMail): boolean {
  return [envelope.from, ...envelope.to].some(isEightBit)
}

const TOO_MANY_LETTERS: SendOutcome = {
  kind: 'refused',
  code: 'SMTPUTF8',
  response: 'the mail server takes no address with letters beyond ASCII before the @',
  permanent: true,
}

/** Connected and logged in. Throws ERR_MAIL_AUTH or ERR_MAIL_UNREACHABLE. */
async function open(account: MailAccount, timings: SmtpTimings): Promise<Opened> {
  const connection = new SMTPConnection({
    host: account.host,
    port: account.port,
    secure: account.tls === 'tls',
    requireTLS: account.tls === 'starttls',
    ignoreTLS: account.tls === 'none',
    ...(account.caPem && { tls: { ca: [...rootCertificates, account.caPem] } }),
    connectionTimeout: timings.connectMs,
    greetingTimeout: timings.connectMs,
    dnsTimeout: timings.connectMs,
    socketTimeout: timings.silenceMs,
    socketCloseTimeout: 0,
  })
  const failed = Promise.withResolvers<never>()
  // After the handshake a fault is told to the pending call as well; this promise then has no reader any more.
  failed.promise.catch(() => {})
  connection.on('error', failed.reject)
  try {
    await Promise.race([promised((done) => connection.connect(done)), failed.promise])
    const takesEightBit = /^250[ -]SMTPUTF8\b/im.test(String(connection.lastServerResponse))
    if (account.user !== '') {
      const credentials = { user: account.user, pass: await account.password() }
      await Promise.race([promised((done) => connection.login(credentials, done)), failed.promise])
    }
    return { connection, takesEightBit }
  } catch (error) {
    connection.close()
    throw smtpFault(error, account)
  }
}

/**
 * Hands the message over. What decides between "refused" and "unknown" is whether the server was given any of the
 * message: before that, or with its own word against it, nothing was sent.
 */
async function transmit(connection: SMTPConnection, mail: OutgoingMail): Promise<SendOutcome> {
  let isHandedOver = false
  const content = new Readable({
    read() {
      isHandedOver = true
      this.push(mail.raw)
      this.push(null)
    },
  })
  const outcome = Promise.withResolvers<SendOutcome>()
  const envelope = { from: mail.envelope.from, to: [...mail.envelope.to], size: mail.raw.length }
  connection.send(envelope, content, (error, info) => {
    outcome.resolve(error || !info ? failedOutcome(error, isHandedOver) : acceptedOutcome(info))
  })
  return outcome.promise
}

function acceptedOutcome(info: SMTPConnectionSendInfo): SendOutcome {
  const refusedRecipients = (info.rejectedErrors ?? []).map((error) => ({
    address: String(error.recipient ?? ''),
    response: oneLineOf(error.response ?? error.message),
  }))
  return { kind: 'accepted', response: oneLineOf(info.response ?? ''), refusedRecipients }
}

function failedOutcome(error: NodemailerError | null, isHandedOver: boolean): SendOutcome {
  const response = oneLineOf(error?.response ?? error?.message ?? 'the connection ended')
  const hasAnswer = typeof error?.responseCode === 'number' && error.responseCode >= 400
  if (isHandedOver && !hasAnswer) return { kind: 'unknown', reason: response }
  const permanent = error?.permanent === true || (!isHandedOver && error?.command === 'API')
  return { kind: 'refused', code: String(error?.responseCode || error?.code || 'ECONNECTION'), response, permanent }
}

function smtpFault(error: unknown, account: MailAccount): CountersignError {
  if (error instanceof CountersignError) return error
  const fault = error as NodemailerError
  const where = `${account.user}@${account.host}:${account.port}`
  const found = oneLineOf(fault.response ?? fault.message)
  // 4xx at login: the server is in trouble, the password is not the reason.
  if (fault.code === 'EAUTH' && !(fault.responseCode && fault.responseCode < 500)) {
    return new CountersignError('ERR_MAIL_AUTH', `logging in to SMTP ${where}: ${found}`, { cause: error })
  }
  return new CountersignError('ERR_MAIL_UNREACHABLE', `connecting to SMTP ${where} (tls: ${account.tls}): ${found}`, {
    cause: error,
  })
}

function promised(call: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())))
}

function oneLineOf(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 300)
}
