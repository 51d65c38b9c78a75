import { z } from 'zod'
import { DECIMAL, type Decimal, decimalOf, decimalText, plainDecimal, plus, rounded, times } from './decimal.ts'
import { canonicalAddress } from './mail-address.ts'
import { visibleLine } from './visible-text.ts'

/** Longer invoices are made by hand. */
export const MAX_LINES = 50
/** A total with more digits than this is a typing fault. */
const MAX_TOTAL_DIGITS = 12
const CURRENCIES = new Set(Intl.supportedValuesOf('currency'))

const decimal = z.string().regex(DECIMAL, 'not a decimal number such as 1250.50')
const percent = z.string().regex(/^(100|\d{1,2}(\.\d{1,4})?)$/, 'not a percentage such as 19 or 5.5')

/** `2026-12-01`; a day that exists. */
export const isoDay = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'not a day such as 2026-12-01')
  .refine(isDay, 'no such day')

export const currencyCode = z.string().refine(isCurrency, 'not a currency code (ISO 4217)')

const invoiceLine = z.strictObject({
  description: visibleLine(500),
  quantity: decimal.refine(isPositive, 'a quantity is more than 0'),
  unit_price: decimal.describe('For one, without tax'),
  taxes: z
    .array(z.union([percent, z.strictObject({ id: z.int().positive() })]))
    .max(3)
    .describe('Each a percentage, or the id of a tax in the books; [] says that there is none'),
})

/** What a draft invoice is made of, complete: nothing is left to the books' defaults that changes an amount. */
export const invoiceOrder = z.strictObject({
  /** The same for every try, and for no other invoice. */
  request_id: z.string().regex(/^[A-Za-z0-9-]{8,64}$/, 'not a request id'),
  customer: z
    .strictObject({
      id: z
        .int()
        .positive()
        .optional()
        .describe('Of the customer in the books; needed where name and e-mail are not enough'),
      name: visibleLine(200).optional(),
      email: z
        .string()
        .max(320)
        .refine((text) => canonicalAddress(text) !== undefined, 'not a plain e-mail address')
        .optional(),
    })
    .refine((who) => who.id !== undefined || who.name !== undefined || who.email !== undefined, 'nobody is named'),
  lines: z.array(invoiceLine).min(1).max(MAX_LINES),
  currency: currencyCode,
  due: isoDay.optional(),
  reference: visibleLine(100).optional().describe('What the customer wants to read on it, such as an order number'),
})
export type InvoiceOrder = z.output<typeof invoiceOrder>
export type InvoiceLine = InvoiceOrder['lines'][number]

/** Decimal strings with as many digits as the currency has. */
export interface InvoiceTotals {
  /** Of each line, without tax. */
  readonly lines: readonly string[]
  readonly net: string
  readonly taxes: readonly { readonly percent: string; readonly amount: string }[]
  readonly total: string
}

/**
 * Adds up in integers: each line is rounded, then each tax once for the whole invoice. Undefined where a tax is named by
 * its id, whose percentage only the books know.
 */
export function invoiceTotals({
  lines,
  currency,
}: Pick<InvoiceOrder, 'lines' | 'currency'>): InvoiceTotals | undefined {
  const digits = digitsOf(currency)
  const zero: Decimal = { units: 0n, scale: digits }
  const amounts = lines.map((line) => rounded(times(decimalOf(line.quantity), decimalOf(line.unit_price)), digits))
  const bases = new Map<string, Decimal>()
  for (const [index, line] of lines.entries())
    for (const tax of line.taxes) {
      if (typeof tax !== 'string') return undefined
      const rate = plainDecimal(tax)
      bases.set(rate, plus(bases.get(rate) ?? zero, amounts[index] ?? zero))
    }
  const taxes = [...bases].map(([rate, base]) => ({
    percent: rate,
    amount: rounded(times(base, hundredth(decimalOf(rate))), digits),
  }))
  const net = amounts.reduce(plus, zero)
  const total = taxes.reduce((sum, tax) => plus(sum, tax.amount), net)
  return {
    lines: amounts.map(decimalText),
    net: decimalText(net),
    taxes: taxes.map((tax) => ({ percent: tax.percent, amount: decimalText(tax.amount) })),
    total: decimalText(total),
  }
}

/** Why no invoice can be made of it though its form is right; undefined: it can. */
export function orderFault(order: InvoiceOrder): string | undefined {
  const amounts = order.lines.map((line) => times(decimalOf(line.quantity), decimalOf(line.unit_price)))
  const net = rounded(amounts.reduce(plus), digitsOf(order.currency))
  if (net.units === 0n) return 'the invoice comes to nothing'
  if (String(net.units).length > MAX_TOTAL_DIGITS) return 'the total has too many digits to be true'
  return undefined
}

/** Where the books come to another total than the order's own figures: in words; else undefined. */
export function sayDifference(
  order: InvoiceOrder,
  booked: { net: string; total: string; currency: string },
): string | undefined {
  const ours = invoiceTotals(order)
  if (ours === undefined || (ours.net === booked.net && ours.total === booked.total)) return undefined
  return `the books make it ${booked.net} without and ${booked.total} with tax, where these figures come to ${ours.net} and ${ours.total} ${booked.currency}`
}

/** The front matter's `invoice`: the draft that was made for a task. */
export function invoiceFront(draft: { readonly id: number; readonly total: string; readonly currency: string }) {
  return { odoo_id: String(draft.id), total: draft.total, currency: draft.currency }
}

export function isCurrency(code: string): boolean {
  return CURRENCIES.has(code)
}

/** 2 for EUR, 0 for JPY, 3 for KWD, and 2 for what is no currency code. */
export function digitsOf(currency: string): number {
  if (!/^[A-Z]{3}$/.test(currency)) return 2
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
}

function hundredth({ units, scale }: Decimal): Decimal {
  return { units, scale: scale + 2 }
}

function isPositive(text: string): boolean {
  return DECIMAL.test(text) && decimalOf(text).units > 0n
}

function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`)
  return Number.isFinite(at) && new Date(at).toISOString().startsWith(text)
}
