import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { credentialNamed } from '#core/credentials.ts'
import { CountersignError } from '#core/errors.ts'
import type { Zone } from '#core/zone-policy.ts'
import { faultsOfGiven } from '#runtime/config.ts'
import { allSettings, serviceSettings } from '../service-settings.ts'
import { parseOwner } from './change-owner.ts'
import type { InitPlan } from './init-zone.ts'
import { MODEL_FLAGS, MODEL_SECRETS } from './model-options.ts'
import { readPairing } from './pairing.ts'
import { hubHostFaults, planFaults } from './plan-faults.ts'
import type { Ask } from './questions.ts'

type Flag = {
  readonly flag: string
  readonly setting: string
  readonly about: string
  readonly zone?: Zone
  /** Asked for on a terminal when not given. */
  readonly question?: string
  /** Of use with this way of sending only. */
  readonly provider?: 'smtp' | 'gmail'
  /** Of use with these settings only, as far as they are known by then. */
  readonly when?: (settings: Readonly<Record<string, string>>) => boolean
}

const readsImap = (settings: Readonly<Record<string, string>>) => settings.COUNTERSIGN_MAILBOX_PROVIDER !== 'gmail'
const readsGmail = (settings: Readonly<Record<string, string>>) => !readsImap(settings)

const FLAGS: readonly Flag[] = [
  {
    flag: 'owner-address',
    setting: 'COUNTERSIGN_OWNER_ADDRESS',
    about: 'the address that is read and answered',
    question: 'Your e-mail address (its mail is read, and answered from it)',
  },
  {
    flag: 'owner-name',
    setting: 'COUNTERSIGN_OWNER_NAME',
    about: 'how drafts are signed',
    question: 'Your name, as drafts are signed',
  },
  { flag: 'mailbox-provider', setting: 'COUNTERSIGN_MAILBOX_PROVIDER', about: 'imap (default) or gmail' },
  {
    flag: 'imap-host',
    setting: 'COUNTERSIGN_IMAP_HOST',
    about: 'mailbox server',
    question: 'IMAP server, where mail is read (your provider’s help names it, such as imap.example.org)',
    when: readsImap,
  },
  { flag: 'imap-port', setting: 'COUNTERSIGN_IMAP_PORT', about: 'default 993' },
  {
    flag: 'imap-user',
    setting: 'COUNTERSIGN_IMAP_USER',
    about: 'often the address',
    question: 'IMAP user, as you log in there',
    when: readsImap,
  },
  { flag: 'imap-tls', setting: 'COUNTERSIGN_IMAP_TLS', about: 'tls, starttls or none' },
  { flag: 'mail-provider', setting: 'COUNTERSIGN_MAIL_PROVIDER', about: 'smtp (default) or gmail', zone: 'local' },
  {
    flag: 'smtp-host',
    provider: 'smtp',
    setting: 'COUNTERSIGN_SMTP_HOST',
    about: 'sending server',
    zone: 'local',
    question: 'SMTP server, which sends your mail (such as smtp.example.org)',
  },
  { flag: 'smtp-port', setting: 'COUNTERSIGN_SMTP_PORT', about: 'default 465', zone: 'local' },
  {
    flag: 'smtp-user',
    provider: 'smtp',
    setting: 'COUNTERSIGN_SMTP_USER',
    about: 'often the address',
    zone: 'local',
    question: 'SMTP user, as you log in there',
  },
  { flag: 'smtp-tls', setting: 'COUNTERSIGN_SMTP_TLS', about: 'tls, starttls or none', zone: 'local' },
  {
    flag: 'allow-plaintext',
    setting: 'COUNTERSIGN_ALLOW_PLAINTEXT',
    about: 'true: passwords may travel unencrypted beyond this machine',
  },
  ...MODEL_FLAGS,
]
const HUB_QUESTION =
  'This machine as your own one reaches it: its public name or address (host, or host:port if not 2222)'
