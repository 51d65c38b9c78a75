import { type Amount, findAmounts, MAX_CENTS, sayAmount } from './amounts.ts'
import { findIbans, shownIban } from './iban.ts'
import type { Risk, RiskSubject } from './risk.ts'

/** Other ways to say where money should go. Only their letters and digits are compared. */
const PAYEE_FORMS: readonly (readonly [name: string, form: RegExp])[] = [
  ['a Bitcoin address', /\b(?:bc1[a-z0-9]{20,70}|[13][1-9A-HJ-NP-Za-km-z]{25,34})\b/g],
  ['an Ethereum address', /\b0x[0-9a-f]{40}\b/gi],
  [
    'an account number',
    /\b(?:account|acct|a\/c|konto)[ -]?(?:no|number|nr|nummer|num)?\b[.:#\s]{0,4}(?=[\d -]{0,8}\d)(?:\d[ -]?){6,17}\d/gi,
  ],
  ['a sort code', /(?<![\d-])\d{2}-\d{2}-\d{2}(?![\d-])/g],
]
const MAX_NAMED = 5

/** Accounts that were not there before, and amounts over a limit of the handbook. New amounts: `core/grounding.ts`. */
export function moneyRisks(subject: RiskSubject): Risk[] {
  return [...accountRisks(subject), ...amountRisks(subject)]
}

function accountRisks({ parts, thread, rules }: RiskSubject): Risk[] {
  const found = findIbans(parts.text)
  const inThread = new Set(findIbans(thread.text).valid)
  const unknown = found.valid.filter((iban) => !rules.payees.includes(iban))
  const ibans = unknown.slice(0, MAX_NAMED).map((iban): Risk => {
    return inThread.has(iban)
      ? {
          flag: 'iban-of-thread',
          level: 'notice',
          say: `the account ${shownIban(iban)} is named in the mail and not by your handbook`,
        }
      : {
          flag: 'iban-new',
          level: 'high',
          say: `the account ${shownIban(iban)} stands neither in the original nor in your handbook`,
        }
  })
  const broken = found.broken.slice(0, MAX_NAMED).map((iban): Risk => {
    return { flag: 'iban-wrong', level: 'notice', say: `the check digits of the account ${shownIban(iban)} are wrong` }
  })
  const threadSigns = signsOf(thread.text)
  const others = PAYEE_FORMS.flatMap(([name, form]) =>
    [...parts.text.matchAll(form)].slice(0, MAX_NAMED).flatMap(([written]): Risk[] => {
      const isOld = threadSigns.includes(signsOf(written.replace(/^\D*(?=\d)/, '')))
      const shown = written.slice(0, 80)
      return [
        isOld
          ? { flag: 'payee-of-thread', level: 'notice', say: `${name} that only the original has: ${shown}` }
          : { flag: 'payee-new', level: 'high', say: `${name} that the original does not have: ${shown}` },
      ]
    }),
  )
  return [...ibans, ...broken, ...others]
}

function amountRisks({ parts, rules }: RiskSubject): Risk[] {
  const all = [...findAmounts(parts.text), ...(parts.amounts ?? [])]
  const amounts = new Map(all.map((one) => [`${one.currency} ${one.cents}`, one]))
  return [...amounts.values()].flatMap((one) => limitRisk(one, rules.codeOver)).slice(0, MAX_NAMED)
}

/** A currency without a limit of its own is held against the lowest number of the others. */
function limitRisk(amount: Amount, limits: readonly Amount[]): Risk[] {
  const own = limits.filter(({ currency }) => currency === amount.currency)
  const lowest = Math.min(...(own.length > 0 ? own : limits).map(({ cents }) => cents))
  if (!(amount.cents > lowest || (limits.length > 0 && amount.cents >= MAX_CENTS))) return []
  const limit = limits.find(({ cents }) => cents === lowest)
  const say = `${sayAmount(amount)} is over the limit of your handbook${limit ? ` (${sayAmount(limit)})` : ''}`
  return [{ flag: 'amount-over-limit', level: 'high', say }]
}

function signsOf(text: string): string {
  return text.replace(/[^A-Za-z0-9]/g, '').toLowerCase()
}
