// size: one table, read from top to bottom
import type { Zone } from './zone-policy.ts'

/** How a credential comes to be, and so how `countersign rotate` gets a new one. */
export type Origin =
  /** By `init`, at random; nobody has to know it. */
  | 'random'
  /** As `random`, in the form that Redis's exporter reads its password in. */
  | 'watch'
  /** By whoever runs the server or service: the person gives it. */
  | 'given'
  /** By Google, when the person agrees in a browser. */
  | 'consent'
  /** By `init`, as one of the agent's three keys, which are replaced together. */
  | 'agent-key'
  /** Otherwise, as `steps` tells. */
  | 'other'

/** One credential or private key, as every list of them is to know it. Nothing here is a value. */
export interface Credential {
  /** As `countersign rotate` takes it. */
  readonly name: string
  /** What it is, for a person. */
  readonly what: string
  /** Where it lies below the zone home; ending in `/`, a folder with one file for each. */
  readonly file: string
  /** The zones that may hold it, with the services that read it there. */
  readonly zones: Partial<Record<Zone, readonly string[]>>
  /** What whoever has it can do. */
  readonly may: string
  /** The setting that names its file, where one does. */
  readonly setting?: string
  readonly origin: Origin
  /** The compose files mount it whether or not it is used, so `init` makes it empty; empty is none. */
  readonly mayBeEmpty?: true
  /** What it is tried with before it takes the place of the old one. */
  readonly check?: 'mailbox' | 'sending' | 'model' | 'odoo' | 'social'
  /** Its readers look at the file once, when they start. */
  readonly readAtStart?: true
  /** What the person has to do: of `other` all there is, else what comes afterwards. `ZONE` and `HOME` stand for the zone and its home. */
  readonly steps?: readonly string[]
  /** How often it should be replaced, in days, without any cause; unset: never. */
  readonly everyDays?: number
}

