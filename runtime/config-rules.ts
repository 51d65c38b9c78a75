import { relative, resolve } from 'node:path'
import { foreignFault, foreignTo } from '#core/credentials.ts'
import type { Env } from './config.ts'

/**
 * Settings that are fine by themselves and wrong together, whichever service reads them: one line per fault. Every
 * service of a zone gets the same environment file, so each of them refuses to start.
 */
export function contradictions(env: Env): string[] {
  return [
    ...sendingInTheCloud(env),
    ...gmailOfTwoMinds(env),
    ...postingInTheCloud(env),
    ...secretsOfTheOtherZone(env),
    ...secretsInTheOpen(env),
    ...plaintextMail(env),
    ...plaintextModels(env),
    ...notices(env),
    ...foldersInsideTheVault(env),
  ]
}

/** What the cloud may be told about Gmail: how to read it. */
const GMAIL_READING = [
  'COUNTERSIGN_GMAIL_READ_TOKEN_FILE',
  'COUNTERSIGN_GMAIL_READ_TOKEN', // Refused below, as any secret in the open.
  'COUNTERSIGN_GMAIL_POLL_SECONDS',
  'COUNTERSIGN_GMAIL_TOPIC',
  'COUNTERSIGN_GMAIL_SUBSCRIPTION',
  'COUNTERSIGN_GMAIL_PUSH_KEY_FILE',
  'COUNTERSIGN_GMAIL_URL',
]

/** The cloud must not be able to send: a credential that is not there cannot leak or be used. */
function sendingInTheCloud(env: Env): string[] {
  if (env.COUNTERSIGN_ZONE !== 'cloud') return []
  return namesOf(env)
    .filter((name) => /^COUNTERSIGN_(?:SMTP_|GMAIL_|MAIL_PROVIDER$)/.test(name) && !GMAIL_READING.includes(name))
    .map((name) => `${name}: the cloud zone never sends mail; remove it here and set it in the local zone`)
}

/** The local zone has one Gmail token, with which it sends; what it reads there, it reads with that. */
function gmailOfTwoMinds(env: Env): string[] {
  const { COUNTERSIGN_ZONE, COUNTERSIGN_MAILBOX_PROVIDER, COUNTERSIGN_MAIL_PROVIDER } = env
  if (COUNTERSIGN_ZONE !== 'local' || COUNTERSIGN_MAILBOX_PROVIDER !== 'gmail') return []
  if (COUNTERSIGN_MAIL_PROVIDER === 'gmail') return []
  return [
    'COUNTERSIGN_MAILBOX_PROVIDER: the local zone reads Gmail with the token it sends with; set COUNTERSIGN_MAIL_PROVIDER=gmail too',
  ]
}

/** As for mail. The accounts' names alone are no credential: drafts are made for them. */
function postingInTheCloud(env: Env): string[] {
  if (env.COUNTERSIGN_ZONE !== 'cloud') return []
  return namesOf(env)
    .filter((name) => /^COUNTERSIGN_(SOCIAL|MASTODON|BLUESKY|LINKEDIN|X|FACEBOOK|INSTAGRAM)_/.test(name))
    .filter((name) => name !== 'COUNTERSIGN_SOCIAL_ACCOUNTS')
    .map((name) => `${name}: the cloud zone never posts; remove it here and set it in the local zone`)
}

/** What the rules above do not know by its name. */
function secretsOfTheOtherZone(env: Env): string[] {
  const zone = env.COUNTERSIGN_ZONE
  if (zone !== 'cloud' && zone !== 'local') return []
  return foreignTo(zone).flatMap((credential) => {
    const { setting } = credential
    const isNamed = setting && env[setting] && !/^COUNTERSIGN_(?:SMTP_|GMAIL_TOKEN|SOCIAL_)/.test(setting)
    return isNamed ? [foreignFault(zone, setting, credential)] : []
  })
}

/** A secret in a variable shows up in `docker inspect`, in crash reports and in every child process. */
function secretsInTheOpen(env: Env): string[] {
  const faults = namesOf(env)
    .filter((name) => /^COUNTERSIGN_.*(PASSWORD|PASSPHRASE|TOKEN|SECRET|(ANTHROPIC|OPENAI|ODOO)_KEY)$/.test(name))
    .map((name) => `${name}: secrets come as files; put it into a file of mode 0600 and set ${name}_FILE to its path`)
  if (/^rediss?:\/\/[^/@]*:[^/@]+@/.test(env.COUNTERSIGN_REDIS_URL ?? '')) {
    faults.push('COUNTERSIGN_REDIS_URL: holds a password; put it into a file and set COUNTERSIGN_REDIS_PASSWORD_FILE')
  }
  return faults
}

function plaintextMail(env: Env): string[] {
  if (env.COUNTERSIGN_ALLOW_PLAINTEXT === 'true') return []
  return ['IMAP', 'SMTP'].flatMap((protocol) => {
    const host = env[`COUNTERSIGN_${protocol}_HOST`] ?? ''
    const name = `COUNTERSIGN_${protocol}_TLS`
    if (env[name] !== 'none' || isLoopback(host)) return []
    return [`${name}: none would send the password to ${host || 'the server'} in clear text; use tls or starttls`]
  })
}

/** What a model is asked holds the mail. */
function plaintextModels(env: Env): string[] {
  const used = new Set(['LARGE', 'SMALL'].map((size) => env[`COUNTERSIGN_MODEL_${size}`]?.split(':')[0]))
  const isOpen = (name: string) => {
    const url = URL.parse(env[`COUNTERSIGN_${name}_URL`] ?? '')
    return used.has(name.toLowerCase()) && url?.protocol === 'http:' && !isLoopback(bareHost(url))
  }
  const open = env.COUNTERSIGN_ALLOW_PLAINTEXT === 'true' ? [] : ['ANTHROPIC', 'OPENAI'].filter(isOpen)
  return open.map((name) => `COUNTERSIGN_${name}_URL: http would send your mail and the key in clear text; use https`)
}

/** Notices name what waits for the person. */
function notices(env: Env): string[] {
  const names = ['COUNTERSIGN_NOTIFY_NTFY_URL', 'COUNTERSIGN_NOTIFY_WEBHOOK_URL']
  const isOpen = (name: string) => {
    const url = URL.parse(env[name] ?? '')
    return url?.protocol === 'http:' && !isLoopback(bareHost(url))
  }
  const open = env.COUNTERSIGN_ALLOW_PLAINTEXT === 'true' ? [] : names.filter(isOpen)
  return open.map((name) => `${name}: http would send what waits for you in clear text; use https`)
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/** The vault is synchronised: keys, trust and journals inside it would travel to the other zone. */
function foldersInsideTheVault(env: Env): string[] {
  const vault = env.COUNTERSIGN_VAULT
  if (!vault) return []
  return ['COUNTERSIGN_STATE', 'COUNTERSIGN_KEYS', 'COUNTERSIGN_TRUST', 'COUNTERSIGN_SOCIAL_SECRETS']
    .filter((name) => env[name] && isInside(vault, env[name]))
    .map(
      (name) => `${name}: lies inside the vault (COUNTERSIGN_VAULT), which is synchronised; choose a folder beside it`,
    )
}

function isInside(outer: string, inner: string): boolean {
  const path = relative(resolve(outer), resolve(inner))
  return path === '' || !(path === '..' || path.startsWith('../'))
}

function namesOf(env: Env): string[] {
  return Object.keys(env).filter((name) => env[name])
}
