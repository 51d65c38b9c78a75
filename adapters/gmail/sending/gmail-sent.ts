import { CountersignError } from '#core/errors.ts'
import { OWN_ID_HEADER } from '#core/mail.ts'
import type { SentMail } from '#core/ports/mail.ts'
import { GMAIL_TIMINGS, type GmailAccount, type GmailReader, type GmailTimings, gmailReaders } from '../gmail-client.ts'
import { gmailFault } from '../gmail-faults.ts'

const PAGE = 100
const MAX_LOOKED_AT = 1_000
const AT_ONCE = 10
/** The clocks of this machine and of Google may differ, s. */
const CLOCK_SKEW_S = 600
const ID_HEADERS = ['Message-ID', OWN_ID_HEADER]
const DAY_MS = 86_400_000

/**
 * Sent mail of a Gmail account. Gmail replaces the Message-ID of what it sends and cannot search for our own header, so
 * every message sent since is looked at; usually there is none or one. Nothing is filed: Gmail does that by itself.
 */
export function gmailSent(account: GmailAccount, timings: GmailTimings = GMAIL_TIMINGS): SentMail {
  const client = gmailReaders(account, timings)
  return {
    async has(messageId, since = Date.now() - 30 * DAY_MS) {
      const gmail = await client()
      try {
        return await looksFor(messageId, since, gmail)
      } catch (error) {
        throw gmailFault(error, account)
      }
    },
    async append() {},
  }
}

async function looksFor(messageId: string, since: number, gmail: GmailReader): Promise<boolean> {
  const q = `after:${Math.floor(since / 1000) - CLOCK_SKEW_S}`
  let pageToken: string | undefined
  for (let lookedAt = 0; lookedAt < MAX_LOOKED_AT; lookedAt += PAGE) {
    const { data } = await gmail.users.messages.list(
      {
        userId: 'me',
        labelIds: ['SENT'],
        includeSpamTrash: true,
        q,
        maxResults: PAGE,
        ...(pageToken && { pageToken }),
      },
      gmail.options,
    )
    const ids = (data.messages ?? []).flatMap(({ id }) => (id ? [id] : []))
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const found = await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => isMessage(id, messageId, gmail)))
      if (found.includes(true)) return true
    }
    pageToken = data.nextPageToken ?? undefined
    if (pageToken === undefined) return false
  }
  throw new CountersignError(
    'ERR_MAIL_UNREACHABLE',
    `looking for ${messageId} in Gmail’s Sent: more than ${MAX_LOOKED_AT} mails were sent since; look for it yourself`,
  )
}

async function isMessage(id: string, messageId: string, gmail: GmailReader): Promise<boolean> {
  const { data } = await gmail.users.messages.get(
    { userId: 'me', id, format: 'metadata', metadataHeaders: ID_HEADERS },
    gmail.options,
  )
  const names = ID_HEADERS.map((name) => name.toLowerCase())
  return (data.payload?.headers ?? []).some(
    ({ name, value }) => names.includes(name?.toLowerCase() ?? '') && value?.trim() === messageId,
  )
}