const YEAR = 365
const HALF = 182
const TABLE = [
  {
    name: 'imap-password',
    what: 'the password of the mailbox',
    file: 'secrets/imap-password',
    zones: { cloud: ['triage'], local: ['executor'] },
    may: 'read the mailbox; at most providers send by SMTP as well, which no container of the cloud can reach',
    setting: 'COUNTERSIGN_IMAP_PASSWORD_FILE',
    origin: 'given',
    check: 'mailbox',
    everyDays: YEAR,
  },
  {
    name: 'smtp-password',
    what: 'the password of the server that mail is sent through',
    file: 'secrets/smtp-password',
    zones: { local: ['executor'] },
    may: 'send mail in your name',
    setting: 'COUNTERSIGN_SMTP_PASSWORD_FILE',
    origin: 'given',
    check: 'sending',
    everyDays: YEAR,
  },
  {
    name: 'gmail-read-token',
    what: 'the cloud’s token of Gmail',
    file: 'secrets/gmail-read-token',
    zones: { cloud: ['triage'] },
    may: 'read the mailbox',
    setting: 'COUNTERSIGN_GMAIL_READ_TOKEN_FILE',
    origin: 'consent',
  },
  {
    name: 'gmail-token',
    what: 'the local zone’s token of Gmail',
    file: 'secrets/gmail-token',
    zones: { local: ['executor'] },
    may: 'read the mailbox and send mail in your name',
    setting: 'COUNTERSIGN_GMAIL_TOKEN_FILE',
    origin: 'consent',
  },
  {
    name: 'gmail-push-key',
    what: 'the key of the Google service account that hears of new mail',
    file: 'secrets/gmail-push-key',
    zones: { cloud: ['triage'] },
    may: 'hear that something changed in the mailbox, not what',
    setting: 'COUNTERSIGN_GMAIL_PUSH_KEY_FILE',
    origin: 'given',
    steps: ['Delete the old key in Google’s console, under IAM, Service accounts, Keys.'],
    everyDays: YEAR,
  },
  {
    name: 'mailboxes',
    what: 'passwords and tokens of further mailboxes',
    file: 'mailboxes/',
    zones: { cloud: ['triage'] },
    may: 'read those mailboxes',
    origin: 'other',
    steps: ['Write the new password into the file that mailboxes/mailboxes.json names; it is read at the next login.'],
  },
  {
    name: 'odoo-key',
    what: 'the API key of this zone’s own user in Odoo',
    file: 'secrets/odoo-key',
    zones: { cloud: ['drafter'], local: ['executor'] },
    may: 'cloud: look and draft; local: post invoices and record payments',
    setting: 'COUNTERSIGN_ODOO_KEY_FILE',
    origin: 'given',
    mayBeEmpty: true,
    check: 'odoo',
    steps: ['Delete the old key in Odoo: as an administrator, under Settings, Users, the user’s Account Security.'],
    everyDays: HALF,
  },
  {
    name: 'odoo-db-password',
    what: 'the password of Odoo’s database',
    file: 'secrets/odoo-db-password',
    zones: { cloud: ['odoo', 'odoo-db', 'backup'] },
    may: 'read and write all of the books, from inside the zone’s network',
    origin: 'random',
    readAtStart: true,
    everyDays: YEAR,
  },
  {
    name: 'odoo-master-password',
    what: 'the master password of Odoo, whose database manager is off',
    file: 'secrets/odoo-master-password',
    zones: { cloud: ['odoo'] },
    may: 'nothing while the database manager is off; otherwise copy or drop the database',
    origin: 'random',
    readAtStart: true,
    everyDays: YEAR,
  },
  {
    name: 'anthropic-key',
    what: 'the API key of Anthropic',
    file: 'secrets/anthropic-key',
    zones: { cloud: ['triage', 'drafter'], local: ['drafter'] },
    may: 'use models at your expense',
    setting: 'COUNTERSIGN_ANTHROPIC_KEY_FILE',
    origin: 'given',
    mayBeEmpty: true,
    check: 'model',
    steps: ['Delete the old key at Anthropic’s site.'],
    everyDays: HALF,
  },
  {
    name: 'openai-key',
    what: 'the API key of the server of OpenAI’s form',
    file: 'secrets/openai-key',
    zones: { cloud: ['triage', 'drafter'], local: ['drafter'] },
    may: 'use models at your expense',
    setting: 'COUNTERSIGN_OPENAI_KEY_FILE',
    origin: 'given',
    mayBeEmpty: true,
    check: 'model',
    steps: ['Delete the old key at that server’s site.'],
    everyDays: HALF,
  },
  {
    name: 'social',
    what: 'credentials of social accounts, one file a network',
    file: 'social/',
    zones: { local: ['executor'] },
    may: 'post in your name',
    setting: 'COUNTERSIGN_SOCIAL_SECRETS',
    origin: 'other',
    steps: [
      'Get a new token at the network (docs/social.md) and write it into its file in social/; it is read at the next use.',
      'countersign --zone ZONE doctor',
      'Then withdraw the old one at the network.',
    ],
  },
  {
    name: 'whatsapp',
    what: 'the WhatsApp session',
    file: 'state/whatsapp/',
    zones: { local: ['whatsapp'] },
    may: 'read and write all your chats',
    origin: 'other',
    steps: ['On the telephone: WhatsApp, Linked devices, log this one out.', 'countersign whatsapp login'],
  },
  {
    name: 'browser',
    what: 'the browser profile that is logged in at your bank',
    file: 'state/browser/',
    zones: { local: ['browser'] },
    may: 'what your bank lets a session do; payments ask for its second factor',
    origin: 'other',
    steps: ['Log the session out at your bank.', 'countersign bank login'],
  },
  {
    name: 'ntfy-token',
    what: 'the token of the ntfy topic',
    file: 'secrets/ntfy-token',
    zones: { local: ['executor'] },
    may: 'write to and read your notices',
    setting: 'COUNTERSIGN_NOTIFY_NTFY_TOKEN_FILE',
    origin: 'given',
    steps: ['countersign notify --test', 'Then withdraw the old one at the ntfy server.'],
    everyDays: YEAR,
  },
  {
    name: 'webhook-secret',
    what: 'what the webhook’s signature is made with',
    file: 'secrets/webhook-secret',
    zones: { local: ['executor'] },
    may: 'forge notices to your webhook',
    setting: 'COUNTERSIGN_NOTIFY_WEBHOOK_SECRET_FILE',
    origin: 'given',
    steps: ['Give whoever receives the webhook the same secret.', 'countersign notify --test'],
    everyDays: YEAR,
  },
  {
    name: 'deadman-url',
    what: 'the address of the dead-man’s switch',
    file: 'secrets/deadman-url',
    zones: { cloud: ['health'], local: ['health'] },
    may: 'keep the switch quiet',
    setting: 'COUNTERSIGN_DEADMAN_URL_FILE',
    origin: 'given',
    readAtStart: true,
  },
  {
    name: 'redis-password',
    what: 'the password of the zone’s queue',
    file: 'secrets/redis-password',
    zones: { cloud: ['redis', 'drafter', 'sync'], local: ['redis', 'executor', 'drafter', 'sync'] },
    may: 'ring and read the zone’s queues, which hold ids, from inside its network',
    setting: 'COUNTERSIGN_REDIS_PASSWORD_FILE',
    origin: 'random',
    readAtStart: true,
    everyDays: YEAR,
  },
  {
    name: 'redis-watch',
    what: 'the password with which Redis is measured',
    file: 'secrets/redis-watch',
    zones: { cloud: ['redis', 'redis-exporter'], local: ['redis', 'redis-exporter'] },
    may: 'see Redis’s own figures',
    origin: 'watch',
    readAtStart: true,
    everyDays: YEAR,
  },
  {
    name: 'redis-board',
    what: 'the password with which the board looks at the queues',
    file: 'secrets/redis-board',
    zones: { cloud: ['redis', 'board'], local: ['redis', 'board'] },
    may: 'read the zone’s queues',
    origin: 'random',
    readAtStart: true,
    everyDays: YEAR,
  },
  {
    name: 'board-password',
    what: 'the password of the board of queues',
    file: 'secrets/board-password',
    zones: { cloud: ['board'], local: ['board'] },
    may: 'look at the queues, from this machine',
    origin: 'random',
    everyDays: YEAR,
  },
  {
    name: 'grafana-password',
    what: 'the password of Grafana’s admin',
    file: 'secrets/grafana-password',
    zones: { cloud: ['grafana'], local: ['grafana'] },
    may: 'see the dashboards and change the alerts',
    origin: 'random',
    everyDays: YEAR,
  },
  {
    name: 'backup-password',
    what: 'the password of the backups',
    file: 'secrets/backup-password',
    zones: { cloud: ['backup'], local: ['backup'] },
    may: 'read every backup, and so all of the zone',
    setting: 'COUNTERSIGN_BACKUP_PASSWORD_FILE',
    origin: 'random',
    steps: [
      'Keep a copy of the new password elsewhere: without it no backup can be read.',
      'Who had the old one and a copy of the backups can still read that copy: nothing takes that back.',
    ],
    everyDays: YEAR,
  },
  {
    name: 'backup-s3-key',
    what: 'the access key of the S3 server that backups go to',
    file: 'secrets/backup-s3-key',
    zones: { cloud: ['backup'], local: ['backup'] },
    may: 'write there, and what that server lets it do besides',
    setting: 'COUNTERSIGN_BACKUP_S3_KEY_FILE',
    origin: 'given',
    steps: ['countersign --zone ZONE backup list', 'Then delete the old key at that server.'],
    everyDays: YEAR,
  },
  {
    name: 'backup-ssh-key',
    what: 'the ssh key of the server that backups go to',
    file: 'secrets/backup-ssh-key',
    zones: { cloud: ['backup'], local: ['backup'] },
    may: 'write there, and what that server lets it do besides',
    setting: 'COUNTERSIGN_BACKUP_SSH_KEY_FILE',
    origin: 'given',
    steps: ['countersign --zone ZONE backup list', 'Then take the old one out of authorized_keys there.'],
    everyDays: YEAR,
  },
  {
    name: 'signing',
    what: 'the key that signs this agent’s commits',
    file: 'keys/signing',
    zones: { cloud: ['sync'], local: ['sync'] },
    may: 'write into the vault what this agent may write; cloud: drafts, nothing that is approved',
    origin: 'agent-key',
  },
  {
    name: 'deploy',
    what: 'the ssh key that opens the hub',
    file: 'keys/deploy',
    zones: { cloud: ['sync'], local: ['sync'] },
    may: 'fetch the vault from the hub, and push what is signed',
    origin: 'agent-key',
  },
  {
    name: 'ledger.pem',
    what: 'the key that signs checkpoints of this agent’s ledger',
    file: 'keys/ledger.pem',
    zones: { cloud: ['sync'], local: ['sync'] },
    may: 'vouch for a ledger of this agent',
    origin: 'agent-key',
  },
  {
    name: 'countersign-key',
    what: 'the countersigning key',
    file: 'keys/countersign.pem',
    zones: { local: ['executor'] },
    may: 'countersign: make an action count as approved',
    origin: 'other',
    steps: ['countersign rotate countersign-key'],
  },
  {
    name: 'countersign-passphrase',
    what: 'the passphrase of the countersigning key',
    file: 'secrets/countersign-passphrase',
    zones: { local: ['executor'] },
    may: 'open the countersigning key',
    setting: 'COUNTERSIGN_KEY_PASSPHRASE_FILE',
    origin: 'other',
    steps: ['countersign lock'],
  },
  {
    name: 'hub-host-key',
    what: 'the key by which the hub is recognised',
    file: 'hub/ssh_host_ed25519_key',
    zones: { cloud: ['hub'] },
    may: 'pass for the hub; what it would hand out is still judged by its signatures',
    origin: 'other',
    steps: [
      'docker compose -f compose.cloud.yml stop hub sync',
      'rm HOME/hub/ssh_host_ed25519_key HOME/hub/ssh_host_ed25519_key.pub',
      'countersign init cloud',
      'Carry HOME/pairing-cloud.json to your own machine and run there: countersign init local --pair pairing-cloud.json',
      'docker compose -f compose.cloud.yml up -d',
    ],
  },
] as const satisfies readonly Credential[]