const SECRETS: readonly {
  readonly name: string
  readonly question: string
  readonly zone?: Zone
  readonly provider?: 'smtp' | 'gmail'
  readonly when?: (settings: Readonly<Record<string, string>>) => boolean
}[] = [
  { name: 'imap-password', question: 'IMAP password (an app password, where your provider has such)', when: readsImap },
  {
    name: 'gmail-read-token',
    question: 'Gmail token as JSON, or nothing: `countersign auth gmail` gets one afterwards',
    zone: 'cloud',
    when: readsGmail,
  },
  { name: 'smtp-password', question: 'SMTP password (often the same)', zone: 'local', provider: 'smtp' },
  { name: 'gmail-token', question: 'Gmail token as JSON', zone: 'local', provider: 'gmail' },
  ...MODEL_SECRETS,
]

export type InitOptions = Readonly<Record<string, string | undefined>>

/** The options of `init cloud` or `init local`. */
export function addInitOptions(command: Command, zone: Zone): void {
  for (const one of FLAGS) if (isFor(one, zone)) command.option(`--${one.flag} <text>`, one.about)
  for (const one of SECRETS)
    if (isFor(one, zone))
      command.option(`--${one.name}-file <file>`, `a file that holds ${credentialNamed(one.name)?.what}; copied`)
  command.option(
    '--set <NAME=value>',
    `any other setting of .env.${zone}; as often as needed`,
    (given: string, before?: string) => (before === undefined ? given : `${before}\n${given}`),
  )
  command.option('--pair <file or code>', 'the pairing file of the other zone, or the code that stands for it')
  if (zone === 'cloud')
    command.option('--hub-host <host[:port]>', 'how the local machine reaches the hub here; default port 2222')
  command.option('--owner <uid:gid>', 'give the home to this user (containers run as 1000:1000); needs root')
}

/** What is to be done, from the flags and, on a terminal, from the answers to what they leave open; with every fault. */
export async function makePlan(
  target: { readonly root: string; readonly zone: Zone; readonly isNew: boolean },
  options: InitOptions,
  ask: Ask | undefined,
): Promise<{ readonly plan: InitPlan; readonly faults: readonly string[] }> {
  const { root, zone } = target
  const faults: string[] = []
  const orFault = async <T>(wanted: Promise<T> | undefined): Promise<T | undefined> => {
    try {
      return await wanted
    } catch (error) {
      faults.push((error as Error).message)
      return undefined
    }
  }
  // Before the questions: whoever answered them all should not learn then that a file is missing.
  const pair = await orFault(options.pair ? readPairing(options.pair) : undefined)
  const secrets: Record<string, string> = {}
  for (const { name } of SECRETS.filter((secret) => isFor(secret, zone))) {
    const file = options[camelCase(`${name}-file`)]
    const secret = await orFault(file ? readSecret(file).then((text) => bareToken(name, text)) : undefined)
    if (secret) secrets[name] = secret
  }
  if (options.owner && !parseOwner(options.owner))
    faults.push(`--owner: expected numbers, such as 1000:1000, got ${JSON.stringify(options.owner)}`)
  const further = furtherSettings(options.set, await namesOfSettings(zone))
  faults.push(...further.faults)
  const settings = { ...further.settings, ...givenSettings(zone, options) }
  const plan = {
    root,
    zone,
    settings,
    secrets,
    ...(pair && { pair }),
    ...(options.hubHost && { hubHost: options.hubHost }),
  }
  faults.push(...(await planFaults(plan)))
  // A home that exists is repaired, not asked about again.
  if (!ask || !target.isNew || faults.length > 0) return { plan, faults }
  return { plan: await askForTheRest(plan, ask), faults }
}

function givenSettings(zone: Zone, options: InitOptions): Record<string, string> {
  const given = FLAGS.filter((flag) => isFor(flag, zone)).map((one) => [
    one.setting,
    options[camelCase(one.flag)] ?? '',
  ])
  return Object.fromEntries(given.filter(([, value]) => value !== ''))
}

