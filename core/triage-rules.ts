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
import { decodedDomain, sameAddress } from './look-alike.ts'

/** What a mail can become a task of. Everything else about it is decided by the owner's own rules. */
export const MAIL_DOMAINS = ['email', 'accounting', 'payment', 'social'] as const
export type MailDomain = (typeof MAIL_DOMAINS)[number]
export const PRIORITIES = ['urgent', 'high', 'normal', 'low'] as const
export type Priority = (typeof PRIORITIES)[number]

type Where = 'subject' | 'text' | 'anywhere'

/** All of a rule's conditions must hold, and of each one of its names or words. */
type Condition =
  /** Addresses, and domains with everything below them, as `sameAddress` and `decodedDomain` spell them. */
  | { readonly what: 'from' | 'to'; readonly names: readonly string[] }
  | { readonly what: 'words'; readonly where: Where; readonly words: readonly string[] }

export interface TriageRule {
  /** Where it stands in the handbook, counted from 1. */
  readonly line: number
  readonly conditions: readonly Condition[]
  readonly domain: MailDomain | 'skip' | undefined
  readonly priority: Priority | undefined
}

export interface TriageRules {
  readonly rules: readonly TriageRule[]
  readonly problems: readonly RuleProblem[]
}

/** What rules look at. */
export interface SortedMail {
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
}

