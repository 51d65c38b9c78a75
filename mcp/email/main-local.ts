import { join } from 'node:path'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { openJournal } from '#adapters/journal/journal.ts'
import { readCountersignKey } from '#adapters/keys/trust-files.ts'
import { composeMail } from '#adapters/mime/compose-mail.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { CountersignError } from '#core/errors.ts'
import { toolsByTable } from '#core/mcp-tools.ts'
import type { JournalPort } from '#core/ports/journal.ts'
import type { MailSender } from '#core/ports/mail.ts'
import { loadConfig } from '#runtime/config.ts'
import { gmailAccountOf, smtpAccountOf } from '#runtime/mail-accounts.ts'
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
  if (config.zone !== 'local')
    throw new CountersignError('ERR_ZONE_FORBIDDEN', `send_email was asked for in the zone ${config.zone}`)
  await readCountersignKey(config.trust, config.agent)
  const sender = await mailSender(config)
  let journal: JournalPort | undefined
  const send = sendEmail({
    // Read for each call: the key may have been replaced since the last one.
    publicKey: () => readCountersignKey(config.trust, config.agent),
    clock: { now: () => Date.now() },
    consume(receipt, now) {
      // Joined anew for each call: the executor may have been restarted since the last one.
      journal?.[Symbol.dispose]()
      journal = openJournal(join(config.state, 'journal.sqlite'), { epoch: 'join' })
      return journal.consume(receipt, now)
    },
    isNewest: () => journal?.isNewest() ?? false,
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
