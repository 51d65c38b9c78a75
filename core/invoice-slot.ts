import { z } from 'zod'
import { DECIMAL } from './decimal.ts'
import { isTaskId } from './ids.ts'
import { currencyCode } from './invoice.ts'
import { visibleLine } from './visible-text.ts'

/** Where the number of an invoice goes that is posted before the mail: the one place that may be left open in an approved text. */
export const INVOICE_SLOT = '{{invoice number}}'

/** What a mail says of an invoice that another task posts first. */
export const announcedInvoice = z.strictObject({
  /** The task that posts it; it stands in the mail's `after`, too. */
  task: z.string().refine(isTaskId, 'not a task id'),
  /** Whose invoice it is, as the books name them. */
  customer: visibleLine(200),
  total: z.string().regex(DECIMAL, 'not an amount such as 1250.50'),
  currency: currencyCode,
  /** required: the mail does not go out without the document that the books make of the invoice. */
  document: z.enum(['required', 'optional']),
})
export type AnnouncedInvoice = z.output<typeof announcedInvoice>

/** The text as it is judged before the number is known. */
export function withoutSlot(text: string): string {
  return text.replaceAll(INVOICE_SLOT, 'INV/0')
}
