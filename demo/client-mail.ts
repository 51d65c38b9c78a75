import nodemailer from 'nodemailer'
import { IMAP_TIMINGS, withClient } from '#adapters/imap/connection.ts'
import { parseMail } from '#adapters/mime/parse-mail.ts'
import type { IncomingMail } from '#core/ports/mail.ts'
import type { Endpoint, MailLogin } from './mailbox/mailbox.ts'

/** Where the client of the demonstration has their mail. */
export type ClientMail = { readonly smtp: Endpoint; readonly imap: Endpoint; readonly client: MailLogin }

/** The client writes to the owner. Resolves with the Message-ID once the server has accepted it. */
export async function sendAsClient(
  mail: ClientMail,
  letter: { readonly to: string; readonly subject: string; readonly text: string },
): Promise<string> {
  const transport = nodemailer.createTransport({
    host: mail.smtp.host,
    port: mail.smtp.port,
    secure: false,
    ignoreTLS: true,
    auth: { user: mail.client.address, pass: mail.client.password },
  })
  try {
    const sent = await transport.sendMail({ ...letter, from: { name: 'Clara Client', address: mail.client.address } })
    return sent.messageId
  } finally {
    transport.close()
  }
}

/** Everything in the client's mailbox, oldest first. */
export async function readClientInbox(mail: ClientMail): Promise<IncomingMail[]> {
  const { address, password } = mail.client
  const account = { ...mail.imap, user: address, tls: 'none' as const, password: async () => password }
  return withClient(account, IMAP_TIMINGS, async (client) => {
    const mailbox = await client.mailboxOpen('INBOX', { readOnly: true })
    const letters: IncomingMail[] = []
    if (mailbox.exists === 0) return letters
    for await (const one of client.fetch('1:*', { uid: true, source: true, internalDate: true })) {
      const source = one.source ?? Buffer.alloc(0)
      const receivedAt = new Date(one.internalDate ?? 0).getTime()
      letters.push(await parseMail({ receivedAt, size: source.length, source, declaredAttachments: [] }))
    }
    return letters
  })
}