/** What `--set` said, a line each. A mistyped name would stand in the file and mean nothing. */
function furtherSettings(given: string | undefined, known: ReadonlySet<string>) {
  const settings: Record<string, string> = {}
  const faults: string[] = []
  for (const line of given?.split('\n') ?? []) {
    const [, name = '', value = ''] = /^([A-Z0-9_]+)=(.*)$/.exec(line) ?? []
    if (name === '')
      faults.push(`--set: expected NAME=value, such as COUNTERSIGN_UNDO_MS=5000, got ${JSON.stringify(line)}`)
    else if (known.has(name)) settings[name] = value
    else faults.push(`--set: ${name} is no setting of this zone’s file`)
  }
  return { settings, faults }
}

async function namesOfSettings(zone: Zone): Promise<Set<string>> {
  const names = (await allSettings(zone)).flatMap((shape) => Object.values(shape).map(({ name }) => name))
  // The home itself says these.
  const own = ['ZONE', 'VAULT', 'STATE', 'KEYS', 'TRUST'].map((name) => `COUNTERSIGN_${name}`)
  return new Set(names.filter((name) => !own.includes(name)))
}

async function askForTheRest(plan: InitPlan, ask: Ask): Promise<InitPlan> {
  const settings = { ...plan.settings }
  const secrets = { ...plan.secrets }
  const shapes = await serviceSettings(plan.zone)
  const isWanted = (one: Flag | (typeof SECRETS)[number]) =>
    isFor(one, plan.zone) &&
    (one.provider ?? providerOf(settings)) === providerOf(settings) &&
    (one.when?.(settings) ?? true)
  const faultIn = (setting: string) => (answer: string) =>
    shapes.flatMap((shape) => faultsOfGiven(shape, { [setting]: answer }))[0]?.replace(`${setting}: `, '')
  for (const one of FLAGS) {
    const { flag, setting, question } = one
    if (!question || settings[setting] !== undefined || !isWanted(one)) continue
    const standard = flag.endsWith('-user') ? settings.COUNTERSIGN_OWNER_ADDRESS : undefined
    const answer = await ask(question, { ...(standard && { standard }), faultIn: faultIn(setting) })
    if (answer !== '') settings[setting] = answer
  }
  for (const { name, question } of SECRETS.filter(isWanted)) {
    const answer = secrets[name] ?? (await ask(`${question} (not shown)`, { hidden: true }))
    if (answer !== '') secrets[name] = bareToken(name, answer)
  }
  if (plan.zone === 'local' || plan.hubHost) return { ...plan, settings, secrets }
  const hubHost = await ask(HUB_QUESTION, {
    faultIn: (answer) => hubHostFaults(answer)[0]?.replace('--hub-host: ', ''),
  })
  return { ...plan, settings, secrets, ...(hubHost && { hubHost }) }
}

async function readSecret(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new CountersignError('ERR_USAGE', `reading the secret in ${file}: ${cause.code}`, { cause })
  })
  const secret = text.replace(/[\r\n]+$/, '')
  if (secret === '') throw new CountersignError('ERR_USAGE', `reading the secret in ${file}: the file is empty`)
  return secret
}

function providerOf(settings: Readonly<Record<string, string>>): string {
  return settings.COUNTERSIGN_MAIL_PROVIDER ?? 'smtp'
}

/** Of a token as Google's tools write it, what is secret or needed: every value of the file is kept out of the vault. */
function bareToken(name: string, text: string): string {
  if (name !== 'gmail-token' && name !== 'gmail-read-token') return text
  const fields = ['client_id', 'client_secret', 'refresh_token']
  try {
    const token = JSON.parse(text) as Record<string, unknown>
    if (fields.every((field) => typeof token[field] === 'string')) {
      const dates = ['obtained_at', 'expires_at'].filter((field) => typeof token[field] === 'number')
      return JSON.stringify(Object.fromEntries([...fields, ...dates].map((field) => [field, token[field]])))
    }
  } catch {
    // Said below.
  }
  throw new CountersignError('ERR_USAGE', `the Gmail token must be JSON with ${fields.join(', ')}`)
}

function isFor(one: { readonly zone?: Zone }, zone: Zone): boolean {
  return one.zone === undefined || one.zone === zone
}

function camelCase(flag: string): string {
  return flag.replace(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase())
}
