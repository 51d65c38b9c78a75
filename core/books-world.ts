import type { PostInvoiceAction, RecordPaymentAction } from './books-action.ts'
import { code } from './card-text.ts'
import { compared } from './decimal.ts'
import type { BookedInvoice, BookedPayment, PaymentEntry } from './ports/accounting.ts'
import { oneLine } from './quote.ts'
import type { Report } from './report.ts'

/** Whether the books are still as the card said, right before the act. */
export type BooksVerdict =
  | { readonly kind: 'clear' }
  | { readonly kind: 'stale'; readonly rule: string; readonly say: string }

type Accepted = Omit<Extract<Report, { outcome: 'accepted' }>, 'outcome' | 'key'>

const CLEAR: BooksVerdict = { kind: 'clear' }

/** `now`: the invoice as it stands in the books; undefined: it is not there. */
export function judgePosting(action: PostInvoiceAction, now: BookedInvoice | undefined): BooksVerdict {
  const { invoice } = action
  if (!now || now.isBill) return stale('invoice-gone', `There is no customer invoice ${invoice} in Odoo any more.`)
  if (now.state === 'posted')
    return stale(
      'already-posted',
      `Somebody posted invoice ${invoice} already: it is ${now.number ?? 'without a number'}.`,
    )
  if (now.state === 'cancelled') return stale('invoice-cancelled', `Invoice ${invoice} was cancelled in Odoo.`)
  const changed = changesOf(action, now)
  if (changed.length > 0)
    return stale('invoice-changed', `The draft in Odoo is not what was approved any more: ${changed.join('; ')}.`)
  if (now.isNewCustomer && action.new_customer === undefined)
    return stale('customer-new', `${now.customer} is a new customer, which the card did not say.`)
  return CLEAR
}

export function judgePayment(action: RecordPaymentAction, now: BookedInvoice | undefined): BooksVerdict {
  const { invoice, number, customer, amount, currency } = action
  if (!now) return stale('invoice-gone', `There is neither a customer invoice nor a vendor’s bill ${invoice} in Odoo.`)
  if (now.state !== 'posted')
    return stale('invoice-not-posted', `Invoice ${invoice} is not posted in Odoo (${now.state}): post it first.`)
  const changed = [
    ...(number !== undefined && number !== now.number ? [`its number is ${now.number}, not ${number}`] : []),
    ...(customer !== undefined && customer !== now.customer ? [`it is for ${now.customer}, not ${customer}`] : []),
    ...(currency !== now.currency ? [`it is in ${now.currency}, not in ${currency}`] : []),
  ]
  if (changed.length > 0)
    return stale('invoice-changed', `Invoice ${invoice} is not as the card says: ${changed.join('; ')}.`)
  if (isZero(now.open)) return stale('already-paid', `Nothing is left to pay of invoice ${now.number ?? invoice}.`)
  if (isMore(amount, now.open))
    return stale(
      'residual-changed',
      `Of invoice ${now.number ?? invoice} only ${now.open} ${now.currency} are left to pay.`,
    )
  return CLEAR
}

/**
 * What a finished posting tells. Somebody in Odoo may have changed the draft after the last look at it, or posted it when
 * an answer was lost: then `differs` says how it is not what was approved, and nothing is written to the customer by itself.
 */
export function sayPosted(action: PostInvoiceAction, now: BookedInvoice): Accepted {
  const { number = '', date, invoiceDate, link, total, currency } = now
  // The rest of it, its day say, comes with the posting.
  const differs = oneLine(changesShown(action, now).join('; '), 300)
  const isMoved = date !== undefined && invoiceDate !== undefined && date !== invoiceDate
  const moved = `it counts on ${date}, not on ${invoiceDate}: that period is locked in Odoo`
  return {
    answer: `Odoo: invoice ${number}, ${total} ${currency}`,
    missed: [...(isMoved ? [moved] : []), ...(differs === '' ? [] : [`it is not what was approved: ${differs}`])],
    link,
    facts: { number, ...(date !== undefined && { date }), ...(differs !== '' && { differs }) },
  }
}

/** What a recorded payment tells. `now`: the invoice after it. */
export function sayPaid(payments: readonly BookedPayment[], now: BookedInvoice | undefined): Accepted {
  const standing = payments.filter((one) => !one.isCancelled)
  const [one] = standing
  const more = standing.length > 1 ? [`Odoo has ${standing.length} payments of this one approval: look at them`] : []
  const what = one ? `payment ${one.id}, ${one.amount} ${one.currency}` : 'the payment was made and cancelled again'
  const rest = now === undefined ? '' : `; ${now.open} ${now.currency} of invoice ${now.number ?? now.id} are open`
  return {
    answer: `Odoo: ${what}${rest}`,
    missed: [...more, ...(one ? [] : ['somebody cancelled the payment in Odoo'])],
    ...(now && { link: now.link }),
    facts: { ...(one && { payment: String(one.id) }), ...(now && { open: now.open }) },
  }
}

export function entryOf(action: RecordPaymentAction): PaymentEntry {
  const { invoice, amount, currency, date, memo, journal } = action
  return { invoice: Number(invoice), amount, currency, date, memo, journal }
}

function changesOf(action: PostInvoiceAction, now: BookedInvoice): string[] {
  const { due, content } = action
  const changed = [
    ...changesShown(action, now),
    ...(due !== undefined && due !== now.due ? [`it is due ${now.due ?? 'by its terms'}, not ${due}`] : []),
  ]
  if (changed.length > 0 || content === undefined || content === now.content) return changed
  return ['something in it was changed (an account, a product, a journal, or the end of a long text)']
}

function changesShown({ customer, total, currency, lines }: PostInvoiceAction, now: BookedInvoice): string[] {
  return [
    ...(customer !== now.customer ? [`it is for ${now.customer}, not for ${customer}`] : []),
    ...(currency !== now.currency ? [`it is in ${now.currency}, not in ${currency}`] : []),
    ...(isSame(total, now.total) ? [] : [`its total is ${now.total}, not ${total}`]),
    ...(lines !== undefined && JSON.stringify(lines) !== JSON.stringify(now.lines) ? [sayLines(lines, now.lines)] : []),
  ]
}

function sayLines(then: readonly string[], now: readonly string[]): string {
  const added = now.filter((line) => !then.includes(line)).map(code)
  const gone = then.filter((line) => !now.includes(line)).map(code)
  const parts = [added.length > 0 ? `new ${added.join(', ')}` : '', gone.length > 0 ? `gone ${gone.join(', ')}` : '']
  return `its lines are others: ${parts.filter((part) => part !== '').join('; ') || 'their order changed'}`
}

function isSame(a: string, b: string): boolean {
  return compared(a, b) === 0n
}

function isMore(a: string, b: string): boolean {
  return compared(a, b) > 0n
}

function isZero(a: string): boolean {
  return isSame(a, '0')
}

function stale(rule: string, say: string): BooksVerdict {
  return { kind: 'stale', rule, say }
}
