import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { composeMail } from '#adapters/mime/compose-mail.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { toolsByTable } from '#core/mcp-tools.ts'
import type { MailSender } from '#core/ports/mail.ts'
import { loadConfig } from '#runtime/config.ts'
import { gmailAccountOf, smtpAccountOf } from '#runtime/mail-accounts.ts'
import { actingOutside } from '../shared/main-local.ts'
import { composeWithFiles } from './compose-with-files.ts'
import { type LocalConfig, localSettings } from './config.ts'
import { cloudTools, searchIn } from './main-cloud.ts'
import { createEmailServer, type EmailTool } from './server.ts'
import { sendEmail } from './tools/send-email.ts'

/**
 * Serves all e-mail tools of the local zone on stdin and stdout. `send_email` works under the running executor's epoch
 * and only with a receipt which that executor journaled, so that another client cannot act by itself.
 */
export async function serve(): Promise<void> {
  const tools = await localTools(loadConfig('mcp-email', localSettings))
  serveStdio(() => createEmailServer(tools))
}

export async function localTools(config: LocalConfig): Promise<EmailTool[]> {
  const acting = await actingOutside(config, 'send_email')
  const sender = await mailSender(config)
  const send = sendEmail({
    ...acting,
    compose: composeWithFiles(composeMail, await openVault(config.vault), config.ownerName),
    send: (mail) => sender.send(mail),
  })
  const reading = await cloudTools(config, await searchIn(config, gmailAccountOf(config)))
  return toolsByTable('email', 'local', { ...reading, send_email: send })
}

/** Only what is used is loaded: Gmail's library takes memory. */
async function mailSender(config: LocalConfig): Promise<MailSender> {
  if (config.mailProvider === 'gmail')
    return (await import('#adapters/gmail/sending/gmail-sender.ts')).gmailSender(gmailAccountOf(config))
  return (await import('#adapters/smtp/smtp-sender.ts')).smtpSender(smtpAccountOf(config))
}
