import { IMAP_TIMINGS, withClient } from '#adapters/imap/connection.ts'
import { connectRedis } from '#adapters/queue/redis.ts'
import type { MailAccount } from '#core/ports/mail.ts'
import type { Zone } from '#core/zone-policy.ts'
import { type ConfigShape, parseConfig, SecretFile } from '#runtime/config.ts'
import { imapSettings, smtpSettings } from '#runtime/settings.ts'
import { attempt, type Finding } from './finding.ts'

/** Each service's own settings; the executor's stay out of the cloud's image. */
const SERVICE_SETTINGS: Record<Zone, Record<string, () => Promise<ConfigShape>>> = {
  cloud: {
    triage: async () => (await import('#services/triage/config.ts')).triageSettings,
    drafter: async () => (await import('#services/drafter/config.ts')).drafterSettings,
    sync: async () => (await import('#services/sync/config.ts')).syncSettings,
  },
  local: {
    sync: async () => (await import('#services/sync/config.ts')).syncSettings,
    executor: async () => (await import('#services/executor/config.ts')).executorSettings,
  },
}
/** Given to each process by whatever starts it, not by the settings file. */
const GIVEN_AT_START = { COUNTERSIGN_REDIS_URL: 'redis://127.0.0.1:6379', COUNTERSIGN_HTTP_PORT: '8080' }

/** Every fault in the settings that the zone's services would refuse to start with. */
export async function settingsFindings(zone: Zone, env: Record<string, string>): Promise<Finding[]> {
  const faults = new Set<string>()
  for (const load of Object.values(SERVICE_SETTINGS[zone])) {
    const verdict = parseConfig(await load(), { ...GIVEN_AT_START, ...env })
    if (!verdict.ok) for (const fault of verdict.faults) faults.add(fault)
  }
  if (faults.size === 0) return [{ check: 'settings', result: 'ok', found: 'complete' }]
  return [...faults].map((found) => ({ check: 'settings', result: 'failed', found }))
}

/** Logs in to the mailbox and, in the local zone, to the sending server. Nothing is read or sent. */
export async function mailFindings(zone: Zone, env: Record<string, string>): Promise<Finding[]> {
  const findings = [await imapFinding(env)]
  if (zone === 'local') findings.push(await smtpFinding(env))
  return findings
}

async function imapFinding(env: Record<string, string>): Promise<Finding> {
  const verdict = parseConfig(imapSettings, env)
  if (!verdict.ok) return { check: 'mailbox', result: 'skipped', found: 'its settings are not complete' }
  const { imapHost, imapPort, imapUser, imapTls, imapPassword } = verdict.config
  const account = accountOf(imapHost, imapPort, imapUser, imapTls, () => imapPassword.read())
  return attempt('mailbox', `${imapUser} can log in at ${imapHost}`, () =>
    withClient(account, IMAP_TIMINGS, async () => {}),
  )
}

async function smtpFinding(env: Record<string, string>): Promise<Finding> {
  const verdict = parseConfig(smtpSettings, env)
  if (!verdict.ok) return { check: 'sending', result: 'skipped', found: 'its settings are not complete' }
  const { smtpHost, smtpPort, smtpUser = '', smtpTls, smtpPassword } = verdict.config
  const account = accountOf(smtpHost, smtpPort, smtpUser, smtpTls, () => smtpPassword?.read() ?? '')
  return attempt('sending', `${smtpUser || 'anyone'} can log in at ${smtpHost}`, async () => {
    const { smtpSender } = await import('#adapters/smtp/smtp-sender.ts')
    await smtpSender(account).verify()
  })
}

function accountOf(host: string, port: number, user: string, tls: MailAccount['tls'], read: () => string): MailAccount {
  return { host, port, user, tls, password: async () => read() }
}

export async function redisFinding(env: Record<string, string>): Promise<Finding> {
  const url = env.COUNTERSIGN_REDIS_URL
  if (!url) return { check: 'redis', result: 'skipped', found: 'its address is given when the zone starts' }
  const file = env.COUNTERSIGN_REDIS_PASSWORD_FILE
  return attempt('redis', `${url} answers`, async () => {
    await using redis = await connectRedis(url, file && new SecretFile(file).read(), SILENT)
    const answer = await redis.ping()
    if (answer !== true) throw new Error(answer)
  })
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }
