import { resolve } from 'node:path'
import { z } from 'zod'
import { type ConfigOf, SecretFile, type Setting } from './config.ts'
import { mailboxesFile } from './mailboxes.ts'
import { redisSentinels, redisUrl } from './redis-sentinels.ts'

/** A setting that stands in the environment variable `name`. */
export function setting<T>(name: string, schema: z.ZodType<T, string | undefined>, fallback?: string): Setting<T> {
  return fallback === undefined ? { name, schema } : { name, schema, fallback }
}

/** Non-empty text; with a default it may be absent. */
export function text(expected: string, fallback?: string): z.ZodType<string, string | undefined> {
  return withDefault(z.string(`expected ${expected}`), fallback)
}

export function choice<const T extends readonly [string, ...string[]]>(
  options: T,
  fallback?: T[number],
): z.ZodType<T[number], string | undefined> {
  return withDefault(z.enum(options, `expected one of ${options.join(', ')}`), fallback)
}

export function flag(fallback: boolean): z.ZodType<boolean, string | undefined> {
  return choice(['true', 'false'], fallback ? 'true' : 'false').transform((value) => value === 'true') as z.ZodType<
    boolean,
    string | undefined
  >
}

export function wholeNumber(min: number, max: number, fallback?: number): z.ZodType<number, string | undefined> {
  const expected = `expected a whole number from ${min} to ${max}`
  const digits = z
    .string(expected)
    .regex(/^\d{1,12}$/, expected)
    .transform(Number)
    .refine((value) => value >= min && value <= max, expected)
  return fallback === undefined ? digits : digits.optional().transform((value) => value ?? fallback)
}

/** A number of milliseconds, at most one day. */
export function milliseconds(fallback?: number): z.ZodType<number, string | undefined> {
  return wholeNumber(0, 86_400_000, fallback)
}

/** A port to connect to. */
export function serverPort(fallback?: number): z.ZodType<number, string | undefined> {
  return wholeNumber(1, 65_535, fallback)
}

/** A bare address of the form that an action can name; its domain is lower-cased, as it means the same in any case. */
export function emailAddress(expected: string): z.ZodType<string, string | undefined> {
  return z
    .string(`expected ${expected}`)
    .regex(
      /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/,
      `expected ${expected}, such as you@example.org`,
    )
    .transform((address) => address.replace(/@.*$/, (domain) => domain.toLowerCase())) as z.ZodType<
    string,
    string | undefined
  >
}

/** One line that a person reads; empty when absent. */
export function personName(expected: string): z.ZodType<string, string | undefined> {
  return withDefault(
    z.string(`expected ${expected}`).regex(/^[^\p{Cc}\p{Zl}\p{Zp}]{1,200}$/u, `expected ${expected}`),
    '',
  )
}

/** A host name or an address, without scheme, port or blanks. */
export function host(expected: string): z.ZodType<string, string | undefined> {
  return z
    .string(`expected ${expected}`)
    .regex(/^[A-Za-z0-9._-]{1,253}$|^[0-9A-Fa-f:.]{2,45}$/, `expected ${expected}: a host name or an address`)
}

/**
 * The address of a web server, without path, query or user; http only on loopback, where nothing can be overheard.
 */
export function webServer(expected: string, fallback?: string): z.ZodType<string, string | undefined> {
  const message = `expected ${expected}: https://host, or http:// on loopback, and nothing after it`
  const server = /^(https:\/\/[A-Za-z0-9.-]{1,253}|http:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\]))(:\d{1,5})?\/?$/
  return withDefault(z.string(message).regex(server, message), fallback)
}

/** An https address that ends with a slash: everything below it. */
export function webFolder(expected: string): z.ZodType<string, string | undefined> {
  const message = `expected ${expected}: https://host/folder/`
  return z.string(message).regex(/^https:\/\/[a-z0-9-]+(\.[a-z0-9-]+)+\/([A-Za-z0-9._~-]+\/)*$/, message)
}

/** The address of a web server without user, password and fragment, and at least so many parts in its path. */
export function webAddress(example: string, parts: number): z.ZodType<string, string | undefined> {
  const expected = `expected ${example}`
  return z.string(expected).refine((value) => {
    const url = URL.parse(value)
    const isWeb = url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.hash
    return isWeb && url.pathname.split('/').filter(Boolean).length >= parts
  }, expected)
}

