import { CountersignError } from '#core/errors.ts'
import type { ConfigOf, SecretFile } from './config.ts'
import type { mailboxSettings, ownerSettings, ProcessConfig, sendingSettings, smtpSettings } from './settings.ts'

/** The mailbox of the settings, and the way out to it. */
export type MailboxConfig = ConfigOf<typeof mailboxSettings> & Partial<Pick<ProcessConfig, 'egress'>>
type OwnerConfig = ConfigOf<typeof ownerSettings>

/** The mailbox that the settings name, as adapters/imap takes it; the password is read again at each login. */
export function imapAccountOf(config: MailboxConfig) {
  return {
    host: config.imapHost ?? '',
    port: config.imapPort,
    user: config.imapUser ?? '',
    tls: config.imapTls,
    via: config.egress,
    password: async () => secretOf('COUNTERSIGN_IMAP_PASSWORD_FILE', config.imapPassword),
    ...(config.imapTlsCa && { caPem: config.imapTlsCa.read() }),
  }
}

/** The account mail is sent through, as adapters/smtp takes it; the password is read again at each login. */
export function smtpAccountOf(config: ConfigOf<typeof smtpSettings>) {
  return {
    host: config.smtpHost ?? '',
    port: config.smtpPort,
    user: config.smtpUser ?? '',
    tls: config.smtpTls,
    password: async () => config.smtpPassword?.read() ?? '',
    ...(config.smtpTlsCa && { caPem: config.smtpTlsCa.read() }),
  }
}

/** The owner's Gmail account as the cloud may use it, as adapters/gmail takes it; the token's file is read again each time. */
export function gmailReadingAccountOf(
  config: Pick<MailboxConfig, 'gmailReadToken' | 'gmailUrl'> & Pick<OwnerConfig, 'ownerAddress'>,
) {
  return {
    address: config.ownerAddress,
    may: 'read' as const,
    credentials: async () => secretOf('COUNTERSIGN_GMAIL_READ_TOKEN_FILE', config.gmailReadToken),
    ...gmailServer(config.gmailUrl),
  }
}

/** The same account as the local zone may use it: it sends, too. */
export function gmailAccountOf(
  config: Pick<MailboxConfig, 'gmailUrl'> &
    Pick<ConfigOf<typeof sendingSettings>, 'gmailToken'> &
    Pick<OwnerConfig, 'ownerAddress'>,
) {
  return {
    address: config.ownerAddress,
    may: 'read-and-send' as const,
    credentials: async () => secretOf('COUNTERSIGN_GMAIL_TOKEN_FILE', config.gmailToken),
    ...gmailServer(config.gmailUrl),
  }
}

/** Where something other than Google answers, as adapters/gmail takes it. */
export function gmailServer(url: string | undefined) {
  if (url === undefined) return {}
  const at = url.replace(/\/$/, '')
  return { endpoints: { api: `${at}/`, token: `${at}/token`, tokenInfo: `${at}/tokeninfo` } }
}

/** Google's Pub/Sub, as adapters/gmail takes it; undefined where it is not used. Throws ERR_CONFIG_INVALID when half of it is set. */
export function gmailPushOf(
  config: Pick<MailboxConfig, 'gmailTopic' | 'gmailSubscription' | 'gmailPushKey' | 'gmailUrl'>,
) {
  const { gmailTopic: topic, gmailSubscription: subscription, gmailPushKey: secret } = config
  if (!topic && !subscription && !secret) return undefined
  if (!topic || !subscription || !secret)
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      'COUNTERSIGN_GMAIL_TOPIC, COUNTERSIGN_GMAIL_SUBSCRIPTION and COUNTERSIGN_GMAIL_PUSH_KEY_FILE: set all of them, or none',
    )
  const endpoint = gmailServer(config.gmailUrl).endpoints?.api
  return { topic, subscription, key: async () => secret.read(), ...(endpoint && { endpoint }) }
}

function secretOf(name: string, secret: SecretFile | undefined): string {
  if (!secret) throw new CountersignError('ERR_CONFIG_INVALID', `${name} is not set`)
  return secret.read()
}
