import { z } from 'zod'
import { type BookedLine, contentDigest, shownLines } from '#core/booked-content.ts'
import { plainDecimal } from '#core/decimal.ts'
import { CountersignError } from '#core/errors.ts'
import { digitsOf } from '#core/invoice.ts'
import type { BookedInvoice } from '#core/ports/accounting.ts'
import { oneLine } from '#core/quote.ts'
import type { Domain } from './book-tables.ts'
import type { OdooCalls } from './calls.ts'

/** Empty is `false` in Odoo, whatever the field. */
const label = z.union([z.tuple([z.int(), z.string()]), z.literal(false)])
const text = z.union([z.string(), z.literal(false)])
const moves = z.array(
  z.looseObject({
    ...{ id: z.int().positive(), move_type: z.string(), name: text, state: z.string() },
    ...{ partner_id: label, currency_id: z.tuple([z.int(), z.string()]), journal_id: label },
    ...{ amount_untaxed: z.number(), amount_tax: z.number(), amount_total: z.number(), amount_residual: z.number() },
    ...{ invoice_date: text, invoice_date_due: text, date: text, invoice_payment_term_id: label },
  }),
)
export type Move = z.output<typeof moves>[number]
const MOVE_FIELDS = [
  ...[
    'move_type',
    'name',
    'state',
    'partner_id',
    'currency_id',
    'journal_id',
    'amount_untaxed',
    'amount_tax',
    'amount_total',
  ],
  ...['amount_residual', 'invoice_date', 'invoice_date_due', 'date', 'invoice_payment_term_id'],
]
const moveLines = z.array(
  z.looseObject({
    ...{ id: z.int(), name: text, display_type: text, quantity: z.number(), price_unit: z.number() },
    ...{ discount: z.number(), price_subtotal: z.number(), tax_ids: z.array(z.int()) },
    ...{ product_id: label, account_id: label },
  }),
)
const LINE_FIELDS = [
  ...['name', 'display_type', 'quantity', 'price_unit', 'discount', 'price_subtotal', 'tax_ids'],
  ...['product_id', 'account_id'],
]
/** What a person wrote into the invoice; the others are the entries that Odoo makes of them. */
const WRITTEN = ['product', 'line_section', 'line_subsection', 'line_note']
const MAX_BOOKED_LINES = 500
/** The first version whose web client has such addresses. */
const FIRST_WITH_SHORT_LINKS = 18

/** Customer invoices, the oldest first. Throws ERR_ODOO_*. */
export async function findMoves(calls: OdooCalls, domain: Domain, limit: number): Promise<Move[]> {
  const all: Domain = [['move_type', '=', 'out_invoice'], ...domain]
  return search(calls, moves, 'account.move', all, MOVE_FIELDS, limit)
}

/** A customer's invoice or a vendor's bill: what a payment may be recorded on. Throws ERR_ODOO_*. */
export async function findPayable(calls: OdooCalls, id: number): Promise<Move | undefined> {
  const domain: Domain = [
    ['move_type', 'in', ['out_invoice', 'in_invoice']],
    ['id', '=', id],
  ]
  return (await search(calls, moves, 'account.move', domain, MOVE_FIELDS, 1))[0]
}

