import { type Amount, readAmount, sayAmount } from './amounts.ts'
import { decimalOf } from './decimal.ts'
import { findIbans, shownIban } from './iban.ts'
import { fullAmount, type PaymentAction } from './payment-action.ts'

/** At most so much: in one payment, or in all of a time, or of a time and to one account. */
export interface PaymentLimit {
  readonly amount: Amount
  /** Undefined: in one payment. */
  readonly windowMs: number | undefined
  /** `each`: to every account by itself; an IBAN: to that one; undefined: to all together. */
  readonly payee: 'each' | (string & {}) | undefined
  /** As the owner wrote it, for the card. */
  readonly written: string
}

/** What the owner's handbook says of payments. */
export interface PaymentRules {
  readonly limits: readonly PaymentLimit[]
  /** So many days back a payment of the same to the same is taken for the same. */
  readonly duplicateDays: number
  /** Lines that seem to speak of payments and are not understood, with what is wrong; while there is one, nothing is paid. */
  readonly unread: readonly string[]
}

/** What was paid by this machine, or may have been. */
export interface PastPayment {
  readonly taskId: string
  /** When it was meant to be paid, ms. */
  readonly at: number
  /** False where only the person can tell whether it was done, and has not said so yet. */
  readonly isSure: boolean
  readonly action: PaymentAction
}

export interface PaymentFault {
  readonly rule: 'payment-limit' | 'payment-duplicate' | 'payment-rule-unread'
  readonly say: string
}

export const DUPLICATE_DAYS = 90
const DAY_MS = 86_400_000
const WINDOW_MS: Readonly<Record<string, number>> = { day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS }

/**
 * The rest of a line after “at most”: `500 EUR per payment`, `2,000 EUR per day`, `1,000 EUR per payee and month`,
 * `1,200 EUR to DE89 3704 … per month`. Undefined: it speaks of no money; a text: what is wrong with it.
 */
export function readPaymentLimit(rest: string): PaymentLimit | string | undefined {
  const split = /^(.+?),? (?:(?:for|in|to|per|an?|each|every|within)\b.*)$/i.exec(rest)
  const amount = readAmount(split?.[1] ?? rest)
  if (!split || !amount)
    return amount ? 'say what it is for: “per payment”, “per day”, “per payee and month”' : undefined
  const of = rest
    .slice(split[1]?.length ?? 0)
    .replace(/^,/, '')
    .trim()
  if (amount.cents === 0) return 'a limit of nothing would stop every payment: use HALT.md for that'
  const limit = { amount, written: rest }
  if (/^(?:per|an?|each|every|in one|for one|for each) (?:single )?(?:payment|transfer)$/i.test(of))
    return { ...limit, windowMs: undefined, payee: undefined }
  const time = /(?:^| |,)(?:(?:per|an?|each|every|within an?|and(?: per)?) )?(day|week|month)$/i.exec(of)
  const windowMs = WINDOW_MS[time?.[1]?.toLowerCase() ?? '']
  const who = (time ? of.slice(0, time.index) : of).replace(/,$/, '').trim()
  if (/^(?:per|to (?:an?|each|every|one)|each|every) (?:payee|account|supplier)$/i.test(who))
    return { ...limit, windowMs, payee: 'each' }
  const { valid, broken } = findIbans(who)
  if (broken.length > 0) return 'the check digits of an account number (IBAN) are wrong'
  if (/^to\b/i.test(who) && valid.length === 1) return { ...limit, windowMs, payee: valid[0] }
  if (who === '' && windowMs !== undefined) return { ...limit, windowMs, payee: undefined }
  return 'write “at most 500 EUR per payment”, “per day”, “per week”, “per month”, “per payee and month” or “to DE89 … per month”'
}

/** Days, of `for 60 days back` and the like; undefined: not understood. */
export function readDuplicateDays(rest: string): number | undefined {
  const match = /^(?:of |for |within |in )?(?:the )?(?:last )?(\d{1,3}) ?(day|week|month)s?(?: back| long)?$/i.exec(
    rest.trim(),
  )
  const days = (Number(match?.[1]) * (WINDOW_MS[match?.[2]?.toLowerCase() ?? ''] ?? Number.NaN)) / DAY_MS
  return days >= 1 && days <= 730 ? days : undefined
}

/**
 * Why it must not be paid now, by the owner's rules and what was paid before: over a limit, or paid already. What may
 * have been paid counts as paid. The same function judges the card and the moment right before the act.
 */
export function paymentRulesFault(
  action: PaymentAction,
  { rules, past, taskId, now }: { rules: PaymentRules; past: readonly PastPayment[]; taskId: string; now: number },
): PaymentFault | undefined {
  const [unread] = rules.unread
  if (unread !== undefined)
    return {
      rule: 'payment-rule-unread',
      say: `Your handbook has a rule on payments that is not understood (${unread}). It may be a limit, so nothing is paid until it is written as docs/handbook.md says, or taken out.`,
    }
  const others = past.filter((one) => one.taskId !== taskId)
  return duplicateFault(action, others, rules, now) ?? limitFault(action, others, rules.limits, now)
}

