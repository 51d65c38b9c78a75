import { z } from 'zod'
import type { Amount } from './amounts.ts'
import { DECIMAL, type Decimal, decimalOf, rounded } from './decimal.ts'
import { isTaskId } from './ids.ts'
import { currencyCode, isoDay } from './invoice.ts'
import type { BookedDraft } from './ports/accounting.ts'
import { visibleLine } from './visible-text.ts'

/** So many lines of an invoice stand on a card; `content` covers all of them. */
export const MAX_LINES_SHOWN = 20

const odooId = z.string().regex(/^[1-9]\d{0,9}$/, 'not the id of a record in Odoo, such as 42')
const amount = z
  .string()
  .regex(DECIMAL, 'not a decimal number such as 1250.50')
  .refine((text) => !DECIMAL.test(text) || decimalOf(text).units > 0n, 'an amount is more than 0')

/**
 * `odoo.post_invoice`: a draft customer invoice becomes a booked one, as the books show it here. What is named (`due`,
 * `lines`, `content`) must still be so when it is posted; `postingOf` takes all of it from the draft.
 */
export const postInvoiceSchema = z.strictObject({
  tool: z.literal('odoo.post_invoice'),
  /** Of the draft, in Odoo. */
  invoice: odooId,
  customer: visibleLine(200),
  /** Nothing was posted for this customer before. */
  new_customer: z.literal('yes').optional(),
  /** With tax, in the digits of the currency. */
  total: amount,
  currency: currencyCode,
  due: isoDay.optional(),
  lines: z
    .array(visibleLine(300))
    .max(MAX_LINES_SHOWN + 1)
    .optional(),
  /** `BookedDraft.content`. */
  content: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'not a digest')
    .optional(),
  /** The task that asked for the invoice. */
  task: z.string().refine(isTaskId, 'not a task id').optional(),
})

/** `odoo.record_payment`: an entry in the books that a posted invoice, or a vendor's bill, was paid, whole or in part. No money moves. */
export const recordPaymentSchema = z.strictObject({
  tool: z.literal('odoo.record_payment'),
  /** Of the posted invoice, in Odoo. */
  invoice: odooId,
  /** Where it is named, the invoice must have this number. */
  number: visibleLine(60).optional(),
  customer: visibleLine(200).optional(),
  amount,
  currency: currencyCode,
  /** When it was paid. */
  date: isoDay,
  memo: visibleLine(200),
  /** The short code of the bank or cash journal, such as BNK1; where there is only one, none is needed. */
  journal: z
    .string()
    .regex(/^[\p{L}\p{N}]{1,10}$/u, 'not the short code of a journal, such as BNK1')
    .optional(),
})

export type PostInvoiceAction = z.output<typeof postInvoiceSchema>
export type RecordPaymentAction = z.output<typeof recordPaymentSchema>
export type BooksAction = PostInvoiceAction | RecordPaymentAction

/** The action that posts a draft as the books hold it now. `task`: the one that asked for the invoice. */
export function postingOf(draft: BookedDraft, task?: string): PostInvoiceAction {
  return postInvoiceSchema.parse({
    tool: 'odoo.post_invoice',
    invoice: String(draft.id),
    customer: draft.customer,
    ...(draft.isNewCustomer && { new_customer: 'yes' }),
    ...{ total: draft.total, currency: draft.currency },
    ...(draft.due !== undefined && { due: draft.due }),
    ...{ lines: draft.lines, content: draft.content },
    ...(task !== undefined && { task }),
  })
}

/** What the action moves in the books, for the limits of the handbook. */
export function amountsOf(action: BooksAction): Amount[] {
  const { currency } = action
  const cents = rounded(decimalOf(action.tool === 'odoo.post_invoice' ? action.total : action.amount), 2)
  return [{ currency, cents: centsOf(cents) }]
}

function centsOf({ units }: Decimal): number {
  return Number(units)
}
