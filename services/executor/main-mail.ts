import { join } from 'node:path'
import { imapSource } from '#adapters/imap/imap-source.ts'
import { imapThreads } from '#adapters/imap/imap-thread.ts'
import { connectInProcess } from '#adapters/mcp/in-process-client.ts'
import { composeMail } from '#adapters/mime/compose-mail.ts'
import { readDeliveryReport } from '#adapters/mime/parse-report.ts'
import { openSeenMail } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { mailPlace, placesOf, watchCertificates } from '#adapters/tls/watch-certificates.ts'
import { credentialNotes } from '#core/credential-notes.ts'
import type { Channel } from '#core/ports/channel.ts'
import type { LookAtThread, MailSender, MailSource, SentMail } from '#core/ports/mail.ts'
import { composeWithFiles } from '#mcp/email/compose-with-files.ts'
import { createEmailServer } from '#mcp/email/server.ts'
import { sendEmail } from '#mcp/email/tools/send-email.ts'
import { gmailAccountOf, imapAccountOf, smtpAccountOf } from '#runtime/mail-accounts.ts'
import type { ServiceContext } from '#runtime/service.ts'
import type { ExecutorConfig } from './config.ts'
import type { WiredDeps } from './deps.ts'
import { emailChannel } from './email-channel.ts'
import { watchBounces } from './watch-bounces.ts'
import { actingWith, type ExecutorParts, TOOL_LIMIT_MS } from './wire-executor.ts'

/** Mail as this machine sends it. */
export async function openEmailChannel(
  config: ExecutorConfig,
  parts: ExecutorParts,
  { resources, log, tell }: Pick<ServiceContext, 'resources' | 'log' | 'tell'>,
): Promise<Channel> {
  resources.use(watchCertificates(mailPlaces(config), (of, ends) => tell.ends('certificate', of, ends)))
  const { sender, sentFolder } = await openMail(config)
  const lookAtThread = await openThreads(config, resources)
  const compose = composeWithFiles(composeMail, parts.vault, config.ownerName)
  const server = createEmailServer([sendEmail({ ...actingWith(parts), compose, send: (mail) => sender.send(mail) })])
  const client = resources.use(await connectInProcess(server))
  return emailChannel({
    ...{ sender, sentFolder, log, compose },
    clock: parts.clock,
    lookAtThread,
    sendEmail: (action, receipt) => client.call('send_email', { action, receipt }, TOOL_LIMIT_MS),
  })
}

function mailPlaces(config: ExecutorConfig) {
  return placesOf({
    ...(config.mailProvider === 'smtp' && { sending: mailPlace(smtpAccountOf(config), 'smtp') }),
    ...(config.mailboxProvider === 'imap' && { mailbox: mailPlace(imapAccountOf(config), 'imap') }),
  })
}

/** What mail is sent with and where it is looked up. Only what is used is loaded: Gmail's library takes memory. */
async function openMail(config: ExecutorConfig): Promise<{ sender: MailSender; sentFolder: SentMail }> {
  if (config.mailProvider === 'gmail') {
    const { gmailSender } = await import('#adapters/gmail/sending/gmail-sender.ts')
    const { gmailSent } = await import('#adapters/gmail/sending/gmail-sent.ts')
    const account = gmailAccountOf(config)
    return { sender: gmailSender(account), sentFolder: gmailSent(account) }
  }
  const { smtpSender } = await import('#adapters/smtp/smtp-sender.ts')
  const { imapSent } = await import('#adapters/imap/imap-sent.ts')
  return { sender: smtpSender(smtpAccountOf(config)), sentFolder: imapSent(imapAccountOf(config)) }
}

/** The owner's mailbox, looked at right before a reply. */
async function openThreads(config: ExecutorConfig, resources: AsyncDisposableStack): Promise<LookAtThread> {
  if (config.mailboxProvider === 'gmail') {
    const { gmailThreads } = await import('#adapters/gmail/gmail-thread.ts')
    return gmailThreads(gmailAccountOf(config))
  }
  return resources.use(imapThreads(imapAccountOf(config), { mailbox: config.imapMailbox })).look
}

/** The same mailbox, watched for reports of mail systems. */
async function openReports(config: ExecutorConfig): Promise<{ readonly source: MailSource; readonly mailbox: string }> {
  if (config.mailboxProvider === 'gmail') {
    const { gmailSource } = await import('#adapters/gmail/gmail-source.ts')
    const options = { pollMs: config.gmailPollSeconds * 1000, onlyReports: true }
    return { source: gmailSource(gmailAccountOf(config), options), mailbox: `gmail/${config.ownerAddress}` }
  }
  const source = imapSource(imapAccountOf(config), { mailbox: config.imapMailbox, onlyReports: true })
  return { source, mailbox: `${config.imapUser}@${config.imapHost}/${config.imapMailbox}` }
}

/** Looks out, read-only, for mails of ours that come back. */
export async function watchForBounces(
  config: ExecutorConfig,
  deps: Pick<WiredDeps, 'bounces' | 'clock' | 'log' | 'vault'>,
  wake: () => void,
  { resources, metrics, tell }: Pick<ServiceContext, 'resources' | 'metrics' | 'tell'>,
): Promise<void> {
  const { source, mailbox } = await openReports(config)
  const seen = resources.use(openSeenMail(join(config.state, 'bounces.sqlite')))
  const handlers = watchBounces({
    ...{ bounces: deps.bounces, clock: deps.clock, log: deps.log, wake },
    ...{ seen, mailbox },
    read: readDeliveryReport,
    onCredential: credentialNotes({
      ...{ vault: deps.vault, seen, clock: deps.clock, zone: config.zone, agent: config.agent },
      ...{ name: 'main', address: config.ownerAddress },
      expiresAt: (at) => {
        tell.ends('token', 'mailbox', at)
        metrics.set('countersign_mail_token_expiry_timestamp_seconds', at / 1000, { mailbox: 'main' })
      },
    }),
  })
  resources.use(source.watch(handlers))
  // First of all to end: whoever waits for a report to be told waits no longer.
  resources.defer(() => deps.bounces.close())
}