/** Every credential and private key of both zones. */
export const CREDENTIALS: readonly Credential[] = TABLE

/** Those that the zone may hold. */
export function credentialsOf(zone: Zone): readonly Credential[] {
  return CREDENTIALS.filter(({ zones }) => zones[zone] !== undefined)
}

/** Those that belong to the other zone alone. */
export function foreignTo(zone: Zone): readonly Credential[] {
  return CREDENTIALS.filter(({ zones }) => zones[zone] === undefined)
}

/** undefined: there is none of that name. */
export function credentialNamed(name: string): Credential | undefined {
  return CREDENTIALS.find((one) => one.name === name)
}

/** Setting → the name of its file in `secrets/`, for each secret that a process of the zone is told of by its path. */
export function secretSettings(zone: Zone): Readonly<Record<string, string>> {
  const inSecrets = credentialsOf(zone).flatMap(({ setting, file }) =>
    setting?.endsWith('_FILE') && file.startsWith('secrets/') ? [[setting, baseName(file)] as const] : [],
  )
  return Object.fromEntries(inSecrets)
}

/** The credentials that this service of the zone has a use for. */
export function readBy(zone: Zone, service: string): readonly Credential[] {
  return credentialsOf(zone).filter(({ zones }) => zones[zone]?.includes(service))
}