/** An absolute path; a relative one counts from the folder the process was started in. */
export function folder(fallback?: string): z.ZodType<string, string | undefined> {
  return text('the path of a folder', fallback).transform((path) => resolve(path)) as z.ZodType<
    string,
    string | undefined
  >
}

export function secretFile(): z.ZodType<SecretFile, string | undefined> {
  return z
    .string('expected the path of a file that holds the secret')
    .transform((path) => new SecretFile(resolve(path)))
}

export function optional<T>(schema: z.ZodType<T, string | undefined>): z.ZodType<T | undefined, string | undefined> {
  return schema.optional()
}

/** The same setting where it may be absent. */
export function optionally<T>({ name, schema }: Setting<T>): Setting<T | undefined> {
  return { name, schema: schema.optional() }
}

function withDefault<T>(schema: z.ZodType<T, string>, fallback: T | undefined): z.ZodType<T, string | undefined> {
  if (fallback === undefined) return schema as z.ZodType<T, string | undefined>
  return schema.optional().transform((value) => value ?? fallback)
}

const agentName = z.string('expected an agent name').regex(/^[a-z][a-z0-9-]{0,30}$/, 'expected a-z, 0-9 and -')

/** What every process needs to run and to be watched. */
export const processSettings = {
  zone: setting('COUNTERSIGN_ZONE', choice(['cloud', 'local'])),
  agent: setting('COUNTERSIGN_AGENT', agentName as z.ZodType<string, string | undefined>, 'COUNTERSIGN_ZONE'),
  httpHost: setting('COUNTERSIGN_HTTP_HOST', text('an address to listen on', '127.0.0.1')),
  /** 0: any free one. */
  httpPort: setting('COUNTERSIGN_HTTP_PORT', wholeNumber(0, 65_535, 8080)),
  logLevel: setting('COUNTERSIGN_LOG_LEVEL', choice(['debug', 'info', 'warn', 'error'], 'info')),
  drainMs: setting('COUNTERSIGN_DRAIN_MS', milliseconds(8_000)),
  /** The proxy that everything which leaves goes through (docs/egress.md); unset: there is a way out without one. */
  egress: setting('COUNTERSIGN_EGRESS', optional(z.string().regex(/^[\w.-]+:\d{1,5}$/, 'expected host:port'))),
}
export type ProcessConfig = ConfigOf<typeof processSettings>

/** What every service on a vault needs. */
export const zoneSettings = {
  ...processSettings,
  vault: setting('COUNTERSIGN_VAULT', folder()),
  state: setting('COUNTERSIGN_STATE', folder()),
  keys: setting('COUNTERSIGN_KEYS', folder()),
  trust: setting('COUNTERSIGN_TRUST', folder()),
  vaultPollMs: setting('COUNTERSIGN_VAULT_POLL_MS', optional(wholeNumber(20, 60_000))),
  redisUrl: setting('COUNTERSIGN_REDIS_URL', redisUrl as z.ZodType<string, string | undefined>),
  redisPassword: setting('COUNTERSIGN_REDIS_PASSWORD_FILE', optional(secretFile())),
  /** Of a Redis that fails over; unset: the one at the address. */
  redisSentinels: setting('COUNTERSIGN_REDIS_SENTINELS', optional(redisSentinels)),
  redisSentinelPassword: setting('COUNTERSIGN_REDIS_SENTINEL_PASSWORD_FILE', optional(secretFile())),
}

const tls = (name: string) => setting(name, choice(['tls', 'starttls', 'none'], 'tls'))

function cloudResource(kind: 'topics' | 'subscriptions') {
  const expected = `expected projects/<project>/${kind}/<name>`
  return z
    .string(expected)
    .regex(new RegExp(`^projects/[a-z0-9:.-]{4,60}/${kind}/[A-Za-z][\\w.~+%-]{2,254}$`), expected)
}

const MAILBOX_PROVIDER = 'COUNTERSIGN_MAILBOX_PROVIDER'
const readBy = (value: 'imap' | 'gmail') => ({ name: MAILBOX_PROVIDER, value, standard: 'imap' })

