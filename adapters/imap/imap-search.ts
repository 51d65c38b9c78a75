import type { SearchObject } from 'imapflow'
import type { FoundMail, MailAccount, MailQuery, SearchMail } from '#core/ports/mail.ts'
import { IMAP_TIMINGS, type ImapTimings, withClient } from './connection.ts'

/** Looks through one mailbox, opened read-only. */
export function imapSearch(
  account: MailAccount,
  options: { readonly mailbox: string },
  timings: ImapTimings = IMAP_TIMINGS,
): SearchMail {
  return (query) =>
    withClient(account, timings, async (client) => {
      await client.mailboxOpen(options.mailbox, { readOnly: true })
      const uids = (await client.search(criteriaOf(query), { uid: true })) || []
      const newest = uids.toSorted((a, b) => b - a).slice(0, query.limit)
      if (newest.length === 0) return []
      const found: FoundMail[] = []
      for await (const message of client.fetch(newest, { envelope: true, internalDate: true }, { uid: true })) {
        const sender = message.envelope?.from?.[0]
        found.push({
          messageId: message.envelope?.messageId?.trim() ?? '',
          from: sender ? `${sender.name ?? ''} <${sender.address ?? ''}>`.trim() : '',
          subject: message.envelope?.subject ?? '',
          receivedAt: new Date(message.internalDate ?? 0).getTime(),
        })
      }
      return found.sort((a, b) => b.receivedAt - a.receivedAt)
    })
}

function criteriaOf({ text, from, subject, since }: MailQuery): SearchObject {
  const given = { ...(text && { text }), ...(from && { from }), ...(subject && { subject }), ...(since && { since }) }
  return Object.keys(given).length === 0 ? { all: true } : given
}
