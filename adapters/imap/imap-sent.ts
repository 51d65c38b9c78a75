import { OWN_ID_HEADER } from '#core/mail.ts'
import type { MailAccount, SentMail } from '#core/ports/mail.ts'
import { IMAP_TIMINGS, type ImapTimings, withClient } from './connection.ts'
import { ID_QUERY, idsOf } from './message-ids.ts'
import { sentFolder } from './sent-folder.ts'

/** The Sent folder of an IMAP account. Each call is a connection of its own: they are rare, and nothing lingers. */
export function imapSent(account: MailAccount, timings: ImapTimings = IMAP_TIMINGS): SentMail {
  return {
    has: (messageId) =>
      withClient(account, timings, async (client) => {
        const folder = await sentFolder(client)
        if (folder === undefined) return false
        await client.mailboxOpen(folder, { readOnly: true })
        // SEARCH HEADER finds substrings (<a@x> also finds <a@x>.1): the headers themselves decide.
        const headers = ['message-id', OWN_ID_HEADER].map((name) => ({ header: { [name]: messageId } }))
        const found = await client.search({ or: headers }, { uid: true })
        if (!found || found.length === 0) return false
        for await (const message of client.fetch(found, ID_QUERY, { uid: true })) {
          const ids = idsOf(message)
          if (ids.messageId === messageId || ids.ownId === messageId) return true
        }
        return false
      }),
    append: (raw, sentAt) =>
      withClient(account, timings, async (client) => {
        const folder = (await sentFolder(client)) ?? (await client.mailboxCreate('Sent')).path
        await client.append(folder, Buffer.from(raw), ['\\Seen'], new Date(sentAt))
      }),
  }
}
