import type { Amount } from './amounts.ts'
import { GROUNDING_FLAGS } from './grounding-flags.ts'
import { sayRuleProblem } from './handbook-lines.ts'
import type { HandbookRules } from './handbook-rules.ts'
import { KnownParties } from './look-alike.ts'
import type { PaymentAction } from './payment-action.ts'
import type { PastPayment } from './payment-rules.ts'
import { moneyRisks } from './risk-money.ts'
import { paymentRisks } from './risk-payment.ts'
import { recipientRisks } from './risk-recipients.ts'
import { attachmentRisks, linkRisks, signRisks } from './risk-text.ts'
import { type MailThread, threadOf } from './risk-thread.ts'
import type { TaskFile } from './task-file.ts'

/** `high` needs a typed code; `notice` is to be read. */
export type RiskLevel = 'notice' | 'high'

/** `say` is a sentence for the person and may hold a stranger's words: whoever shows it makes it inert. */
export interface Risk {
  readonly flag: string
  readonly level: RiskLevel
  readonly say: string
}

/** What an action would give away, and to whom; each tool takes it from its own arguments. */
export interface ActionParts {
  /** Bare addresses. */
  readonly recipients: readonly string[]
  /** Everything that would be read by others: subject, body, post. */
  readonly text: string
  /** File names as the recipient sees them. */
  readonly attachments: readonly string[]
  /** Where it is a payment. */
  readonly payment?: PaymentAction
  /** Money at stake that no text names. */
  readonly amounts?: readonly Amount[]
}

/** What this machine knows by itself. */
export interface RiskFacts {
  readonly rules: HandbookRules
  /** The handbook's contacts, the own address, everybody written to before. */
  readonly known: KnownParties
  /** Hosts that the handbook names. */
  readonly hosts: KnownParties
  /** The own addresses. */
  readonly own: readonly string[]
  /** What was paid from here, or may have been, oldest first. */
  readonly paid: readonly PastPayment[]
}

/** What this machine knows, made ready once for many tasks. `writtenTo`: addresses that something was sent to before. */
export function riskFacts(
  rules: HandbookRules,
  own: readonly string[],
  writtenTo: Iterable<string>,
  paid: readonly PastPayment[] = [],
): RiskFacts {
  const addresses = [...own, ...rules.contacts.addresses, ...writtenTo]
  const known = new KnownParties({ addresses, domains: rules.contacts.domains })
  return { rules, known, hosts: new KnownParties({ addresses: own, domains: rules.hosts }), own, paid }
}

/** What each part of the judgement works with. */
export interface RiskSubject extends RiskFacts {
  readonly task: TaskFile
  readonly parts: ActionParts
  readonly thread: MailThread
}

const MAX_RISKS = 30
/** What triage or the drafter may flag, in words. A flag that is not here is shown as it stands. */
const FLAGS: Readonly<Record<string, string>> = {
  'reply-to-differs': 'the reply goes to another address than the mail came from',
  'first-contact': 'you have not written to this address before',
  'sender-address-unusual': 'the sender’s address is written unusually; look at it closely',
  'sender-name-shows-other-address': 'the sender’s name shows another address than the mail came from',
  'mail-incomplete': 'the mail could not be read completely; look at it in your mail program',
  'sender-not-in-thread': 'somebody who was no part of this thread wrote in it; they are not who is answered',
  'subject-changed': 'a message of this thread has another subject than the one before',
  'facts-missing': 'the drafter says that facts are missing; its remark names them',
  'draft-language-differs': 'the draft does not seem to be written in the mail’s language',
  'whatsapp-group': 'it is a group: everybody in it reads the answer',
  'whatsapp-number-hidden': 'WhatsApp hides the number behind this chat; the name proves nothing',
  'whatsapp-no-contact': 'this number is not among the contacts of your telephone',
  'attachment-not-kept': 'an attachment was not kept (too large, or a secret); it is only in the mailbox',
}
/** Flags of others that ask for the code: they may raise what this machine found, and never lower it. */
const RAISING: ReadonlySet<string> = new Set([
  ...[
    'payment',
    'payee-new',
    'payee-other-account',
    'payee-other-name',
    'iban-new',
    'look-alike',
    'recipient-flagged',
    'amount-over-limit',
    'link-deceives',
  ],
])

/**
 * Everything risky about an action, the worst first, each once. Judged here, from the action itself, the quoted
 * original, the handbook and who was written to before; what the file claims about its risk is added and believed only
 * where it makes things worse.
 */
export function risksOf(task: TaskFile, parts: ActionParts, facts: RiskFacts): Risk[] {
  const subject: RiskSubject = { ...facts, task, parts, thread: threadOf(task) }
  const own = [
    ...paymentRisks(subject),
    ...recipientRisks(subject),
    ...moneyRisks(subject),
    ...linkRisks(subject),
    ...signRisks(subject),
    ...attachmentRisks(subject),
    ...handbookRisks(facts.rules),
  ]
  const ownFlags = new Set(own.map(({ flag }) => flag))
  const claimed = task.front.risk
    .filter((flag) => !GROUNDING_FLAGS.has(flag))
    .map((flag): Risk => {
      return { flag, level: RAISING.has(flag) ? 'high' : 'notice', say: FLAGS[flag] ?? flag }
    })
  const all = [...own, ...claimed.filter(({ flag, level }) => level === 'high' || !ownFlags.has(flag))]
  const distinct = [...new Map(all.map((risk) => [`${risk.level} ${risk.flag} ${risk.say}`, risk])).values()]
  return [...distinct.filter(isHigh), ...distinct.filter((risk) => !isHigh(risk))].slice(0, MAX_RISKS)
}

export function needsCode(risks: readonly Risk[]): boolean {
  return risks.some(isHigh)
}

export function isHigh({ level }: Risk): boolean {
  return level === 'high'
}

function handbookRisks({ problems }: HandbookRules): Risk[] {
  const [first, ...others] = problems
  if (!first) return []
  const more = others.length > 0 ? `, and ${others.length} more` : ''
  return [
    {
      flag: 'handbook-unclear',
      level: 'notice',
      say: `a rule of yours is not followed: ${sayRuleProblem(first)}${more}`,
    },
  ]
}
