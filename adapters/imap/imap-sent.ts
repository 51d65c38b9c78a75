import type { ImapFlow } from 'imapflow'
import type { MailAccount, SentMail } from '#core/ports/mail.ts'
import { IMAP_TIMINGS, type ImapTimings, withClient } from './connection.ts'

const SENT_NAMES = /^(?:INBOX[./])?Sent(?: (?:Items|Messages|Mail))?$/i

/** The Sent folder of an IMAP account. Each call is a connection of its own: they are rare, and nothing lingers. */
export function imapSent(account: MailAccount, timings: ImapTimings = IMAP_TIMINGS): SentMail {
  return {
    has: (messageId) =>
      withClient(account, timings, async (client) => {
        const folder = await sentFolder(client)
        if (folder === undefined) return false
        await client.mailboxOpen(folder, { readOnly: true })
        // SEARCH HEADER finds substrings (<a@x> also finds <a@x>.1): the envelopes decide.
        const found = await client.search({ header: { 'message-id': messageId } }, { uid: true })
        if (!found || found.length === 0) return false
        for await (const message of client.fetch(found, { envelope: true }, { uid: true })) {
          if (message.envelope?.messageId?.trim() === messageId) return true
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

async function sentFolder(client: ImapFlow): Promise<string | undefined> {
  const folders = await client.list()
  const byUse = folders.find((folder) => folder.specialUse === '\\Sent')
  return (byUse ?? folders.find((folder) => SENT_NAMES.test(folder.path)))?.path
}