/** A setting that is needed under these conditions only; it may be undefined otherwise. */
function neededWhen<T>(when: NonNullable<Setting<T>['when']>, asked: Setting<T>): Setting<T | undefined> {
  return { ...asked, when }
}

/** The mailbox that is read. */
export const mailboxSettings = {
  mailboxProvider: setting(MAILBOX_PROVIDER, choice(['imap', 'gmail'], 'imap')),
  imapHost: neededWhen([readBy('imap')], setting('COUNTERSIGN_IMAP_HOST', host('the host of the IMAP server'))),
  imapPort: setting('COUNTERSIGN_IMAP_PORT', serverPort(993)),
  imapUser: neededWhen([readBy('imap')], setting('COUNTERSIGN_IMAP_USER', text('the user name of the mailbox'))),
  imapPassword: neededWhen([readBy('imap')], setting('COUNTERSIGN_IMAP_PASSWORD_FILE', secretFile())),
  imapTls: tls('COUNTERSIGN_IMAP_TLS'),
  /** PEM file of a private certificate authority, or of a self-signed server. */
  imapTlsCa: setting('COUNTERSIGN_IMAP_TLS_CA_FILE', optional(secretFile())),
  imapMailbox: setting('COUNTERSIGN_IMAP_MAILBOX', text('a mailbox', 'INBOX')),
  /** JSON: client_id, client_secret, refresh_token; a token that can read and nothing else. The local zone reads with its own. */
  gmailReadToken: neededWhen(
    [readBy('gmail'), { name: 'COUNTERSIGN_ZONE', value: 'cloud' }],
    setting('COUNTERSIGN_GMAIL_READ_TOKEN_FILE', secretFile()),
  ),
  /** How often Gmail is asked for news. */
  gmailPollSeconds: setting('COUNTERSIGN_GMAIL_POLL_SECONDS', wholeNumber(15, 60, 20)),
  /** Google's Pub/Sub, through which Gmail rings; all three or none. */
  gmailTopic: setting('COUNTERSIGN_GMAIL_TOPIC', optional(cloudResource('topics'))),
  gmailSubscription: setting('COUNTERSIGN_GMAIL_SUBSCRIPTION', optional(cloudResource('subscriptions'))),
  gmailPushKey: setting('COUNTERSIGN_GMAIL_PUSH_KEY_FILE', optional(secretFile())),
  /** Something else that speaks Gmail's API, instead of Google; for tests. */
  gmailUrl: setting('COUNTERSIGN_GMAIL_URL', optional(webServer('the address of a server that speaks Gmail’s API'))),
}

/** More that the cloud reads, besides that one. */
export const furtherMailboxSettings = { mailboxes: setting('COUNTERSIGN_MAILBOXES_FILE', mailboxesFile()) }

const MAIL_PROVIDER = 'COUNTERSIGN_MAIL_PROVIDER'

const sendBy = (value: 'smtp' | 'gmail') => ({ name: MAIL_PROVIDER, value, standard: 'smtp' })

/** The server that mail is sent through; local zone only. */
export const smtpSettings = {
  smtpHost: neededWhen([sendBy('smtp')], setting('COUNTERSIGN_SMTP_HOST', host('the host of the SMTP server'))),
  smtpPort: setting('COUNTERSIGN_SMTP_PORT', serverPort(465)),
  smtpUser: setting('COUNTERSIGN_SMTP_USER', optional(text('a user name'))),
  smtpPassword: setting('COUNTERSIGN_SMTP_PASSWORD_FILE', optional(secretFile())),
  smtpTls: tls('COUNTERSIGN_SMTP_TLS'),
  /** As for IMAP. */
  smtpTlsCa: setting('COUNTERSIGN_SMTP_TLS_CA_FILE', optional(secretFile())),
}

const linkedinVersion = (fallback: string) =>
  withDefault(z.string().regex(/^20\d{2}(0[1-9]|1[0-2])$/, 'expected a version such as 202605'), fallback)

const odooLogin = z
  .string('expected the login of the Odoo user')
  .regex(/^[\x21-\x7e]{1,100}$/, 'expected the login of the Odoo user')
const odooDatabase = z
  .string('expected the name of the Odoo database')
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, 'expected the name of the Odoo database') as z.ZodType<
  string,
  string | undefined
>

