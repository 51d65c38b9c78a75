import { z } from 'zod'
import { type AnswerForm, answerForm } from './answer-form.ts'
import { recognizeLanguage } from './language.ts'
import { decodedDomain, sameAddress } from './look-alike.ts'
import { type SkipReason, skipReasons } from './mail.ts'
import { type MailSigns, ownWords, SIGN_LANGUAGES, signsOf } from './mail-signs.ts'
import type { IncomingMail } from './ports/mail.ts'
import { type MailDomain, type Priority, rulesFor, type TriageRule } from './triage-rules.ts'

/** What decided: a line of the handbook, a rule of the program, the model, or nothing in particular. */
export const DECIDERS = ['handbook', 'rule', 'model', 'default'] as const

/** Why a mail was sorted as it was, as its file and the ledger say it; never a stranger's words. */
export interface Decision {
  readonly by: (typeof DECIDERS)[number]
  readonly rule: string
}

export interface MailTask {
  readonly kind: 'task'
  readonly domain: MailDomain
  readonly priority: Priority
  /** BCP 47. */
  readonly language: string | undefined
  readonly classified: Decision
}

export type Classification =
  | MailTask
  | { readonly kind: 'skip'; readonly reason: SkipReason; readonly classified: Decision }

/** What a model is asked where the rules cannot tell. */
export interface Doubt {
  readonly task: MailTask
  /** It has the marks of mail that went to many: only then may a model say that nobody waits for an answer. */
  readonly looksBulk: boolean
}

export interface MailFacts {
  /** Lower case. */
  readonly ownAddresses: ReadonlySet<string>
  readonly rules: readonly TriageRule[]
  /** As `readContacts` gives them. */
  readonly contacts: { readonly addresses: readonly string[]; readonly domains: readonly string[] }
}

/** Nothing lifts these: an answer could start a loop, or there is nobody to answer. */
const FINAL: readonly SkipReason[] = ['delivery-report', 'auto-reply', 'no-sender', 'own-message']
const AUTO_REPLIED = /^auto-replied\b/i

/**
 * Sorts a mail by rules alone, the owner's first. `doubt` is set where they cannot tell and a model may be asked; until it
 * has answered, `classification` holds. Never throws.
 */
export function classifyMail(
  mail: IncomingMail,
  facts: MailFacts,
): { readonly classification: Classification; readonly doubt?: Doubt } {
  const reasons = skipReasons(mail, facts.ownAddresses)
  const isReply = AUTO_REPLIED.test(mail.headers.get('auto-submitted')?.[0]?.trim() ?? '')
  const final = reasons.find((reason) => FINAL.includes(reason) || (reason === 'auto-submitted' && isReply))
  if (final) return skipped(final, { by: 'rule', rule: final })

  const fitting = facts.rules.filter(rulesFor(sortedOf(mail)))
  const own = fitting.find((rule) => rule.domain !== undefined)
  if (own?.domain === 'skip') return skipped('handbook', decisionOf(own))
  const signs = signsOf(mail)
  const [reason] = reasons
  const common = {
    kind: 'task' as const,
    priority: fitting.find((rule) => rule.priority !== undefined)?.priority ?? priorityOf(mail, signs, reason, facts),
    language: recognizeLanguage(ownWords(mail.text)) ?? recognizeLanguage(`${mail.subject}\n${mail.text}`),
  }
  const task = (domain: MailDomain, classified: Decision) => ({ ...common, domain, classified })
  if (own?.domain) return { classification: task(own.domain, decisionOf(own)) }
  // A bill is one to be paid whoever sends it; nobody answers it, so no loop can come of it.
  if (signs.isBill) return { classification: task('payment', { by: 'rule', rule: 'bill' }) }
  if (reason) return skipped(reason, { by: 'rule', rule: reason })
  if (signs.asksForInvoice) return { classification: task('accounting', { by: 'rule', rule: 'asks-for-invoice' }) }
  const plain = task('email', { by: 'default', rule: 'a-mail' })
  const isForeign = common.language !== undefined && !SIGN_LANGUAGES.has(common.language)
  const { looksBulk } = signs
  return signs.speaksOfMoney || looksBulk || isForeign
    ? { classification: plain, doubt: { task: plain, looksBulk } }
    : { classification: plain }
}

/** What a model may answer; `social` is not among it: only the owner's rules make a post of somebody else's mail. */
export const VERDICT_FORM = answerForm(
  'sorted_mail',
  z.strictObject({
    domain: z.enum(['email', 'accounting', 'payment', 'bulk']),
    priority: z.enum(['high', 'normal', 'low']),
  }),
)
export type ModelVerdict = typeof VERDICT_FORM extends AnswerForm<infer T> ? T : never

/** What a model's answer makes of a mail. It can skip one only that looks like bulk mail, and never call one urgent. */
export function withVerdict({ task, looksBulk }: Doubt, verdict: ModelVerdict): Classification {
  const priority = task.priority === 'normal' ? verdict.priority : task.priority
  if (verdict.domain !== 'bulk')
    return { ...task, domain: verdict.domain, priority, classified: { by: 'model', rule: verdict.domain } }
  if (looksBulk) return skipped('newsletter', { by: 'model', rule: 'bulk' }).classification
  return { ...task, priority, classified: { by: 'model', rule: 'bulk-without-its-marks' } }
}

/**
 * A stranger's own words make nothing urgent: only the handbook does. `high` needs a deadline that is named, or a known
 * contact who says that it is urgent.
 */
function priorityOf(mail: IncomingMail, signs: MailSigns, reason: SkipReason | undefined, facts: MailFacts): Priority {
  if (reason !== undefined && !signs.isBill) return 'low'
  const saysSo = signs.isUrgent || isMarkedImportant(mail)
  if (signs.hasDeadline || (saysSo && isKnown(mail.from?.address ?? '', facts.contacts))) return 'high'
  return signs.wantsNothing ? 'low' : 'normal'
}

function isMarkedImportant({ headers }: IncomingMail): boolean {
  const first = (name: string) => headers.get(name)?.[0]?.trim() ?? ''
  return /^high\b/i.test(first('importance')) || /^[12]\b/.test(first('x-priority'))
}

function isKnown(address: string, { addresses, domains }: MailFacts['contacts']): boolean {
  const at = address.lastIndexOf('@')
  if (at < 1) return false
  const domain = decodedDomain(address.slice(at + 1))
  return addresses.includes(sameAddress(address)) || domains.some((one) => domain === one || domain.endsWith(`.${one}`))
}

function sortedOf(mail: IncomingMail) {
  return {
    from: mail.from?.address ?? '',
    to: [...mail.to, ...mail.cc].map((one) => one.address),
    subject: mail.subject,
    text: mail.text,
  }
}

function decisionOf(rule: TriageRule): Decision {
  return { by: 'handbook', rule: `line-${rule.line}` }
}

function skipped(reason: SkipReason, classified: Decision) {
  return { classification: { kind: 'skip' as const, reason, classified } }
}
