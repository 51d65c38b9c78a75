import { type Amount, findAmounts, readAmount } from './amounts.ts'
import { readContacts } from './handbook-contacts.ts'
import {
  linesUnder,
  MAX_PROBLEMS,
  MAX_SHOWN_CHARS,
  NO_ITEM,
  plainItem,
  type RuleProblem,
  TRIAGE_HEADING,
  withoutComments,
} from './handbook-lines.ts'
import { findIbans } from './iban.ts'
import { decodedDomain } from './look-alike.ts'
import {
  DUPLICATE_DAYS,
  type PaymentLimit,
  type PaymentRules,
  readDuplicateDays,
  readPaymentLimit,
} from './payment-rules.ts'
import { isZone, type QuietSpan, readQuietHours } from './quiet-hours.ts'
import { DOMAINS, type Domain } from './vault-path.ts'

/** At most this many acts by a channel (`email`, `social` …) in so many milliseconds. */
export interface Pace {
  readonly channel: string
  readonly count: number
  readonly windowMs: number
}

/** What a person ordered in `Company_Handbook.md`. */
export interface HandbookRules {
  readonly quiet: readonly QuietSpan[]
  /** Milliseconds after which a draft of the domain expires. */
  readonly expiry: Readonly<Partial<Record<Domain, number>>>
  readonly maxRecipients: number | undefined
  /** An amount over one of these needs a typed code; one for each currency. */
  readonly codeOver: readonly Amount[]
  readonly pace: readonly Pace[]
  /** Domains and addresses that always need a typed code. */
  readonly flagged: readonly string[]
  readonly payees: readonly string[]
  readonly payments: PaymentRules
  /** Whether drafts that the person changed become examples for the drafter. */
  readonly remembersEdits: boolean
  readonly contacts: { readonly addresses: readonly string[]; readonly domains: readonly string[] }
  /** Every host named anywhere in the handbook. */
  readonly hosts: readonly string[]
  readonly problems: readonly RuleProblem[]
}

/** A larger note is no handbook: nothing of it would be read as the person means it. */
export const MAX_HANDBOOK_BYTES = 200_000
const RULES_HEADING = /^\W*(?:the |our |my |house )?rules\W*$/i
const UNIT_MS: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
}
const CHANNELS: Readonly<Record<string, string>> = {
  ...{ mail: 'email', 'e-mail': 'email', email: 'email', message: 'whatsapp', post: 'social', payment: 'payment' },
  ...{ invoice: 'books' },
}
const UNIT = '(minute|hour|day|week)s?'
const DOMAIN_WORD = DOMAINS.join('|')

/** While a section is read; the person's line decides which of these it changes. */
interface Draft {
  quiet: { spans: QuietSpan[]; hasZone: boolean }[]
  zone: string | undefined
  expiry: Partial<Record<Domain, number>>
  maxRecipients: number | undefined
  codeOver: Amount[]
  pace: Pace[]
  flagged: string[]
  payees: string[]
  paymentLimits: PaymentLimit[]
  duplicateDays: number | undefined
  unreadPayments: string[]
  remembersEdits: boolean
}

/** A kind of rule: how its line begins, and how the rest is taken over. Gives what is wrong with it, in words. */
interface RuleKind {
  readonly begins: RegExp
  readonly take: (rest: string, draft: Draft, line: string) => string | undefined
}

