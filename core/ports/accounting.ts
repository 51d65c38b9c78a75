import type { BookQuery, BookRow } from '../book-query.ts'
import type { InvoiceOrder } from '../invoice.ts'

/** A draft as the books hold it. Amounts are decimal strings. */
export interface BookedDraft {
  readonly id: number
  /** Of the customer, as the books show it. */
  readonly customer: string
  readonly net: string
  readonly tax: string
  readonly total: string
  readonly currency: string
  /** Nobody posted, changed or cancelled it since: it is still a draft. */
  readonly isDraft: boolean
}

export type CreateDraftOutcome =
  | { readonly kind: 'created'; readonly draft: BookedDraft }
  /** It was made before, for the same request; nothing was created now. `more`: other invoices with this request id. */
  | { readonly kind: 'exists'; readonly draft: BookedDraft; readonly more: readonly number[] }
  /** Definite: nothing was created. `say`: why, in words for the person. */
  | { readonly kind: 'refused'; readonly say: string }
  /** The request went out and no answer came; the next call looks before it creates. */
  | { readonly kind: 'unknown'; readonly reason: string }

/** The books, as far as a zone that only drafts may go: look, and leave a draft. */
export interface Accounting {
  /** Throws ERR_ODOO_*. */
  getData(query: BookQuery): Promise<BookRow[]>
  /** One draft for one request id, whatever is called again. Throws ERR_ODOO_* when surely nothing was created and it may be tried again. */
  createDraft(order: InvoiceOrder): Promise<CreateDraftOutcome>
}
