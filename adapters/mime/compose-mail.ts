import { createHash } from 'node:crypto'
import MailComposer from 'nodemailer/lib/mail-composer'
import type { EmailAction } from '#core/email-action.ts'
import { OWN_ID_HEADER } from '#core/mail.ts'
import type { MailFile, OutgoingMail } from '#core/ports/mail.ts'
import { htmlAlternative } from './html-alternative.ts'

export interface Composition {
  /** Shown beside the sender's address; not part of what is countersigned, so it comes from the local configuration. */
  readonly senderName: string
  /** With angle brackets; the same for every attempt at one action, so that it can be looked up in Sent. */
  readonly messageId: string
  readonly sentAt: number
  /** The action's attachments, in its order. */
  readonly files?: readonly MailFile[]
}

/**
 * An action as the bytes of a message: the same input gives the same bytes. The text goes out as it stands, and once more
 * as HTML made of nothing but it. Body lines end as RFC 5322 wants them.
 */
export async function composeMail(action: EmailAction, composition: Composition): Promise<OutgoingMail> {
  const bare = (address: string) => ({ name: '', address })
  const composer = new MailComposer({
    from: { name: composition.senderName, address: action.account },
    to: action.to.map(bare),
    cc: action.cc.map(bare),
    subject: action.subject,
    text: action.body.replace(/\r?\n/g, '\r\n'),
    html: htmlAlternative(action.body),
    attachments: (composition.files ?? []).map(({ name, type, bytes }) => ({
      filename: name,
      contentType: type,
      contentDisposition: 'attachment' as const,
      content: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    })),
    messageId: composition.messageId,
    headers: [{ key: OWN_ID_HEADER, value: composition.messageId }],
    date: new Date(composition.sentAt),
    baseBoundary: createHash('sha256').update(composition.messageId).digest('hex').slice(0, 32),
    xMailer: false,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(action.in_reply_to && { inReplyTo: action.in_reply_to }),
    ...(action.references.length > 0 && { references: action.references }),
  })
  const raw = await composer.compile().build()
  const recipients = [...new Set([...action.to, ...action.cc])]
  return { envelope: { from: action.account, to: recipients }, raw }
}