/** Everything of an invoice that a person is told. Throws ERR_ODOO_*. */
export async function readInvoice(calls: OdooCalls, url: string, move: Move): Promise<BookedInvoice> {
  const [, currency] = move.currency_id
  const amount = (value: number) => value.toFixed(digitsOf(currency))
  const lines = await linesOf(calls, move.id, amount)
  const customer = move.partner_id ? move.partner_id[1] : ''
  const isFixed = move.invoice_payment_term_id === false && move.invoice_date_due !== false
  const due = isFixed ? String(move.invoice_date_due) : undefined
  const amounts = {
    ...{ net: amount(move.amount_untaxed), tax: amount(move.amount_tax), total: amount(move.amount_total) },
    currency,
  }
  const head = {
    ...amounts,
    ...{ customer: idOf(move.partner_id), terms: idOf(move.invoice_payment_term_id), journal: idOf(move.journal_id) },
    ...{ due: due ?? '', invoice_date: move.invoice_date || '' },
  }
  const isPosted = move.state === 'posted'
  return {
    ...amounts,
    id: move.id,
    ...(move.move_type === 'in_invoice' && { isBill: true as const }),
    customer: oneLine(customer, 200),
    isDraft: move.state === 'draft',
    isNewCustomer: await isNew(calls, move),
    due,
    lines: shownLines(lines),
    content: contentDigest(head, lines),
    state: isPosted ? 'posted' : move.state === 'draft' ? 'draft' : 'cancelled',
    number: isPosted && move.name !== false ? oneLine(move.name, 60) : undefined,
    open: amount(move.amount_residual),
    invoiceDate: move.invoice_date || undefined,
    date: isPosted ? move.date || undefined : undefined,
    link: await linkOf(calls, url, move.id),
  }
}

export async function search<T>(
  calls: OdooCalls,
  schema: z.ZodType<T>,
  model: string,
  domain: Domain,
  fields: readonly string[],
  limit: number,
  order = 'id',
): Promise<T> {
  return readAs(schema, model, await calls.read(model, 'search_read', { args: { domain, fields, limit, order } }))
}

/** Throws ERR_ODOO_UNREACHABLE for an answer that is not what was asked for. */
export function readAs<T>(schema: z.ZodType<T>, model: string, json: unknown): T {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const field = parsed.error.issues[0]?.path.join('.') || 'the whole'
  throw new CountersignError('ERR_ODOO_UNREACHABLE', `Odoo: an answer about ${model} of another shape (${field})`)
}

async function linesOf(calls: OdooCalls, move: number, amount: (value: number) => string): Promise<BookedLine[]> {
  const domain: Domain = [
    ['move_id', '=', move],
    ['display_type', 'in', WRITTEN],
  ]
  const found = await search(
    calls,
    moveLines,
    'account.move.line',
    domain,
    LINE_FIELDS,
    MAX_BOOKED_LINES,
    'sequence, id',
  )
  const names = await taxNames(calls, [...new Set(found.flatMap((line) => line.tax_ids))])
  return found.map((line) => ({
    description: line.name || '',
    isNote: line.display_type !== 'product',
    quantity: decimal(line.quantity),
    unitPrice: decimal(line.price_unit),
    discount: decimal(line.discount),
    taxes: line.tax_ids.map((id) => names.get(id) ?? `tax ${id}`),
    net: amount(line.price_subtotal),
    refs: [idOf(line.product_id), idOf(line.account_id), ...line.tax_ids.map(String)],
  }))
}

async function taxNames(calls: OdooCalls, ids: readonly number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map()
  const named = z.array(z.looseObject({ id: z.int(), name: z.string() }))
  const found = await search(calls, named, 'account.tax', [['id', 'in', ids]], ['name'], ids.length)
  return new Map(found.map(({ id, name }) => [id, name]))
}

async function isNew(calls: OdooCalls, move: Move): Promise<boolean> {
  const others: Domain = [
    ['partner_id', '=', move.partner_id ? move.partner_id[0] : 0],
    ['state', '=', 'posted'],
    ['id', '!=', move.id],
  ]
  const ids = z.array(z.looseObject({ id: z.int() }))
  const posted: Domain = [['move_type', '=', 'out_invoice'], ...others]
  return (await search(calls, ids, 'account.move', posted, ['id'], 1)).length === 0
}

async function linkOf(calls: OdooCalls, url: string, id: number): Promise<string> {
  const isShort = (await calls.version()) >= FIRST_WITH_SHORT_LINKS
  const path = isShort ? `/odoo/account.move/${id}` : `/web#id=${id}&model=account.move&view_type=form`
  return new URL(path, url).href
}

function decimal(value: number): string {
  return plainDecimal(value.toFixed(6))
}

function idOf(named: z.output<typeof label>): string {
  return named === false ? '' : String(named[0])
}
