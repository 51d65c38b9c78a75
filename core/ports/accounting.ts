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
  /** Nobody posted or cancelled it since: it is still a draft. */
  readonly isDraft: boolean
  /** Nothing was posted for this customer so far. */
  readonly isNewCustomer: boolean
  /** The day by which it is to be paid, where no terms of payment make another of it: `2026-12-31`. */
  readonly due: string | undefined
  /** Its lines in words, one each; where there are many, the last says how many more. */
  readonly lines: readonly string[]
  /** `sha256:<hex>` of customer, currency, dates and every line: what a person approves when they approve its posting. */
  readonly content: string
}

/** An invoice of the books as it stands now. */
export interface BookedInvoice extends BookedDraft {
  /** It is a vendor's bill, and `customer` the vendor: its payment may be recorded, nothing else. */
  readonly isBill?: true
  readonly state: 'draft' | 'posted' | 'cancelled'
  /** Once it is posted: `INV/2026/00012`. */
  readonly number: string | undefined
  /** What is still to be paid. */
  readonly open: string
  /** On which day it was made out, and on which it counts in the books; undefined while that is not fixed. */
  readonly invoiceDate: string | undefined
  readonly date: string | undefined
  /** Where a person sees it. */
  readonly link: string
}

/** A payment to be entered. */
export interface PaymentEntry {
  /** Of the posted invoice. */
  readonly invoice: number
  /** A decimal string, in the currency of the invoice. */
  readonly amount: string
  readonly currency: string
  /** `2026-12-01`. */
  readonly date: string
  readonly memo: string
  /** Short code; undefined: the only journal for banks. */
  readonly journal: string | undefined
}

/** A payment as the books hold it. */
export interface BookedPayment {
  readonly id: number
  readonly amount: string
  readonly currency: string
  readonly isCancelled: boolean
}

export type BookOutcome =
  | { readonly kind: 'done' }
  /** Definite: nothing was booked. `permanent`: the same would be refused again. `say`: why, in words for the person. */
  | { readonly kind: 'refused'; readonly permanent: boolean; readonly say: string }
  /** The request went out, and no answer came that says what became of it. */
  | { readonly kind: 'unknown'; readonly reason: string }

/** The books of the zone that acts. Each act is asked for once and never tried again by itself. */
export interface ActingBooks {
  /** Whether they answer, and take this key. Throws ERR_ODOO_*. */
  verify(): Promise<void>
  /** Undefined: there is neither such a customer invoice nor such a bill of a vendor. Throws ERR_ODOO_*. */
  invoice(id: number): Promise<BookedInvoice | undefined>
  /** Posts a draft. What its answer was does not matter: `invoice` tells whether it is posted. */
  post(id: number): Promise<BookOutcome>
  /** Enters a payment under a key, by which `payments` finds it. Only on an invoice that is posted. */
  pay(entry: PaymentEntry, key: string): Promise<BookOutcome>
  /** What was entered under a key. Throws ERR_ODOO_*. */
  payments(key: string): Promise<readonly BookedPayment[]>
  /** The invoice as a PDF; undefined where the server has none and can make none. Throws ERR_ODOO_*. */
  document(id: number): Promise<Uint8Array | undefined>
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
  /** What was drafted for a request, as it stands now. Throws ERR_ODOO_*. */
  findDraft(requestId: string): Promise<BookedDraft | undefined>
}
