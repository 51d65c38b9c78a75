import type { BooksAction, PostInvoiceAction, RecordPaymentAction } from './books-action.ts'
import { type CardRow, code } from './card-text.ts'

/** What is booked, in the rows of its card. */
export function booksRows(action: BooksAction): CardRow[] {
  return action.tool === 'odoo.post_invoice' ? postingRows(action) : paymentRows(action)
}

/** In a few plain words of a list. */
export function booksBrief(action: BooksAction): string {
  if (action.tool === 'odoo.post_invoice')
    return `post invoice ${action.invoice} for ${action.customer}, ${action.total} ${action.currency}`
  return `record a payment of ${action.amount} ${action.currency} on invoice ${nameOf(action)}`
}

export function booksDone(action: BooksAction): string {
  if (action.tool === 'odoo.post_invoice')
    return `invoice for ${action.customer} posted, ${action.total} ${action.currency}`
  return `payment of ${action.amount} ${action.currency} recorded on invoice ${nameOf(action)}`
}

function postingRows(action: PostInvoiceAction): CardRow[] {
  const { customer, new_customer, total, currency, due, lines = [], task } = action
  return [
    [
      'What happens',
      `draft invoice ${code(action.invoice)} in Odoo is posted: it gets its number, and counts in the books`,
    ],
    ['Customer', `${code(customer)}${new_customer ? ' (**new**: nothing was posted for them before)' : ''}`],
    ['Total', `${code(`${total} ${currency}`)}, with tax`],
    ['Due', due ?? 'not fixed here; by the terms in Odoo'],
    ['Lines', lines.map(code).join('; ') || 'not listed here; look at the draft in Odoo'],
    ...(task === undefined ? [] : [['Asked for by', code(task)] satisfies CardRow]),
    ['Sent to the customer', 'nothing: a mail with the invoice is a task of its own'],
  ]
}

function paymentRows(action: RecordPaymentAction): CardRow[] {
  const { number, customer, amount, currency, date, memo, journal } = action
  const named = number === undefined ? '' : `, ${code(number)}`
  return [
    ['What happens', 'an entry in Odoo says that a posted invoice was paid; no money moves'],
    ['Invoice', `${code(action.invoice)}${named}`],
    ...(customer === undefined ? [] : [['Customer', code(customer)] satisfies CardRow]),
    ['Amount', code(`${amount} ${currency}`)],
    ['Paid on', date],
    ['Memo', code(memo)],
    ['Journal', journal === undefined ? 'the only one for banks' : code(journal)],
  ]
}

function nameOf({ number, invoice }: RecordPaymentAction): string {
  return number ?? invoice
}