const MAX_RULES = 500
/** Of a mail's text, rules look at so much. */
const MAX_TEXT_CHARS = 100_000
const EFFECTS: readonly (readonly [RegExp, Pick<TriageRule, 'domain'> | Pick<TriageRule, 'priority'>])[] = [
  [/^(?:skip(?:ped)?|ignore[d]?|drop|no task|nothing)$/, { domain: 'skip' }],
  [/^(?:e-?mails?|repl(?:y|ies)|answer)$/, { domain: 'email' }],
  [/^(?:accounting|book-?keeping|invoices?(?: requests?)?)$/, { domain: 'accounting' }],
  [/^(?:payments?|bills?|to pay)$/, { domain: 'payment' }],
  [/^(?:social(?: media)?|posts?)$/, { domain: 'social' }],
  [/^urgent$/, { priority: 'urgent' }],
  [/^(?:high|important)$/, { priority: 'high' }],
  [/^normal$/, { priority: 'normal' }],
  [/^(?:low|unimportant|not important)$/, { priority: 'low' }],
]
const ARROW = /\s*(?:->|=>|→|⇒|:|=|\b(?:is|are|goes? (?:in)?to|go (?:in)?to|means?|as)\b)\s*/giu
const FILLERS = new Set(
  'a an any all every everything anything mail mails e-mail e-mails email emails message messages the that which whose who with where and or if when in is are of has have having contain contains containing includes including says saying word words sender'.split(
    ' ',
  ),
)
const NAME = /^(?:[^\s@"]{1,64}@|@)?[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+$/u
const QUOTED = /["“”„«»]([^"“”„«»]{1,200})["“”„«»]/gu
const TOKEN = /\u0001\d+\u0001|[^\s,;()]+|,/gu

/**
 * Reads the lists under the headings "Triage": `mail from @bank.example: skip`, `"invoice request" in the subject:
 * accounting`, `from anna@client.example: urgent`. A line that is not understood is a problem in words. Never throws.
 */
export function readTriageRules(handbook: string): TriageRules {
  const rules: TriageRule[] = []
  const problems: RuleProblem[] = []
  for (const { line, text } of linesUnder(TRIAGE_HEADING, withoutComments(handbook).lines)) {
    const read = rules.length < MAX_RULES ? readRule(text) : `there are more than ${MAX_RULES} rules`
    if (typeof read === 'string') problems.push({ line, text: text.slice(0, MAX_SHOWN_CHARS), say: read })
    else rules.push({ line, ...read })
  }
  return { rules, problems: problems.slice(0, MAX_PROBLEMS) }
}

/** Whether all that a rule names holds for the mail, which is looked through once for all rules. */
export function rulesFor(mail: SortedMail): (rule: TriageRule) => boolean {
  let folded: { readonly subject: string; readonly text: string } | undefined
  const wordsOf = (where: Where) => {
    folded ??= { subject: foldedText(mail.subject), text: foldedText(mail.text.slice(0, MAX_TEXT_CHARS)) }
    return where === 'anywhere' ? [folded.subject, folded.text] : [folded[where]]
  }
  return (rule) =>
    rule.conditions.every((one) => {
      if (one.what === 'words') return wordsOf(one.where).some((text) => one.words.some((word) => text.includes(word)))
      const addresses = one.what === 'from' ? [mail.from] : mail.to
      return addresses.some((address) => one.names.some((name) => isNamed(address, name)))
    })
}

function isNamed(address: string, name: string): boolean {
  if (name.includes('@')) return sameAddress(address) === name
  const domain = decodedDomain(address.slice(address.lastIndexOf('@') + 1))
  return domain === name || domain.endsWith(`.${name}`)
}

/** Without case, accents and line breaks, so that what looks the same to a person is the same. */
function foldedText(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/\s+/g, ' ').trim()
}

type ReadRule = Omit<TriageRule, 'line'>

/** The rule, or what is wrong with it, in words. */
function readRule(written: string): ReadRule | string {
  const item = plainItem(written)
  if (item === undefined) return NO_ITEM
  const quoted: string[] = []
  const plain = item.replace(QUOTED, (_whole, words: string) => ` \u0001${quoted.push(words) - 1}\u0001 `).trim()
  let found: string | undefined
  for (const [when, then] of splits(plain)) {
    const effect = readEffect(then)
    if (typeof effect === 'string') continue
    const conditions = readConditions(when, quoted)
    if (typeof conditions !== 'string') return { conditions, ...effect }
    found ??= conditions
  }
  return (
    found ??
    'say what is to be done with which mail, such as “mail from @bank.example: skip” (skip, email, accounting, payment, social; urgent, high, normal, low)'
  )
}

/** Every way to read a line as a condition and an effect: `from x: skip`, `skip: from x`, `skip mail from x`. */
function* splits(plain: string): Generator<readonly [string, string]> {
  for (const { 0: arrow, index } of [...plain.matchAll(ARROW)].toReversed()) {
    const [left, right] = [plain.slice(0, index), plain.slice(index + arrow.length)]
    yield [left, right]
    yield [right, left]
  }
  const verb = /^(skip|ignore)\s+(.+)$/i.exec(plain)
  if (verb) yield [verb[2] ?? '', verb[1] ?? '']
}

function readEffect(text: string): Pick<TriageRule, 'domain' | 'priority'> | string {
  const effect: { domain?: TriageRule['domain']; priority?: TriageRule['priority'] } = {}
  const parts = text.toLowerCase().split(/[,;+/&]|\band\b/)
  for (const part of parts) {
    const word = part
      .replace(/\b(?:with|of|in|a|an|the|priority|always|please)\b/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
    const known = EFFECTS.find(([pattern]) => pattern.test(word))?.[1]
    if (!known) return word
    if (('domain' in known && effect.domain) || ('priority' in known && effect.priority)) return word
    Object.assign(effect, known)
  }
  return { domain: effect.domain, priority: effect.priority }
}

function readConditions(text: string, quoted: readonly string[]): Condition[] | string {
  const names = { from: [] as string[], to: [] as string[] }
  const words: { where: Where; words: string[] }[] = []
  let side: 'from' | 'to' = 'from'
  let where: Where = 'anywhere'
  /** Whether the next words are one more choice of the condition before. */
  let isChoice = false
  for (const [token] of text.matchAll(TOKEN)) {
    const word = token.toLowerCase().replace(/:+$/, '')
    const last = words.at(-1)
    if (token.startsWith('\u0001')) {
      const one = foldedText(quoted[Number(token.slice(1, -1))] ?? '')
      if (one === '') return 'there is nothing between the quotes'
      if (isChoice && last) last.words.push(one)
      else words.push({ where, words: [one] })
      isChoice = false
    } else if (word === 'or' || word === ',') isChoice = true
    else if (word === 'and') {
      isChoice = false
      where = 'anywhere'
    } else if (/^(?:from|by)$/.test(word)) side = 'from'
    else if (word === 'to') side = 'to'
    else if (/^(?:subject|title|text|body|anywhere)$/.test(word)) {
      where = word === 'title' ? 'subject' : word === 'body' ? 'text' : (word as Where)
      // `"x" in the subject`: it was said of the words before.
      if (last && isChoice) last.where = 'anywhere'
      else if (last && last.where === 'anywhere')
        for (const one of words) if (one.where === 'anywhere') one.where = where
    } else if (NAME.test(token)) names[side].push(spelled(token))
    else if (!FILLERS.has(word) && word !== 'sent' && word !== 'coming')
      return `“${token.slice(0, 60)}” is not understood`
  }
  const conditions: Condition[] = [
    ...(['from', 'to'] as const).flatMap((what) => (names[what].length > 0 ? [{ what, names: names[what] }] : [])),
    ...words.map((one) => ({ what: 'words' as const, ...one })),
  ]
  return conditions.length > 0 ? conditions : 'it names no sender and no “words” between quotes'
}

function spelled(token: string): string {
  const bare = token.replace(/^@/, '').replace(/\.$/, '')
  return bare.includes('@') ? sameAddress(bare) : decodedDomain(bare)
}
