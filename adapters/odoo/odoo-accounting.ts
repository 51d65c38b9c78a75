import { z } from 'zod'
import { type InvoiceOrder, orderFault } from '#core/invoice.ts'
import type { Accounting, CreateDraftOutcome } from '#core/ports/accounting.ts'
import { type Domain, rowOf, searchOf } from './book-tables.ts'
import type { OdooCalls } from './calls.ts'
import { customerId, sayRefusal, Unbookable, Unseen } from './customers.ts'
import { findMoves, type Move, readAs, readInvoice, search } from './invoices.ts'
import { REQUEST_FIELD, refOf, requestField } from './request-id.ts'

const records = z.array(z.looseObject({ id: z.int().positive() }))
const taxes = z.array(
  z.looseObject({
    id: z.int(),
    name: z.string(),
    amount: z.number(),
    price_include: z.boolean(),
    amount_type: z.string(),
  }),
)
const MANY = 5

/** The books of an Odoo. Only draft invoices and their customers are ever created, and nothing is changed. */
export function odooAccounting(calls: OdooCalls, url: string): Accounting {
  const hasRequestField = requestField(calls)

  /** Of a request, by the field that holds it, else by the reference: a draft may be older than the field. */
  const booked = async (requestId: string): Promise<Move[]> => {
    const byField = (await hasRequestField()) ? await findMoves(calls, [[REQUEST_FIELD, '=', requestId]], MANY) : []
    return byField.length > 0 ? byField : findMoves(calls, [['ref', '=', refOf(requestId)]], MANY)
  }

  const currencyId = async (code: string): Promise<number> => {
    const [found] = await search(calls, records, 'res.currency', [['name', '=', code]], ['name'], 1)
    if (found) return found.id
    throw new Unbookable(`the currency ${code} is not active in the books`)
  }

  const taxId = async (tax: InvoiceOrder['lines'][number]['taxes'][number]): Promise<number> => {
    const by: Domain = typeof tax === 'string' ? [['amount', '=', Number(tax)]] : [['id', '=', tax.id]]
    const fields = ['name', 'amount', 'amount_type', 'price_include']
    const found = await search(calls, taxes, 'account.tax', [['type_tax_use', '=', 'sale'], ...by], fields, 50)
    const fitting =
      typeof tax === 'string' ? found.filter((one) => one.amount_type === 'percent' && !one.price_include) : found
    const [only] = fitting
    if (only && fitting.length === 1) return only.id
    const what = typeof tax === 'string' ? `a sales tax of ${tax} %` : `a sales tax with the id ${tax.id}`
    if (!only) throw new Unbookable(`the books have no ${what.slice(2)} on prices without tax`)
    const list = fitting.map((one) => `${one.id} (${one.name})`).join(', ')
    throw new Unbookable(`the books have more than one ${what.slice(2)}: ${list}; name the id of the right one`)
  }

  const valuesOf = async (order: InvoiceOrder) => {
    const ids = new Map<string, number>()
    for (const tax of order.lines.flatMap((line) => line.taxes))
      if (!ids.has(JSON.stringify(tax))) ids.set(JSON.stringify(tax), await taxId(tax))
    const currency_id = await currencyId(order.currency)
    const request = (await hasRequestField()) ? { [REQUEST_FIELD]: order.request_id } : { ref: refOf(order.request_id) }
    return {
      move_type: 'out_invoice',
      ...{ currency_id, ...request },
      ...(order.reference !== undefined && { invoice_origin: order.reference }),
      // Terms of payment would make another day of it.
      ...(order.due !== undefined && { invoice_payment_term_id: false, invoice_date_due: order.due }),
      invoice_line_ids: order.lines.map((line) => [
        ...[0, 0],
        {
          name: line.description,
          quantity: Number(line.quantity),
          price_unit: Number(line.unit_price),
          tax_ids: [[6, 0, line.taxes.map((tax) => ids.get(JSON.stringify(tax)))]],
        },
      ]),
      // Last of all: an order that is refused leaves no new customer.
      partner_id: await oneCustomer(order.customer),
    }
  }

  const exists = async ([before, ...more]: readonly Move[]): Promise<CreateDraftOutcome | undefined> => {
    if (!before) return undefined
    return { kind: 'exists', draft: await readInvoice(calls, url, before), more: more.map((one) => one.id) }
  }

  const create = async (order: InvoiceOrder): Promise<CreateDraftOutcome> => {
    const before = await exists(await booked(order.request_id))
    if (before) return before
    const vals_list = [await valuesOf(order)]
    try {
      const written = await calls.write('account.move', 'create', { args: { vals_list } })
      // What is in the books counts, whatever the answer was.
      const after = await booked(order.request_id)
        .then(exists)
        .catch(() => undefined)
      if (after?.kind === 'exists') return { kind: 'created', draft: after.draft }
      return { kind: 'unknown', reason: written.kind === 'unknown' ? written.reason : 'it could not be read back' }
    } catch (error) {
      // Another process was faster, and the field lets no second one in.
      const other = await booked(order.request_id)
        .then(exists)
        .catch(() => undefined)
      if (other) return other
      throw error
    }
  }

  const inOrder = oneAtATime()
  const customersInOrder = oneAtATime()
  const oneCustomer = (customer: InvoiceOrder['customer']) =>
    customersInOrder(customer.email?.toLowerCase() ?? '', () => customerId(calls, customer))
  return {
    async getData(query) {
      const isByField = query.about === 'invoices' && query.request_id !== undefined && (await hasRequestField())
      const { model, args } = searchOf(query, isByField ? REQUEST_FIELD : 'ref')
      const found = readAs(z.array(z.looseObject({})), model, await calls.read(model, 'search_read', { args }))
      return found.map((record) => rowOf(query.about, record))
    },
    async findDraft(requestId) {
      const [first] = await booked(requestId)
      return first && readInvoice(calls, url, first)
    },
    createDraft: (order) =>
      inOrder(order.request_id, async () => {
        const fault = orderFault(order)
        if (fault !== undefined) return { kind: 'refused', say: fault }
        try {
          return await create(order)
        } catch (error) {
          if (error instanceof Unseen) return { kind: 'unknown', reason: error.message }
          const say = sayRefusal(error)
          if (say === undefined) throw error
          return { kind: 'refused', say }
        }
      }),
  }
}

/** Calls under one key follow each other in this process. */
function oneAtATime(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>()
  return async (key, work) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(work, work)
    last.set(key, mine)
    try {
      return await mine
    } finally {
      if (last.get(key) === mine) last.delete(key)
    }
  }
}
