import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import { type ConfigOf, SecretFile } from './config.ts'
import { isLoopback } from './config-rules.ts'
import { gmailReadingAccountOf, gmailServer, imapAccountOf, type MailboxConfig } from './mail-accounts.ts'
import type { ownerSettings } from './settings.ts'

/** A mailbox that triage watches. */
export type Mailbox = {
  /** Names it in readiness, metrics and notes; the one of the settings is `main`. */
  readonly name: string
  /** Whose mail comes here. */
  readonly address: string
  /** Under which its position is remembered. */
  readonly place: string
} & (
  | { readonly provider: 'imap'; readonly account: ReturnType<typeof imapAccountOf>; readonly folder: string }
  | { readonly provider: 'gmail'; readonly account: ReturnType<typeof gmailReadingAccountOf> }
)

/** The further mailboxes of a file, read once when the process starts. */
export class MailboxesFile {
  readonly path: string
  readonly entries: readonly FurtherMailbox[]

  constructor(path: string, entries: readonly FurtherMailbox[]) {
    this.path = path
    this.entries = entries
  }

  toString(): string {
    return `${this.path} (${this.entries.map(({ name }) => name).join(', ') || 'none'})`
  }
}

export const MAIN_MAILBOX = 'main'
const MAX_MAILBOXES = 20
const MAX_FILE_BYTES = 100_000

const common = {
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,29}$/, 'expected a short name of a-z, 0-9 and -')
    .refine((name) => name !== MAIN_MAILBOX, `"${MAIN_MAILBOX}" is the mailbox of the settings`),
  address: z
    .string()
    .regex(/^[^\s@<>]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/, 'expected an e-mail address')
    .transform((address) => address.toLowerCase()),
}
const oneLine = (what: string) => z.string().regex(/^[^\p{Cc}]{1,500}$/u, `expected ${what}`)
const imapMailbox = z
  .strictObject({
    ...common,
    provider: z.literal('imap'),
    host: z.string().regex(/^[A-Za-z0-9._-]{1,253}$|^[0-9A-Fa-f:.]{2,45}$/, 'expected a host name or an address'),
    port: z.int().min(1).max(65_535).default(993),
    user: oneLine('the user name of the mailbox'),
    password_file: oneLine('the path of a file'),
    tls: z.enum(['tls', 'starttls', 'none']).default('tls'),
    tls_ca_file: oneLine('the path of a file').optional(),
    folder: oneLine('a folder of the mailbox').default('INBOX'),
  })
  .refine(({ tls, host }) => tls !== 'none' || isLoopback(host), {
    path: ['tls'],
    error: 'none would send the password in clear text; use tls or starttls',
  })
const gmailMailbox = z.strictObject({
  ...common,
  provider: z.literal('gmail'),
  token_file: oneLine('the path of a file'),
})
const furtherMailbox = z.discriminatedUnion('provider', [imapMailbox, gmailMailbox])
export type FurtherMailbox = z.output<typeof furtherMailbox>
const fileSchema = z
  .strictObject({ mailboxes: z.array(furtherMailbox).max(MAX_MAILBOXES) })
  .superRefine(({ mailboxes }, context) => {
    for (const [index, one] of mailboxes.entries()) {
      const twin = mailboxes.findIndex((other) => other.name === one.name || placeOf(other) === placeOf(one))
      if (twin < index)
        context.addIssue({
          code: 'custom',
          path: ['mailboxes', index],
          message: `the same mailbox as ${twin + 1}, or of the same name`,
        })
    }
  })

/** A setting that names the file of further mailboxes; every fault in it, and in the secrets it names, is one of the setting. */
export function mailboxesFile(): z.ZodType<MailboxesFile | undefined, string | undefined> {
  return z
    .string()
    .transform((given, context) => {
      const path = resolve(given)
      const read = readMailboxes(path)
      if (read.ok) return new MailboxesFile(path, read.entries)
      for (const fault of read.faults) context.addIssue({ code: 'custom', message: fault })
      return z.NEVER
    })
    .optional()
}

/** The entries of such a file, whatever stands in the secrets it names. Throws ERR_CONFIG_INVALID. */
export function mailboxEntries(path: string): readonly FurtherMailbox[] {
  const read = readEntries(path)
  if (read.ok) return read.entries
  throw new CountersignError('ERR_CONFIG_INVALID', `${path}: ${read.faults.join('; ')}`)
}