const KINDS: readonly RuleKind[] = [
  { begins: /^(?:quiet (?:hours?|times?)|do not disturb)\b[:\s]*/i, take: takeQuiet },
  { begins: /^time ?zone\b[:\s]*/i, take: takeZone },
  { begins: /^(?:drafts? )?expir(?:es?|y)(?: after)?\b[:\s]*/i, take: takeExpiry },
  { begins: /^(?:known |my )?payees?\b[:\s]*/i, take: takePayees },
  {
    begins: /^(?:(?:look|watch|check) for )?(?:duplicate payments?|double payments?|duplicates?)\b[:\s]*/i,
    take: takeDuplicates,
  },
  { begins: /^(?:(?:do not|don['’]t|never) )?remember(?: (?:my|the))? edits?\b[:\s]*/i, take: takeRemember },
  { begins: /^(?:always )?flag(?:ged)?(?: (?:domains?|addresses|recipients?))?\b[:\s]*/i, take: takeFlagged },
  {
    begins:
      /^(?:(?:ask for|need|require) a (?:typed )?code|(?:typed )?code(?: needed| required)?|amount limit)\b[:\s]*/i,
    take: takeLimit,
  },
  { begins: /^amounts? (?=over|above|of more than)/i, take: takeLimit },
  { begins: /^(?:at most\b|no more than\b|max(?:imum\b|\.|\b))[:\s]*/i, take: takeMost },
]

/**
 * Reads the lists under the headings "Rules" and the known contacts. A person's small liberties are understood (dashes,
 * blanks, capitals, clock times); a line that is not is a problem in words, never ignored. Never throws.
 */
export function readHandbookRules(text: string): HandbookRules {
  const draft: Draft = {
    ...{ quiet: [], zone: undefined, expiry: {}, maxRecipients: undefined },
    ...{ codeOver: [], pace: [], flagged: [], payees: [], remembersEdits: true },
    ...{ paymentLimits: [], duplicateDays: undefined, unreadPayments: [] },
  }
  const problems: RuleProblem[] = []
  if (Buffer.byteLength(text) > MAX_HANDBOOK_BYTES)
    return withDraft(draft, '', [{ line: 1, text: '', say: `the handbook is over ${MAX_HANDBOOK_BYTES / 1000} kB` }])
  const { lines, isCommentOpen } = withoutComments(text)
  for (const { line, text: written } of linesUnder(RULES_HEADING, lines, TRIAGE_HEADING)) {
    const say = takeLine(written, draft)
    if (say === undefined) continue
    const text = written.slice(0, MAX_SHOWN_CHARS)
    problems.push({ line, text, say })
    if (mayLimitPayments(written)) draft.unreadPayments.push(`line ${line}, “${text}”: ${say}`)
  }
  if (isCommentOpen) problems.push({ line: lines.length, text: '<!--', say: 'a comment is opened and never closed' })
  if (draft.quiet.some(({ hasZone }) => !hasZone) && draft.zone === undefined)
    problems.push({ line: 1, text: 'quiet hours', say: 'no time zone is named (such as Europe/Berlin), so UTC counts' })
  return withDraft(draft, lines.join('\n'), problems)
}

function withDraft(draft: Draft, text: string, problems: readonly RuleProblem[]): HandbookRules {
  const { quiet, zone, paymentLimits, duplicateDays, unreadPayments, ...rest } = draft
  const { addresses, domains, hosts, ibans } = readContacts(text)
  return {
    ...rest,
    quiet: quiet.flatMap((one) => one.spans.map((span) => (one.hasZone || !zone ? span : { ...span, zone }))),
    payees: [...new Set([...draft.payees, ...ibans])],
    payments: { limits: paymentLimits, duplicateDays: duplicateDays ?? DUPLICATE_DAYS, unread: unreadPayments },
    contacts: { addresses, domains },
    hosts,
    problems: problems.slice(0, MAX_PROBLEMS),
  }
}

/** Of a line that is not understood, or not wholly: whether its writer may have meant to keep payments within bounds. */
function mayLimitPayments(written: string): boolean {
  const line = plainItem(written) ?? written
  const kind = KINDS.find(({ begins }) => begins.test(line))
  if (kind !== undefined && kind.take !== takeMost) return false
  return /\b(?:pay|pays|paid|paying|payments?|payees?|transfers?|spend)\b/i.test(line) || findAmounts(line).length > 0
}

function takeLine(written: string, draft: Draft): string | undefined {
  const line = plainItem(written)
  if (line === undefined) return NO_ITEM
  for (const { begins, take } of KINDS) {
    const start = begins.exec(line)?.[0]
    if (start !== undefined) return take(line.slice(start.length), draft, line)
  }
  return 'this rule is not known; docs/handbook.md lists what can be written'
}

function takeQuiet(rest: string, draft: Draft): string | undefined {
  const read = readQuietHours(rest)
  if (!read.ok) return read.say
  draft.quiet.push({ spans: [...read.spans], hasZone: read.hasZone })
  return undefined
}

function takeZone(rest: string, draft: Draft): string | undefined {
  const name = rest.trim()
  if (!isZone(name)) return `“${name.slice(0, 60)}” is no time zone; write one such as Europe/Berlin`
  if (draft.zone !== undefined) return 'a time zone is named twice'
  draft.zone = name
  return undefined
}

function takeExpiry(rest: string, draft: Draft): string | undefined {
  const all = new RegExp(`^(\\d{1,4}) ?${UNIT}$`, 'i').exec(rest)
  const parts = all ? DOMAINS.map((domain) => `${domain} ${rest}`) : rest.split(/[,;]| and /).map((one) => one.trim())
  const taken: Partial<Record<Domain, number>> = {}
  for (const part of parts) {
    const match = new RegExp(`^(${DOMAIN_WORD}|e-mail):? (?:after )?(\\d{1,4}) ?${UNIT}$`, 'i').exec(part)
    if (!match) return `“${part.slice(0, 60)}” is no domain with a time such as “email 7 days”`
    const domain = match[1]?.toLowerCase().replace('e-mail', 'email') as Domain
    const ms = Number(match[2]) * (UNIT_MS[match[3]?.toLowerCase() ?? ''] ?? 0)
    if (ms === 0) return 'a draft cannot expire at once'
    taken[domain] = ms
  }
  const isDouble = !all && Object.keys(taken).some((domain) => domain in draft.expiry)
  // The general line is the floor under the special ones, whichever stands first.
  draft.expiry = all ? { ...taken, ...draft.expiry } : { ...draft.expiry, ...taken }
  return isDouble ? 'the same domain has a time twice; the last one counts' : undefined
}

function takeMost(rest: string, draft: Draft): string | undefined {
  const recipients = /^(?:recipients?:? )?(\d{1,3})(?: recipients?)?(?: per (?:e-?mail|mail|message))?$/i.exec(rest)
  if (recipients && /recipient/i.test(rest)) {
    const count = Number(recipients[1])
    if (count === 0) return 'a mail needs at least one recipient'
    if (draft.maxRecipients !== undefined && draft.maxRecipients !== count) {
      draft.maxRecipients = Math.min(draft.maxRecipients, count)
      return 'the number of recipients is limited twice; the smaller one counts'
    }
    draft.maxRecipients = count
    return undefined
  }
  const limit = readPaymentLimit(rest)
  if (typeof limit === 'string') return limit
  if (limit !== undefined) {
    draft.paymentLimits.push(limit)
    return undefined
  }
  const pace = new RegExp(
    `^(\\d{1,5}) (${Object.keys(CHANNELS).join('|')})s?,? (?:per|an?|each|every) ${UNIT}$`,
    'i',
  ).exec(rest)
  const channel = CHANNELS[pace?.[2]?.toLowerCase() ?? '']
  if (!pace || !channel)
    return 'write “at most 10 recipients”, “at most 20 mails per hour” (mails, posts, messages, payments, invoices) or “at most 500 EUR per payment”'
  if (Number(pace[1]) === 0) return 'a pace of none would stop everything: use HALT.md for that'
  draft.pace.push({ channel, count: Number(pace[1]), windowMs: UNIT_MS[pace[3]?.toLowerCase() ?? ''] ?? 0 })
  return undefined
}

function takeLimit(rest: string, draft: Draft): string | undefined {
  const amounts = rest
    .replace(/^(?:for )?(?:amounts? )?(?:over|above|of more than|from):? /i, '')
    .replace(/ (?:need|needs|require|requires|ask for) (?:a )?(?:typed )?code$/i, '')
  const read = amounts.split(/ (?:or|and) |[;/]/).map((one) => readAmount(one))
  const limits = read.filter((one) => one !== undefined)
  if (limits.length === 0 || limits.length < read.length)
    return 'write an amount with its currency, such as “ask for a code over 500 EUR”'
  const isDouble = limits.some(({ currency }) => draft.codeOver.some((one) => one.currency === currency))
  draft.codeOver.push(...limits)
  return isDouble ? 'the same currency has a limit twice; the smaller one counts' : undefined
}

function takeFlagged(rest: string, draft: Draft): string | undefined {
  const words = rest.split(/[,;\s]+|\band\b/).filter((word) => word !== '')
  const isName = (word: string) => /^(?:[^\s@]{1,64}@|@)?[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+$/u.test(word)
  const odd = words.find((word) => !isName(word))
  if (odd !== undefined || words.length === 0) return `“${odd ?? rest}” is neither a domain nor an address`
  draft.flagged.push(...words.map((word) => flaggedName(word.replace(/^@/, ''))))
  return undefined
}

function flaggedName(word: string): string {
  const at = word.lastIndexOf('@')
  return at < 0 ? decodedDomain(word) : `${word.slice(0, at).toLowerCase()}@${decodedDomain(word.slice(at + 1))}`
}

function takePayees(rest: string, draft: Draft): string | undefined {
  const { valid, broken } = findIbans(rest)
  draft.payees.push(...valid)
  if (broken.length > 0) return 'the check digits of an account number (IBAN) are wrong'
  return valid.length === 0 ? 'it names no account number (IBAN)' : undefined
}

function takeDuplicates(rest: string, draft: Draft): string | undefined {
  const days = readDuplicateDays(rest)
  if (days === undefined) return 'write how far back to look, such as “duplicate payments: 90 days”; at least a day'
  const isDouble = draft.duplicateDays !== undefined
  draft.duplicateDays = Math.max(days, draft.duplicateDays ?? 0)
  return isDouble ? 'this is said twice; the longer time counts' : undefined
}

function takeRemember(rest: string, draft: Draft, line: string): string | undefined {
  const isNegated = /^(?:do not|don['’]t|never) /i.test(line)
  const isYes = /^(?:yes|on|true|always)?$/i.test(rest)
  draft.remembersEdits = isYes && !isNegated
  // What is not understood is not remembered.
  return isYes || (/^(?:no|off|false|never)$/i.test(rest) && !isNegated)
    ? undefined
    : 'write “remember my edits: no”, or yes'
}
