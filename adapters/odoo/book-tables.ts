import type { BookQuery, BookRow } from '#core/book-query.ts'
import { plainDecimal } from '#core/decimal.ts'
import { refOf } from './request-id.ts'

export type Domain = readonly (readonly [field: string, operator: string, value: unknown])[]

type FieldKind = 'plain' | 'amount' | 'label' | 'ids'

interface Table {
  readonly model: string
  readonly order: string
  /** Our name → Odoo's field. Nothing else is ever read: no bank account, no note, no user. */
  readonly fields: Readonly<Record<string, readonly [field: string, kind: FieldKind]>>
}

const TABLES: Readonly<Record<BookQuery['about'], Table>> = {
  customers: {
    model: 'res.partner',
    order: 'name, id',
    fields: {
      ...{ id: ['id', 'plain'], name: ['name', 'plain'], email: ['email', 'plain'], tax_id: ['vat', 'plain'] },
      ...{
        street: ['street', 'plain'],
        zip: ['zip', 'plain'],
        city: ['city', 'plain'],
        country: ['country_id', 'label'],
      },
    },
  },
  products: {
    model: 'product.product',
    order: 'name, id',
    fields: {
      ...{ id: ['id', 'plain'], name: ['display_name', 'plain'], code: ['default_code', 'plain'] },
      ...{ price: ['list_price', 'amount'], currency: ['currency_id', 'label'], tax_ids: ['taxes_id', 'ids'] },
    },
  },
  taxes: {
    model: 'account.tax',
    order: 'sequence, id',
    fields: {
      ...{ id: ['id', 'plain'], name: ['name', 'plain'], kind: ['amount_type', 'plain'], amount: ['amount', 'amount'] },
      in_price: ['price_include', 'plain'],
    },
  },
  currencies: {
    model: 'res.currency',
    order: 'name',
    fields: { code: ['name', 'plain'], decimals: ['decimal_places', 'plain'] },
  },
  invoices: {
    model: 'account.move',
    order: 'id desc',
    fields: {
      ...{ id: ['id', 'plain'], number: ['name', 'plain'], reference: ['ref', 'plain'], state: ['state', 'plain'] },
      ...{ customer: ['partner_id', 'label'], payment: ['payment_state', 'plain'], date: ['invoice_date', 'plain'] },
      ...{ due: ['invoice_date_due', 'plain'], currency: ['currency_id', 'label'], net: ['amount_untaxed', 'amount'] },
      ...{ tax: ['amount_tax', 'amount'], total: ['amount_total', 'amount'], open: ['amount_residual', 'amount'] },
    },
  },
}

/** `requestField`: by which field of an invoice a request is found. */
export function searchOf(
  query: BookQuery,
  requestField: string,
): { model: string; args: Readonly<Record<string, unknown>> } {
  const { model, fields, order } = TABLES[query.about]
  const names = Object.values(fields).map(([field]) => field)
  return { model, args: { domain: domainOf(query, requestField), fields: names, order, limit: query.limit } }
}

export function rowOf(about: BookQuery['about'], record: Readonly<Record<string, unknown>>): BookRow {
  const row: Record<string, BookRow[string]> = {}
  for (const [name, [field, kind]] of Object.entries(TABLES[about].fields)) {
    const value = plainValue(record[field], kind)
    if (value !== undefined) row[name] = value
  }
  return row
}

/** Empty is `false` in Odoo, whatever the field; so a flag that is not set is left out as well. */
function plainValue(value: unknown, kind: FieldKind): BookRow[string] | undefined {
  if (kind === 'ids') return Array.isArray(value) ? value.filter((id) => Number.isInteger(id)) : undefined
  const one = kind === 'label' && Array.isArray(value) ? value[1] : value
  if (kind === 'amount') return typeof one === 'number' ? plainDecimal(one.toFixed(6)) : undefined
  if (typeof one === 'string') return one === '' ? undefined : one.slice(0, 500)
  return typeof one === 'number' || one === true ? one : undefined
}

function domainOf(query: BookQuery, requestField: string): Domain {
  switch (query.about) {
    case 'customers':
      return [...when('name', 'ilike', query.name), ...when('email_normalized', '=', query.email?.toLowerCase())]
    case 'products':
      return [...when('name', 'ilike', query.name), ...when('default_code', '=', query.code)]
    case 'taxes':
      return [['type_tax_use', '=', 'sale']]
    case 'currencies':
      return when('name', '=', query.code)
    case 'invoices':
      return [
        ['move_type', '=', 'out_invoice'],
        ...when(
          requestField,
          '=',
          query.request_id && (requestField === 'ref' ? refOf(query.request_id) : query.request_id),
        ),
        ...when('name', '=', query.number),
        ...when('partner_id', '=', query.customer_id),
        ...when('state', '=', query.state),
      ]
  }
}

function when(field: string, operator: 'ilike' | '=', value: string | number | undefined): Domain {
  if (value === undefined) return []
  return [[field, operator, operator === 'ilike' ? escapedPattern(String(value)) : value]]
}

/** `%` and `_` are letters like all others here. */
export function escapedPattern(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
