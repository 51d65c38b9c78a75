import type { Zone } from '#core/zone-policy.ts'

type SettingLine = {
  readonly name: string
  readonly comment: string
  readonly zones?: readonly Zone[]
  /** Shown commented out; what holds when it stays so. */
  readonly standard?: string
}

/** The settings a person may want to change, in the order of the file. Folders and secrets follow from the home. */
const LINES: readonly (SettingLine | string)[] = [
  'Whose assistant this is',
  { name: 'COUNTERSIGN_OWNER_ADDRESS', comment: 'the e-mail address that is read and answered' },
  { name: 'COUNTERSIGN_OWNER_NAME', comment: 'how drafts are signed', standard: '' },
  'The mailbox. IMAP: its password stands in secrets/imap-password; Gmail: `countersign auth gmail`. The cloud only ever reads it.',
  { name: 'COUNTERSIGN_MAILBOX_PROVIDER', comment: 'imap or gmail', standard: 'imap' },
  { name: 'COUNTERSIGN_IMAP_HOST', comment: 'for example imap.example.org' },
  { name: 'COUNTERSIGN_IMAP_PORT', comment: '993 for tls, 143 for starttls', standard: '993' },
  { name: 'COUNTERSIGN_IMAP_USER', comment: 'often the e-mail address' },
  { name: 'COUNTERSIGN_IMAP_TLS', comment: 'tls, starttls, or none (loopback only)', standard: 'tls' },
  { name: 'COUNTERSIGN_IMAP_MAILBOX', comment: 'the folder to watch', standard: 'INBOX' },
  { name: 'COUNTERSIGN_GMAIL_POLL_SECONDS', comment: 'how often Gmail is asked for news, 15 to 60', standard: '20' },
  {
    name: 'COUNTERSIGN_TRIAGE_SINCE_DAYS',
    comment: 'how far back the first look goes, in days',
    zones: ['cloud'],
    standard: '3',
  },
  {
    name: 'COUNTERSIGN_ALLOW_PLAINTEXT',
    comment: 'true lets passwords travel unencrypted beyond loopback',
    standard: 'false',
  },
  'How mail is sent. SMTP: the password stands in secrets/smtp-password; Gmail: the token in secrets/gmail-token. Local zone only.',
  { name: 'COUNTERSIGN_MAIL_PROVIDER', comment: 'smtp or gmail', zones: ['local'], standard: 'smtp' },
  { name: 'COUNTERSIGN_SMTP_HOST', comment: 'for example smtp.example.org', zones: ['local'] },
  { name: 'COUNTERSIGN_SMTP_PORT', comment: '465 for tls, 587 for starttls', zones: ['local'], standard: '465' },
  { name: 'COUNTERSIGN_SMTP_USER', comment: 'often the e-mail address', zones: ['local'] },
  {
    name: 'COUNTERSIGN_SMTP_TLS',
    comment: 'tls, starttls, or none (loopback only)',
    zones: ['local'],
    standard: 'tls',
  },
  'Social accounts, one a network (docs/social.md). Their credentials stand in social/, local zone only.',
  {
    name: 'COUNTERSIGN_SOCIAL_ACCOUNTS',
    comment: 'for example mastodon:@you@social.example, bluesky:you.bsky.social',
    standard: '',
  },
  'Odoo (docs/odoo.md). The API key of this zone’s own user stands in secrets/odoo-key; the cloud’s may only draft.',
  { name: 'COUNTERSIGN_ODOO_URL', comment: 'for example https://odoo.example.org', standard: '' },
  { name: 'COUNTERSIGN_ODOO_DB', comment: 'the name of its database', standard: '' },
  {
    name: 'COUNTERSIGN_ODOO_LOGIN',
    comment: 'the login of the key’s user; only an Odoo before 19 asks for it',
    standard: '',
  },
  'Models that draft and sort (docs/model.md). Their keys stand in secrets/anthropic-key and secrets/openai-key.',
  {
    name: 'COUNTERSIGN_MODEL_LARGE',
    comment: 'the one that drafts, as provider:model (anthropic:… or openai:…); empty: a template drafts',
    zones: ['cloud'],
    standard: '',
  },
  {
    name: 'COUNTERSIGN_MODEL_SMALL',
    comment: 'a cheaper one that sorts mail, and drafts at the cap; empty: the same',
    zones: ['cloud'],
    standard: '',
  },
  {
    name: 'COUNTERSIGN_MODEL_LARGE_PRICE',
    comment: 'US dollars for a million tokens in/out, such as 3/15; unset: the dearest is assumed',
    zones: ['cloud'],
    standard: '',
  },
  { name: 'COUNTERSIGN_MODEL_SMALL_PRICE', comment: 'of the cheaper one', zones: ['cloud'], standard: '' },
  {
    name: 'COUNTERSIGN_MODEL_DAILY_USD',
    comment: 'what models may cost in a day (UTC)',
    zones: ['cloud'],
    standard: '2',
  },
  {
    name: 'COUNTERSIGN_OPENAI_URL',
    comment: 'a server of OpenAI’s form, such as http://127.0.0.1:11434/v1',
    zones: ['cloud'],
    standard: 'https://api.openai.com/v1',
  },
  {
    name: 'COUNTERSIGN_ANTHROPIC_URL',
    comment: 'where Anthropic answers',
    zones: ['cloud'],
    standard: 'https://api.anthropic.com/v1',
  },
  'The hub: the git repository both zones share',
  {
    name: 'COUNTERSIGN_HUB_URL',
    comment: 'ssh://git@host:2222/… or a path; empty: the hub in this home',
    zones: ['cloud'],
    standard: '',
  },
  { name: 'COUNTERSIGN_HUB_URL', comment: 'taken from the pairing file', zones: ['local'] },
  { name: 'COUNTERSIGN_SYNC_POLL_MS', comment: 'how often the hub is asked for news', standard: '1000' },
  'Execution',
  {
    name: 'COUNTERSIGN_UNDO_MS',
    comment: 'how long an approval can be taken back before it is done',
    zones: ['local'],
    standard: '10000',
  },
  {
    name: 'COUNTERSIGN_INBOX_QUIET_MS',
    comment: 'how long a note in Inbox/ must have stood unchanged before it is taken, in milliseconds',
    zones: ['local'],
    standard: '30000',
  },
  'Telling you that something needs you (docs/notifications.md). Local zone only.',
  {
    name: 'COUNTERSIGN_NOTIFY_DESKTOP',
    comment: 'on, off, or auto: where this machine has a desktop',
    zones: ['local'],
    standard: 'auto',
  },
  {
    name: 'COUNTERSIGN_NOTIFY_NTFY_URL',
    comment: 'https://ntfy.sh/<topic>; a token stands in secrets/ntfy-token',
    zones: ['local'],
    standard: '',
  },
  {
    name: 'COUNTERSIGN_NOTIFY_WEBHOOK_URL',
    comment: 'called with JSON; what signs it stands in secrets/webhook-secret',
    zones: ['local'],
    standard: '',
  },
  {
    name: 'COUNTERSIGN_NOTIFY_DETAIL',
    comment: 'what leaves this machine: titles, or only counts',
    zones: ['local'],
    standard: 'titles',
  },
  {
    name: 'COUNTERSIGN_NOTIFY_EVERY_MINUTES',
    comment: 'at least so long between two notices',
    zones: ['local'],
    standard: '15',
  },
  {
    name: 'COUNTERSIGN_NOTIFY_AFTER_HOURS',
    comment: 'what has waited for longer is told of',
    zones: ['local'],
    standard: '24',
  },
  'Backups (docs/backup.md). Their password stands in secrets/backup-password: keep a copy of it elsewhere, too.',
  {
    name: 'COUNTERSIGN_BACKUP_TARGET',
    comment:
      'sftp:user@host:/path or s3:https://host/bucket; a path without containers; empty: the folder that compose mounts',
    standard: '',
  },
  {
    name: 'COUNTERSIGN_BACKUP_APPEND_ONLY',
    comment: 'true: nothing old is thrown away from here',
    standard: 'false',
  },
  'Running',
  { name: 'COUNTERSIGN_REDIS_URL', comment: 'this zone’s own Redis; compose sets it itself', standard: '' },
  { name: 'COUNTERSIGN_LOG_LEVEL', comment: 'debug, info, warn or error', standard: 'info' },
  { name: 'COUNTERSIGN_DRAIN_MS', comment: 'how long a stop may take', standard: '8000' },
]

