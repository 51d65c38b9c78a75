import { type CardRow, code } from './card-text.ts'
import { shownIban } from './iban.ts'
import { fullAmount, type PaymentAction } from './payment-action.ts'

/** What a payment is, in the rows of its card. */
export function paymentRows(action: PaymentAction): CardRow[] {
  return [
    ['What happens', `one payment of **${sumOf(action)}** is made ${howOf(action)}`],
    ['Payee', code(action.payee)],
    ['Account', `${code(shownIban(action.iban))}, ${countryOf(action.iban)}`],
    ...(action.bic === undefined ? [] : [['Bank', code(action.bic)] as CardRow]),
    ['Amount', `**${sumOf(action)}**`],
    ['Reference', referenceOf(action)],
    ...(action.due === undefined ? [] : [['Due', action.due] as CardRow]),
    ['When', action.execute_on === undefined ? 'as soon as the bank can' : `on ${action.execute_on}`],
    ...(action.invoice === undefined
      ? []
      : [
          [
            'Pays',
            `the bill ${code(action.invoice)} in Odoo; that it was paid is recorded there afterwards, if you approve that too`,
          ] as CardRow,
        ]),
    ...(action.again === undefined
      ? []
      : [['Paid before', `by the task ${code(action.again)}; it is **paid once more on purpose**`] as CardRow]),
  ]
}

/** In a few plain words of a list. */
export function paymentBrief(action: PaymentAction): string {
  return `pay ${sumOf(action)} to ${action.payee}, ${shownIban(action.iban)}`
}

export function paymentDone(action: PaymentAction): string {
  return `paid ${sumOf(action)} to ${action.payee}`
}

function sumOf({ amount, currency }: PaymentAction): string {
  return `${fullAmount(amount, currency)} ${currency}`
}

function howOf({ way }: PaymentAction): string {
  return way === 'sepa-file'
    ? 'ready as a file, which you upload to your bank: it counts once you have confirmed it there'
    : `by ${code(way)}, up to where your bank asks for your confirmation`
}

function referenceOf({ reference, creditor_reference: structured }: PaymentAction): string {
  if (structured !== undefined)
    return `${code(structured.replace(/(.{4})(?=.)/g, '$1 '))}, by which the payee’s books know it`
  return reference === undefined ? 'none' : code(reference)
}

/** `Germany (DE)`. */
function countryOf(iban: string): string {
  const country = iban.slice(0, 2)
  return `${new Intl.DisplayNames('en', { type: 'region', fallback: 'code' }).of(country)} (${country})`
}
