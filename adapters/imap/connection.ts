import { rootCertificates } from 'node:tls'
import { ImapFlow, type ImapFlowError } from 'imapflow'
import { CountersignError } from '#core/errors.ts'
import type { MailAccount } from '#core/ports/mail.ts'

/** Milliseconds. A hung server is noticed after at most `lookAgainMs` + `answerMs`. */
export interface ImapTimings {
  readonly connectMs: number
  /** How often a watched mailbox is asked although nothing was pushed: the answer proves that the server lives. */
  readonly lookAgainMs: number
  /** A command without an answer for so long: the connection is given up. Fetching a whole message may take three times as long. */
  readonly answerMs: number
}

export const IMAP_TIMINGS: ImapTimings = { connectMs: 10_000, lookAgainMs: 30_000, answerMs: 45_000 }
/** IDLE starts this soon after the last command (the library's own 15 s would delay every mail by as much). */
const AUTO_IDLE_DELAY_MS = 100
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024

/** A client that is not connected yet; it serves one connection and cannot be used again. */
export async function newClient(account: MailAccount, timings: ImapTimings): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: account.host,
    port: account.port,
    secure: account.tls === 'tls',
    ...(account.tls !== 'tls' && { doSTARTTLS: account.tls === 'starttls' }),
    ...(account.caPem && { tls: { ca: [...rootCertificates, account.caPem] } }),
    ...(account.via && { proxy: `http://${account.via}` }),
    auth: { user: account.user, pass: await account.password() },
    logger: false,
    autoIdleDelay: AUTO_IDLE_DELAY_MS,
    connectionTimeout: timings.connectMs,
    greetingTimeout: timings.connectMs,
    socketTimeout: timings.answerMs,
    maxLiteralSize: MAX_RESPONSE_BYTES,
    maxResponseSize: 2 * MAX_RESPONSE_BYTES,
  })
  // Without a listener a broken connection would end the process; the failing call or `close` tells it as well.
  client.on('error', () => {})
  return client
}

/** Connects, runs `use`, logs out. Throws ERR_MAIL_AUTH or ERR_MAIL_UNREACHABLE. */
export async function withClient<T>(
  account: MailAccount,
  timings: ImapTimings,
  use: (client: ImapFlow) => Promise<T>,
): Promise<T> {
  const client = await newClient(account, timings)
  try {
    return await within(client, 3 * timings.answerMs, async () => {
      await client.connect()
      const result = await use(client)
      await client.logout().catch(() => client.close())
      return result
    })
  } catch (error) {
    client.close()
    throw imapFault(error, account)
  }
}

/**
 * The conversation's result, or a closed connection. The library has timeouts of its own, but a server that hangs just
 * after IDLE was asked for escapes them: every later command would wait for ever.
 */
export async function within<T>(client: ImapFlow, limitMs: number, conversation: () => Promise<T>): Promise<T> {
  const expired = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    expired.reject(new Error(`no answer within ${limitMs} ms`))
    client.close()
  }, limitMs)
  try {
    return await Promise.race([conversation(), expired.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** What went wrong, naming user, host and port. Errors of our own pass unchanged. */
export function imapFault(error: unknown, account: MailAccount): CountersignError {
  if (error instanceof CountersignError) return error
  const fault = error as ImapFlowError
  const where = `${account.user}@${account.host}:${account.port}`
  // The library calls every failed login so; only the server's own NO, and not its UNAVAILABLE, is about the password.
  if (fault.authenticationFailed && fault.responseStatus && fault.serverResponseCode !== 'UNAVAILABLE') {
    return new CountersignError('ERR_MAIL_AUTH', `logging in to IMAP ${where}: ${found(fault)}`, { cause: error })
  }
  return new CountersignError('ERR_MAIL_UNREACHABLE', `reading IMAP ${where} (tls: ${account.tls}): ${found(fault)}`, {
    cause: error,
  })
}

function found(fault: ImapFlowError): string {
  const text = fault.responseText ?? fault.code ?? fault.message ?? 'connection closed'
  return String(text).replace(/\s+/g, ' ').slice(0, 200)
}