/** Where the credentials of the social accounts stand, and what their networks want to be told; local zone only. */
export const socialSettings = {
  /** One file for each network, named like it. */
  socialSecrets: setting('COUNTERSIGN_SOCIAL_SECRETS', optional(folder())),
  /** Where the account's domain is not its server's. */
  mastodonUrl: setting('COUNTERSIGN_MASTODON_URL', optional(webServer('the address of the Mastodon server'))),
  blueskyUrl: setting('COUNTERSIGN_BLUESKY_URL', webServer('the address of the atproto server', 'https://bsky.social')),
  linkedinVersion: setting('COUNTERSIGN_LINKEDIN_VERSION', linkedinVersion('202605')),
  /** The images that may be posted on Instagram begin with this. */
  instagramImages: setting('COUNTERSIGN_INSTAGRAM_IMAGES', optional(webFolder('where images for Instagram stand'))),
}

/** The books; each zone with a user and a key of its own, the cloud's of the draft-only group. */
export const odooSettings = {
  odooUrl: setting('COUNTERSIGN_ODOO_URL', webServer('the address of the Odoo server')),
  odooDb: setting('COUNTERSIGN_ODOO_DB', odooDatabase),
  /** An API key, which is one of a user. */
  odooKey: setting('COUNTERSIGN_ODOO_KEY_FILE', secretFile()),
  /** The login of that user, which only an Odoo before 19 asks for. */
  odooLogin: setting('COUNTERSIGN_ODOO_LOGIN', optional(odooLogin)),
}

/** How the service that holds the WhatsApp session is reached; local zone only. */
export const whatsappSettings = {
  /** Unset: WhatsApp is not set up. */
  whatsappUrl: setting('COUNTERSIGN_WHATSAPP_URL', optional(webAddress('http://whatsapp:8790', 0))),
  /** The service's own folder, outside every vault. */
  whatsappState: setting('COUNTERSIGN_WHATSAPP_STATE', optional(folder())),
}

/** What opens the countersigning key, when it has a passphrase; local zone only. */
export const keySettings = {
  keyPassphrase: setting('COUNTERSIGN_KEY_PASSPHRASE_FILE', optional(secretFile())),
}

/** How the person is told that something needs them; local zone only. */
export const notifySettings = {
  notifyDesktop: setting('COUNTERSIGN_NOTIFY_DESKTOP', choice(['auto', 'on', 'off'], 'auto')),
  /** The address of a topic; whoever knows it can read along. */
  notifyNtfyUrl: setting('COUNTERSIGN_NOTIFY_NTFY_URL', optional(webAddress('https://ntfy.sh/<topic>', 1))),
  notifyNtfyToken: setting('COUNTERSIGN_NOTIFY_NTFY_TOKEN_FILE', optional(secretFile())),
  notifyWebhookUrl: setting('COUNTERSIGN_NOTIFY_WEBHOOK_URL', optional(webAddress('https://host/path', 0))),
  /** What the webhook's signature is made with. */
  notifyWebhookSecret: setting('COUNTERSIGN_NOTIFY_WEBHOOK_SECRET_FILE', optional(secretFile())),
  /** What leaves this machine: titles of tasks, or only how many there are. */
  notifyDetail: setting('COUNTERSIGN_NOTIFY_DETAIL', choice(['titles', 'counts'], 'titles')),
  notifyEveryMinutes: setting('COUNTERSIGN_NOTIFY_EVERY_MINUTES', wholeNumber(1, 1_440, 15)),
  notifyAfterHours: setting('COUNTERSIGN_NOTIFY_AFTER_HOURS', wholeNumber(1, 720, 24)),
}

/** How mail is sent; local zone only. */
export const sendingSettings = {
  mailProvider: setting(MAIL_PROVIDER, choice(['smtp', 'gmail'], 'smtp')),
  ...smtpSettings,
  /** JSON: client_id, client_secret, refresh_token; a token that can send and read. */
  gmailToken: neededWhen([sendBy('gmail')], setting('COUNTERSIGN_GMAIL_TOKEN_FILE', secretFile())),
}

/** Whose assistant this is. */
export const ownerSettings = {
  ownerAddress: setting('COUNTERSIGN_OWNER_ADDRESS', emailAddress('the e-mail address of the owner')),
  ownerName: setting('COUNTERSIGN_OWNER_NAME', personName('a name in one line')),
}
