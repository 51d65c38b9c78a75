import type { GmailAccount } from '#adapters/gmail/gmail-client.ts'
import { IMAP_TIMINGS, withClient } from '#adapters/imap/connection.ts'
import { connectRedis } from '#adapters/queue/redis.ts'
import { secretSettings } from '#core/credentials.ts'
import type { Finding } from '#core/finding.ts'
import type { MailAccount } from '#core/ports/mail.ts'
import { socialAccountList } from '#core/social-accounts.ts'
import type { Zone } from '#core/zone-policy.ts'
import { parseConfig, SecretFile } from '#runtime/config.ts'
import { gmailAccountOf, imapAccountOf, smtpAccountOf } from '#runtime/mail-accounts.ts'
import { MAIN_MAILBOX, mailboxesOf } from '#runtime/mailboxes.ts'
import { hasModel, modelSettings, modelsOf } from '#runtime/model-settings.ts'
import { notifyWaysOf } from '#runtime/notify-ways.ts'
import { odooAccountOf } from '#runtime/odoo-account.ts'
import {
  furtherMailboxSettings,
  mailboxSettings,
  notifySettings,
  odooSettings,
  ownerSettings,
  sendingSettings,
  setting,
  socialSettings,
} from '#runtime/settings.ts'
import { networkOptionsOf } from '#runtime/social-accounts.ts'
import { attempt } from './finding.ts'
import { serviceSettings } from './service-settings.ts'

/** Given to each process by whatever starts it, not by the settings file. */
const GIVEN_AT_START = { COUNTERSIGN_REDIS_URL: 'redis://127.0.0.1:6379', COUNTERSIGN_HTTP_PORT: '8080' }

/** Every fault in the settings that the zone's services would refuse to start with. */
export async function settingsFindings(zone: Zone, env: Record<string, string>): Promise<Finding[]> {
  const faults = new Set<string>()
  for (const shape of await serviceSettings(zone)) {
    const verdict = parseConfig(shape, { ...GIVEN_AT_START, ...env })
    if (!verdict.ok) for (const fault of verdict.faults) faults.add(fault)
  }
  if (faults.size === 0) return [{ check: 'settings', result: 'ok', found: 'complete' }]
  return [...faults].map((found): Finding => {
    const secret = found.includes(': missing') && secretSettings(zone)[found.slice(0, found.indexOf(':'))]
    const hint = secret
      ? `Put it into secrets/${secret} of the home, as its only line (mode 600), and run init ${zone} once more`
      : `Correct it in .env.${zone} of the home`
    return { check: 'settings', result: 'failed', found, hint }
  })
}

/** Asks each social account's network whose credential it has. Nothing is read or posted. */
export async function socialFindings(zone: Zone, env: Record<string, string>): Promise<Finding[]> {
  if (zone !== 'local') return []
  const settings = { ...socialSettings, accounts: setting('COUNTERSIGN_SOCIAL_ACCOUNTS', socialAccountList) }
  const verdict = parseConfig(settings, env)
  if (!verdict.ok || verdict.config.accounts.length === 0) return []
  const { config } = verdict
  const { openNetworks } = await import('#adapters/social/open-networks.ts')
  const clock = { now: () => Date.now() }
  const networks = openNetworks(config.accounts, { ...networkOptionsOf(config), clock })
  return Promise.all(
    networks.map((one) => attempt(one.network, `the credential is that of ${one.account}`, () => one.verify())),
  )
}

/** Logs in to each mailbox and, in the local zone, to the sending server. Nothing is read or sent. */
export async function mailFindings(zone: Zone, env: Record<string, string>): Promise<Finding[]> {
  const verdict = parseConfig(MAILBOXES, env)
  if (!verdict.ok) return [{ check: 'mailbox', result: 'skipped', found: 'its settings are not complete' }]
  const { config } = verdict
  if (zone === 'cloud')
    return Promise.all(mailboxesOf(config).map(async (one) => forPerson(await mailboxFinding(one), zone, env)))
  const main: Reached =
    config.mailboxProvider === 'gmail'
      ? { name: MAIN_MAILBOX, provider: 'gmail', account: gmailAccountOf(config) }
      : { name: MAIN_MAILBOX, provider: 'imap', account: imapAccountOf(config) }
  return [forPerson(await mailboxFinding(main), zone, env), forPerson(await sendingFinding(env), zone, env)]
}

/** In words for the person, and with what they do next: init, run again, keeps what stands in the home. */
function forPerson(finding: Finding, zone: Zone, env: Record<string, string>): Finding {
  if (finding.hint === undefined) return finding
  const server = finding.check === 'sending' ? 'SMTP' : 'IMAP'
  const file = env[`COUNTERSIGN_${server}_PASSWORD_FILE`]
  if (/password file/.test(finding.hint) && file !== undefined)
    return {
      ...finding,
      hint: `Write the right password into ${file}, as its only line, and run init ${zone} once more. ${finding.hint}`,
    }
  const known = NETWORK_WORDS.find(([code]) => finding.found.includes(code))
  if (!known) return finding
  const [code, words] = known
  const found = finding.found.replace(new RegExp(`(getaddrinfo |connect )?${code}.*`), words)
  const hint = `Correct COUNTERSIGN_${server}_HOST, _PORT or _TLS in .env.${zone}, or see to the network; then run doctor`
  return { ...finding, found, hint }
}