type ReadMailboxes =
  | { readonly ok: true; readonly entries: readonly FurtherMailbox[] }
  | { readonly ok: false; readonly faults: readonly string[] }

function readMailboxes(path: string): ReadMailboxes {
  const read = readEntries(path)
  const faults = read.ok ? read.entries.flatMap((one) => secretFaults(one)) : []
  return faults.length > 0 ? { ok: false, faults } : read
}

function readEntries(path: string): ReadMailboxes {
  let json: unknown
  try {
    const text = readFileSync(path, 'utf8')
    if (text.length > MAX_FILE_BYTES) return { ok: false, faults: [`${path} is larger than ${MAX_FILE_BYTES} bytes`] }
    json = JSON.parse(text)
  } catch (error) {
    const found = error instanceof Error && 'code' in error ? String(error.code) : 'it is no JSON'
    return { ok: false, faults: [`cannot read ${path}: ${found}`] }
  }
  const parsed = fileSchema.safeParse(json)
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path: at, message }) => `${shownPath(at)}${message}`)
    return { ok: false, faults }
  }
  // A path in the file counts from the file, so that the folder may stand anywhere.
  const from = dirname(path)
  const entries = parsed.data.mailboxes.map((one) =>
    one.provider === 'gmail'
      ? { ...one, token_file: resolve(from, one.token_file) }
      : {
          ...one,
          password_file: resolve(from, one.password_file),
          ...(one.tls_ca_file && { tls_ca_file: resolve(from, one.tls_ca_file) }),
        },
  )
  return { ok: true, entries }
}

function shownPath(at: readonly PropertyKey[]): string {
  const path = at.map((part) => (typeof part === 'number' ? `${part + 1}` : String(part))).join('.')
  return path ? `${path}: ` : ''
}

function secretFaults(one: FurtherMailbox): string[] {
  const files = one.provider === 'gmail' ? [one.token_file] : [one.password_file, one.tls_ca_file]
  return files.flatMap((file) => {
    try {
      if (file) new SecretFile(file).read()
      return []
    } catch (error) {
      return [`${one.name}: ${(error as Error).message}`]
    }
  })
}

/** Every mailbox that is to be watched, that of the settings first. Throws ERR_CONFIG_INVALID when two are the same. */
export function mailboxesOf(
  config: MailboxConfig & ConfigOf<typeof ownerSettings> & { mailboxes: MailboxesFile | undefined },
): Mailbox[] {
  const main: Mailbox =
    config.mailboxProvider === 'gmail'
      ? {
          ...{ name: MAIN_MAILBOX, address: config.ownerAddress, provider: 'gmail' },
          ...{ place: `gmail/${config.ownerAddress.toLowerCase()}`, account: gmailReadingAccountOf(config) },
        }
      : {
          ...{ name: MAIN_MAILBOX, address: config.ownerAddress, provider: 'imap', folder: config.imapMailbox },
          ...{ place: `${config.imapUser}@${config.imapHost}/${config.imapMailbox}`, account: imapAccountOf(config) },
        }
  const further = (config.mailboxes?.entries ?? []).map((one) => furtherMailboxOf(one, config))
  const twin = further.find(({ place }) => place === main.place)
  if (twin)
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      `the mailbox ${twin.name} of COUNTERSIGN_MAILBOXES_FILE is the one of the settings; leave it out of the file`,
    )
  return [main, ...further]
}

function furtherMailboxOf(
  one: FurtherMailbox,
  { gmailUrl, egress: via }: Pick<MailboxConfig, 'gmailUrl' | 'egress'>,
): Mailbox {
  const about = { name: one.name, address: one.address, place: placeOf(one) }
  if (one.provider === 'gmail') {
    const token = new SecretFile(one.token_file)
    const credentials = async () => token.read()
    return {
      ...about,
      provider: 'gmail',
      account: { address: one.address, may: 'read', credentials, ...gmailServer(gmailUrl) },
    }
  }
  const password = new SecretFile(one.password_file)
  const account = {
    ...{ host: one.host, port: one.port, user: one.user, tls: one.tls, via, password: async () => password.read() },
    ...(one.tls_ca_file && { caPem: new SecretFile(one.tls_ca_file).read() }),
  }
  return { ...about, provider: 'imap', account, folder: one.folder }
}

function placeOf(one: FurtherMailbox): string {
  return one.provider === 'gmail' ? `gmail/${one.address}` : `${one.user}@${one.host}/${one.folder}`
}
