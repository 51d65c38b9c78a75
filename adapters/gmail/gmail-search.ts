import type { FoundMail, MailQuery, SearchMail } from '#core/ports/mail.ts'
import { GMAIL_TIMINGS, type GmailAccount, type GmailTimings, gmailReaders } from './gmail-client.ts'
import { gmailFault } from './gmail-faults.ts'
import { headerOf, messageOf, receivedAt } from './gmail-message.ts'

const HEADERS = ['From', 'Subject', 'Message-ID']

/** Looks through a whole Gmail account, spam and bin left out. */
export function gmailSearch(account: GmailAccount, timings: GmailTimings = GMAIL_TIMINGS): SearchMail {
  const readers = gmailReaders(account, timings)
  return async (query) => {
    const gmail = await readers()
    try {
      const { data } = await gmail.users.messages.list(
        { userId: 'me', q: queryOf(query), maxResults: query.limit },
        gmail.options,
      )
      const found: FoundMail[] = []
      for (const { id } of (data.messages ?? []).slice(0, query.limit)) {
        const message = id ? await messageOf(gmail, { id, format: 'metadata', metadataHeaders: HEADERS }) : undefined
        if (!message) continue
        found.push({
          messageId: headerOf(message, 'Message-ID').trim(),
          from: headerOf(message, 'From'),
          subject: headerOf(message, 'Subject'),
          receivedAt: receivedAt(message),
        })
      }
      return found.sort((a, b) => b.receivedAt - a.receivedAt)
    } catch (error) {
      throw gmailFault(error, account)
    }
  }
}

/** Words in quotes, so that none of them is an operator of Gmail's. */
function queryOf({ text, from, subject, since }: MailQuery): string {
  const quoted = (words: string) => `"${words.replace(/["\\]/g, ' ').trim()}"`
  return [
    ...(text ? [quoted(text)] : []),
    ...(from ? [`from:${quoted(from)}`] : []),
    ...(subject ? [`subject:${quoted(subject)}`] : []),
    ...(since ? [`after:${since.replaceAll('-', '/')}`] : []),
  ].join(' ')
}
