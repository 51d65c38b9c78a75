import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { CountersignError } from '#core/errors.ts'
import type { Zone } from '#core/zone-policy.ts'
import type { InitPlan } from './init-zone.ts'
import { readPairing } from './pairing.ts'
import type { Ask } from './questions.ts'

type Flag = {
  readonly flag: string
  readonly setting: string
  readonly about: string
  readonly zone?: Zone
  /** Asked for on a terminal when not given. */
  readonly question?: string
  readonly standard?: string
}

const FLAGS: readonly Flag[] = [
  {
    flag: 'owner-address',
    setting: 'COUNTERSIGN_OWNER_ADDRESS',
    about: 'the address that is read and answered',
    question: 'Your e-mail address',
  },
  {
    flag: 'owner-name',
    setting: 'COUNTERSIGN_OWNER_NAME',
    about: 'how drafts are signed',
    question: 'Your name, as drafts are signed',
  },
  { flag: 'imap-host', setting: 'COUNTERSIGN_IMAP_HOST', about: 'mailbox server', question: 'IMAP server' },
  { flag: 'imap-port', setting: 'COUNTERSIGN_IMAP_PORT', about: 'default 993' },
  { flag: 'imap-user', setting: 'COUNTERSIGN_IMAP_USER', about: 'often the address', question: 'IMAP user' },
  { flag: 'imap-tls', setting: 'COUNTERSIGN_IMAP_TLS', about: 'tls, starttls or none' },
  {
    flag: 'smtp-host',
    setting: 'COUNTERSIGN_SMTP_HOST',
    about: 'sending server',
    zone: 'local',
    question: 'SMTP server',
  },
  { flag: 'smtp-port', setting: 'COUNTERSIGN_SMTP_PORT', about: 'default 465', zone: 'local' },
  {
    flag: 'smtp-user',
    setting: 'COUNTERSIGN_SMTP_USER',
    about: 'often the address',
    zone: 'local',
    question: 'SMTP user',
  },
  { flag: 'smtp-tls', setting: 'COUNTERSIGN_SMTP_TLS', about: 'tls, starttls or none', zone: 'local' },
]
const SECRETS: readonly { readonly name: string; readonly about: string; readonly zone?: Zone }[] = [
  { name: 'imap-password', about: 'the mailbox’s password' },
  { name: 'smtp-password', about: 'the sending password', zone: 'local' },
]

export type InitOptions = Readonly<Record<string, string | undefined>>

/** The options of `init cloud` or `init local`. */
export function addInitOptions(command: Command, zone: Zone): void {
  for (const one of FLAGS) if (isFor(one, zone)) command.option(`--${one.flag} <text>`, one.about)
  for (const one of SECRETS)
    if (isFor(one, zone)) command.option(`--${one.name}-file <file>`, `a file that holds ${one.about}; copied`)
  command.option('--pair <file>', 'the pairing file of the other zone')
  if (zone === 'cloud')
    command.option('--hub-host <host[:port]>', 'how the local machine reaches this one; default: both are one machine')
  command.option('--owner <uid:gid>', 'give the home to this user (containers run as 1000:1000); needs root')
}

/** What is to be done, from the flags and, on a terminal, from the answers to what they leave open. */
export async function makePlan(
  target: { readonly root: string; readonly zone: Zone; readonly isNew: boolean },
  options: InitOptions,
  ask: Ask | undefined,
): Promise<InitPlan> {
  const { root, zone, isNew } = target
  const pair = options.pair ? await readPairing(options.pair) : undefined
  const settings: Record<string, string> = {}
  const secrets: Record<string, string> = {}
  for (const one of FLAGS.filter((flag) => isFor(flag, zone))) {
    const given = options[camelCase(one.flag)]
    const standard = one.flag.endsWith('-user') ? settings.COUNTERSIGN_OWNER_ADDRESS : undefined
    // A home that exists is repaired, not asked about again.
    const value = given ?? (ask && isNew && one.question ? await ask(one.question, standard ? { standard } : {}) : '')
    if (value !== '') settings[one.setting] = value
  }
  for (const { name, about } of SECRETS.filter((secret) => isFor(secret, zone))) {
    const file = options[camelCase(`${name}-file`)]
    const value = file
      ? await readSecret(file)
      : ask && isNew
        ? await ask(`${about} (not shown)`, { hidden: true })
        : ''
    if (value !== '') secrets[name] = value
  }
  return {
    root,
    zone,
    settings,
    secrets,
    ...(pair ? { pair } : {}),
    ...(options.hubHost ? { hubHost: options.hubHost } : {}),
  }
}

async function readSecret(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new CountersignError('ERR_USAGE', `reading the secret in ${file}: ${cause.code}`, { cause })
  })
  const secret = text.replace(/[\r\n]+$/, '')
  if (secret === '') throw new CountersignError('ERR_USAGE', `reading the secret in ${file}: the file is empty`)
  return secret
}

function isFor(one: { readonly zone?: Zone }, zone: Zone): boolean {
  return one.zone === undefined || one.zone === zone
}

function camelCase(flag: string): string {
  return flag.replace(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase())
}
