import { shownIban } from './iban.ts'
import { folded } from './payment-rules.ts'
import type { Risk, RiskSubject } from './risk.ts'

/** Of a payment: that it is one, and whether its account is known, by the handbook and by what was paid before. */
export function paymentRisks({ parts, rules, paid, task }: RiskSubject): Risk[] {
  const { payment } = parts
  const isPayment: Risk = { flag: 'payment', level: 'high', say: 'this is a payment' }
  if (payment === undefined) return task.front.domain === 'payment' ? [isPayment] : []
  const { iban, payee } = payment
  const others = paid.filter((one) => one.taskId !== task.front.id)
  const toAccount = others.filter(({ action }) => action.iban === iban)
  const toName = others.filter(({ action }) => action.iban !== iban && folded(action.payee) === folded(payee))
  // What was only tried makes no account known.
  const isKnown = toAccount.some(({ isSure }) => isSure) || rules.payees.includes(iban)
  const lastOfName = toName.at(-1)
  const otherName = toAccount.findLast(({ action }) => folded(action.payee) !== folded(payee))
  return [
    isPayment,
    ...(isKnown
      ? []
      : [
          {
            flag: 'payee-new',
            level: 'high',
            say: `the account ${shownIban(iban)} is NEW: neither your handbook names it nor was anything paid to it from here`,
          } satisfies Risk,
        ]),
    ...(lastOfName === undefined
      ? []
      : [
          {
            flag: 'payee-other-account',
            level: 'high',
            say: `until now another account of ${payee} was used: ${shownIban(lastOfName.action.iban)}, last on ${dayOf(lastOfName.at)}. Ask them by a way you know, not by the mail, whether it changed`,
          } satisfies Risk,
        ]),
    ...(otherName === undefined
      ? []
      : [
          {
            flag: 'payee-other-name',
            level: 'high',
            say: `the account was paid under another name before: ${otherName.action.payee}, on ${dayOf(otherName.at)}`,
          } satisfies Risk,
        ]),
    ...(rules.payments.limits.length > 0
      ? []
      : [
          {
            flag: 'payment-unlimited',
            level: 'notice',
            say: 'your handbook sets no limit for payments (docs/handbook.md says how)',
          } satisfies Risk,
        ]),
  ]
}

/** How the account is known, for the card. */
export function sayKnownPayee({
  parts,
  rules,
  paid,
  task,
}: Pick<RiskSubject, 'parts' | 'rules' | 'paid' | 'task'>): string | undefined {
  const { payment } = parts
  if (payment === undefined) return undefined
  const before = paid.filter((one) => one.taskId !== task.front.id && one.isSure && one.action.iban === payment.iban)
  const last = before.at(-1)
  const times = before.length === 1 ? 'once' : `${before.length} times`
  const known = [
    ...(rules.payees.includes(payment.iban) ? ['your handbook names this account'] : []),
    ...(last === undefined ? [] : [`paid ${times} from here, last on ${dayOf(last.at)}`]),
  ]
  return known.length > 0
    ? `yes: ${known.join('; ')}`
    : '**NEW**: neither named by your handbook nor ever paid from here'
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}
