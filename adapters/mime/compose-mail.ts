import { createHash } from 'node:crypto'
import MailComposer from 'nodemailer/lib/mail-composer'
import type { EmailAction } from '#core/email-action.ts'
import type { OutgoingMail } from '#core/ports/mail.ts'

export interface Composition {
  /** Shown beside the sender's address; not part of what is countersigned, so it comes from the local configuration. */
  readonly senderName: string
  /** With angle brackets; the same for every attempt at one action, so that it can be looked up in Sent. */
  readonly messageId: string
  readonly sentAt: number
}

/** An action as the bytes of a message: the same input gives the same bytes. Body lines end as RFC 5322 wants them. */
export async function composeMail(action: EmailAction, composition: Composition): Promise<OutgoingMail> {
  const composer = new MailComposer({
    from: { name: composition.senderName, address: action.account },
    to: action.to,
    cc: action.cc,
    subject: action.subject,
    text: action.body.replace(/\r?\n/g, '\r\n'),
    messageId: composition.messageId,
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
