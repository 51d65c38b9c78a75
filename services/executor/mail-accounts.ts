import type { MailAccount } from '#core/ports/mail.ts'
import type { ExecutorConfig } from './config.ts'

/** The account mail is sent through; the password is read again at each login. */
export function smtpAccountOf(config: ExecutorConfig): MailAccount {
  return {
    host: config.smtpHost,
    port: config.smtpPort,
    user: config.smtpUser ?? '',
    tls: config.smtpTls,
    password: async () => config.smtpPassword?.read() ?? '',
    ...(config.smtpTlsCa && { caPem: config.smtpTlsCa.read() }),
  }
}

/** The account whose Sent folder keeps the copies. */
export function imapAccountOf(config: ExecutorConfig): MailAccount {
  return {
    host: config.imapHost,
    port: config.imapPort,
    user: config.imapUser,
    tls: config.imapTls,
    password: async () => config.imapPassword.read(),
    ...(config.imapTlsCa && { caPem: config.imapTlsCa.read() }),
  }
}