const NETWORK_WORDS = [
  ['ENOTFOUND', 'no server of that name is known'],
  ['EAI_AGAIN', 'the name server does not answer'],
  ['ECONNREFUSED', 'nothing answers at that port'],
  ['ETIMEDOUT', 'no answer'],
  ['EHOSTUNREACH', 'no way leads there'],
  ['ENETUNREACH', 'this machine has no network'],
] as const

const MAILBOXES = {
  ...mailboxSettings,
  ...ownerSettings,
  ...furtherMailboxSettings,
  gmailToken: sendingSettings.gmailToken,
}
type Reached = { readonly name: string } & (
  | { readonly provider: 'imap'; readonly account: MailAccount }
  | { readonly provider: 'gmail'; readonly account: GmailAccount }
)

function mailboxFinding({ name, ...mailbox }: Reached): Promise<Finding> {
  const check = name === MAIN_MAILBOX ? 'mailbox' : `mailbox-${name}`
  if (mailbox.provider === 'gmail')
    return attempt(
      check,
      `Gmail lets this zone into ${mailbox.account.address}, no further than it should`,
      async () => {
        const { gmailReaders } = await import('#adapters/gmail/gmail-client.ts')
        await gmailReaders(mailbox.account)()
      },
    )
  const { account } = mailbox
  return attempt(check, `${account.user} can log in at ${account.host}`, () =>
    withClient(account, IMAP_TIMINGS, async () => {}),
  )
}

async function sendingFinding(env: Record<string, string>): Promise<Finding> {
  const verdict = parseConfig({ ...sendingSettings, ...ownerSettings, gmailUrl: mailboxSettings.gmailUrl }, env)
  if (!verdict.ok) return { check: 'sending', result: 'skipped', found: 'its settings are not complete' }
  const { config } = verdict
  if (config.mailProvider === 'gmail')
    return attempt('sending', `Gmail lets ${config.ownerAddress} send and read, and nothing more`, async () => {
      const { gmailSender } = await import('#adapters/gmail/sending/gmail-sender.ts')
      await gmailSender(gmailAccountOf(config)).verify()
    })
  const account = smtpAccountOf(config)
  return attempt('sending', `${account.user || 'anyone'} can log in at ${account.host}`, async () => {
    const { smtpSender } = await import('#adapters/smtp/smtp-sender.ts')
    await smtpSender(account).verify()
  })
}

/** Asks each model's provider for its list: whether it can be reached, takes the key and has the model. Costs nothing. */
export async function modelFindings(zone: Zone, env: Record<string, string>): Promise<Finding[]> {
  const verdict = parseConfig(modelSettings, env)
  if (zone !== 'cloud' || !verdict.ok || !hasModel(verdict.config)) return []
  const { models, dailyUsd } = modelsOf(verdict.config)
  const { checkModel } = await import('#adapters/model/check-model.ts')
  return Promise.all(
    models.map(({ size, address, id, price }) =>
      attempt(`model (${size})`, '', async () => {
        const found = await checkModel(address, id, { now: Date.now })
        return `${found}; ${price ? `price ${price}` : 'no price set'}, at most ${dailyUsd} USD a day`
      }),
    ),
  )
}

/** Asks Odoo for its currencies: whether it can be reached, is new enough, and takes the key, which in the cloud must be a harmless one. Nothing is created. */
export async function odooFindings(zone: Zone, env: Record<string, string>): Promise<Finding[]> {
  if (!env.COUNTERSIGN_ODOO_URL) return []
  const finding = await attempt('odoo', '', async () => {
    const verdict = parseConfig(odooSettings, env)
    if (!verdict.ok) throw new Error(verdict.faults.join('; '))
    const { openOdoo } = await import('#adapters/odoo/open-odoo.ts')
    const rows = await openOdoo(odooAccountOf(verdict.config), zone).getData({ about: 'currencies', limit: 50 })
    return `the key opens ${verdict.config.odooDb}; invoices there can be in ${rows.map((row) => row.code).join(', ')}`
  })
  return [finding]
}

/** Which ways to tell the person are set. Nothing is sent. */
export function notifyFinding(env: Record<string, string>): Promise<Finding> {
  return attempt('notices', '', async () => {
    const verdict = parseConfig(notifySettings, env)
    if (!verdict.ok) throw new Error(verdict.faults.join('; '))
    const { desktop, ntfy, webhook } = notifyWaysOf(verdict.config, process.platform)
    const ways = [desktop === 'off' ? '' : `desktop (${desktop})`, ntfy ? 'ntfy' : '', webhook ? 'webhook' : '']
    return `${ways.filter(Boolean).join(', ') || 'none set'}; \`countersign notify --test\` tries them`
  })
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