/** A new settings file: every setting with its comment; those given a value are set, those with a standard one commented out. */
export function renderSettings(zone: Zone, values: Readonly<Record<string, string>>): string {
  const lines = [
    `# Settings of the ${zone} zone. Secrets do not belong here: each has a file of its own in secrets/.`,
    '',
  ]
  const known = new Set<string>()
  let heading = ''
  for (const one of LINES) {
    if (typeof one === 'string') heading = one
    else if (one.zones?.includes(zone) ?? true) {
      if (heading !== '') lines.push('', `## ${heading}`)
      heading = ''
      known.add(one.name)
      const value = values[one.name]
      const assignment =
        value === undefined && one.standard !== undefined
          ? `# ${one.name}=${one.standard}`
          : assign(one.name, value ?? '')
      lines.push(`# ${one.comment}`, assignment)
    }
  }
  const further = Object.entries(values).filter(([name]) => !known.has(name))
  if (further.length > 0) lines.push('', '## Further settings', ...further.map(([name, value]) => assign(name, value)))
  return `${lines.join('\n')}\n`
}

/**
 * The same file with values put where it has none. A value that stands there is the person's and is kept; `kept` names
 * the settings for which another one had been given.
 */
export function fillSettings(
  text: string,
  values: Readonly<Record<string, string>>,
): { readonly text: string; readonly kept: readonly string[] } {
  const kept: string[] = []
  let result = text
  for (const [name, value] of Object.entries(values)) {
    const current = new RegExp(`^${name}=(.*)$`, 'm').exec(result)
    const line = assign(name, value)
    if (current?.[1]?.trim()) {
      if (current[0] !== line) kept.push(name)
    } else if (current) result = result.replace(current[0], () => line)
    else {
      const commented = new RegExp(`^# ${name}=.*$`, 'm')
      result = commented.test(result) ? result.replace(commented, () => line) : `${result.trimEnd()}\n${line}\n`
    }
  }
  return { text: result, kept }
}

function assign(name: string, value: string): string {
  return /^[\w@%+=:,./-]*$/.test(value) ? `${name}=${value}` : `${name}='${value.replaceAll("'", '’')}'`
}
