import { readFiles } from '#core/attachment.ts'
import type { EmailAction } from '#core/email-action.ts'
import type { MailFile, OutgoingMail } from '#core/ports/mail.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import type { SendEmailDeps } from './tools/send-email.ts'

type Compose = (
  action: EmailAction,
  message: { senderName: string; messageId: string; sentAt: number; files: readonly MailFile[] },
) => Promise<OutgoingMail>

/** Composes mails with their files, which are read from the vault and must be those that were approved. */
export function composeWithFiles(
  compose: Compose,
  vault: Pick<VaultPort, 'readBytes'>,
  senderName: string,
): SendEmailDeps['compose'] {
  return async (action, message) => {
    const files = await readFiles(action.attachments ?? [], (path, maxBytes) => vault.readBytes(path, maxBytes))
    return compose(action, { senderName, ...message, files })
  }
}
