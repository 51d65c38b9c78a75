import type { ConfigOf } from './config.ts'
import type { imapSettings, ownerSettings, sendingSettings, smtpSettings } from './settings.ts'

/** The mailbox that the settings name, as adapters/imap takes it; the password is read again at each login. */
export function imapAccountOf(config: ConfigOf<typeof imapSettings>) {
  return {
    host: config.imapHost,
    port: config.imapPort,
    user: config.imapUser,
    tls: config.imapTls,
    password: async () => config.imapPassword.read(),
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

/** The Gmail account mail is sent through, as adapters/gmail takes it; the token's file is read again each time. */
export function gmailAccountOf(config: ConfigOf<typeof sendingSettings & typeof ownerSettings>) {
  return { address: config.ownerAddress, credentials: async () => config.gmailToken?.read() ?? '' }
}