/** `imap-password` of `secrets/imap-password`; of a folder, with its slash. */
export function baseName(file: string): string {
  return file.slice(file.lastIndexOf('/', file.length - 2) + 1)
}

/** Whether a file at this path, wherever a container has it, is the credential by its name, or lies in its folder. */
export function isAt(path: string, { file }: Credential): boolean {
  const name = `/${baseName(file)}`
  return name.endsWith('/') ? path.includes(name) : path.endsWith(name)
}

/** What is wrong with the mode of a secret file; undefined: nothing. 0600 and 0640 are right, and whatever is stricter. */
export function modeFault(mode: number): string | undefined {
  if ((mode & 0o027) === 0) return undefined
  const who = (mode & 0o007) === 0 ? 'others than its owner can change it' : 'everybody on this machine can open it'
  return `has mode ${(mode & 0o777).toString(8).padStart(4, '0')}: ${who}; chmod 600`
}

/** Why a zone does not start with this credential of the other one, and what to do. */
export function foreignFault(zone: Zone, where: string, { what, may }: Credential): string {
  const other = zone === 'cloud' ? 'local' : 'cloud'
  return `${where}: that is ${what}, which belongs to the ${other} zone and may ${may}. The ${zone} zone does not start with it: remove it here, and get a new one for the ${other} zone, since this machine had it`
}