function duplicateFault(
  action: PaymentAction,
  others: readonly PastPayment[],
  { duplicateDays }: PaymentRules,
  now: number,
): PaymentFault | undefined {
  const same = others
    .filter((one) => one.at > now - duplicateDays * DAY_MS && isSame(one.action, action))
    .toSorted((a, b) => a.at - b.at)
  const newest = same.at(-1)
  // Each further time is decided by itself: the word counts for the newest one that was known when it was written.
  if (!newest || action.again === newest.taskId) return undefined
  const day = new Date(newest.at).toISOString().slice(0, 10)
  const was = newest.isSure ? 'was paid' : 'may have been paid (nobody said yet whether it was)'
  const what = isSameBill(newest.action, action) ? `The bill ${action.invoice}` : 'The same'
  return {
    rule: 'payment-duplicate',
    say: `${what} ${was} on ${day} by the task ${newest.taskId} (${sayPayment(newest.action)}, by ${newest.action.way}). To pay it once more on purpose, write “again: ${newest.taskId}” under "action:" and approve the new card.`,
  }
}

/** A bill is one: until the books know of the first payment, they call it open. A part of it is paid by `again`. */
function isSameBill(a: PaymentAction, b: PaymentAction): boolean {
  return a.invoice !== undefined && a.invoice === b.invoice
}

/** The same amount to the same account or name, and no two references that tell them apart; or the same bill. */
function isSame(a: PaymentAction, b: PaymentAction): boolean {
  if (isSameBill(a, b)) return true
  if (a.currency !== b.currency || fullAmount(a.amount, a.currency) !== fullAmount(b.amount, b.currency)) return false
  if (a.iban !== b.iban && folded(a.payee) !== folded(b.payee)) return false
  const [one, other] = [a, b].map((each) => each.creditor_reference)
  if (one !== undefined && other !== undefined) return one === other
  // A bill has a number and may have a creditor reference beside it: which of them was taken tells nothing apart.
  if (one !== undefined || other !== undefined) return true
  return holds(a.reference, b.reference) || holds(b.reference, a.reference)
}

/** Whether a reference says what another says, and perhaps more: a reminder names the bill and the customer. */
function holds(longer = '', shorter = ''): boolean {
  const words = folded(shorter)
  // Words and numbers are whole ones: bill 4 is not bill 42.
  const pieces = [...longer.matchAll(/\p{L}+|\p{N}+/gu)].map(([piece]) => folded(piece))
  const starts = pieces.map((_, at) => pieces.slice(at))
  return words === '' || starts.some((from) => from.some((_, end) => from.slice(0, end + 1).join('') === words))
}

function limitFault(
  action: PaymentAction,
  others: readonly PastPayment[],
  limits: readonly PaymentLimit[],
  now: number,
): PaymentFault | undefined {
  if (limits.length === 0) return undefined
  const say = (text: string): PaymentFault => ({ rule: 'payment-limit', say: text })
  const own = limits.filter(({ amount }) => amount.currency === action.currency)
  if (own.length === 0) {
    const known = [...new Set(limits.map(({ amount }) => amount.currency))].join(', ')
    return say(
      `Your handbook limits payments in ${known} and says nothing of ${action.currency}: write a limit for it, such as “at most 500 ${action.currency} per payment”.`,
    )
  }
  const sum = hundredths(action)
  for (const { amount, windowMs, payee, written } of own) {
    if (payee !== undefined && payee !== 'each' && payee !== action.iban) continue
    const counted = others.filter(
      (one) =>
        windowMs !== undefined &&
        one.at > now - windowMs &&
        one.action.currency === action.currency &&
        (payee === undefined || one.action.iban === action.iban),
    )
    const before = counted.reduce((total, one) => total + hundredths(one.action), 0n)
    if (sum + before <= BigInt(amount.cents)) continue
    const spent =
      before === 0n
        ? ''
        : `; ${sayAmount({ currency: action.currency, cents: Number(before) })} went out in that time already`
    return say(
      `${sayAmount({ currency: action.currency, cents: Number(sum) })} is over the limit of your handbook (at most ${written})${spent}. Nothing was paid. Raise the limit or wait, then approve again.`,
    )
  }
  return undefined
}

/** Rounded up, where a currency has more digits. */
function hundredths({ amount }: PaymentAction): bigint {
  const { units, scale } = decimalOf(amount)
  return scale <= 2
    ? units * 10n ** BigInt(2 - scale)
    : (units + 10n ** BigInt(scale - 2) - 1n) / 10n ** BigInt(scale - 2)
}

function sayPayment({ amount, currency, payee, iban }: PaymentAction): string {
  return `${fullAmount(amount, currency)} ${currency} to ${payee}, ${shownIban(iban)}`
}

/** Letters and digits in one case: how a name or a reference is typed does not make another one of it. */
export function folded(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
}
