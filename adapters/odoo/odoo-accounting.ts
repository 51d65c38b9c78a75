import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import { digitsOf, type InvoiceOrder, orderFault } from '#core/invoice.ts'
import type { Accounting, BookedDraft, CreateDraftOutcome } from '#core/ports/accounting.ts'
import { type Domain, escapedPattern, refOf, rowOf, searchOf } from './book-tables.ts'
import type { OdooTransport } from './json2.ts'

const label = z.tuple([z.int(), z.string()])
const records = z.array(z.looseObject({ id: z.int().positive() }))
const partners = z.array(z.looseObject({ id: z.int().positive(), name: z.union([z.string(), z.literal(false)]) }))
const taxes = z.array(
  z.looseObject({
    id: z.int(),
    name: z.string(),
    amount: z.number(),
    price_include: z.boolean(),
    amount_type: z.string(),
  }),
)
const moves = z.array(
  z.looseObject({
    id: z.int().positive(),
    state: z.string(),
    partner_id: z.union([label, z.literal(false)]),
    currency_id: label,
    amount_untaxed: z.number(),
    amount_tax: z.number(),
    amount_total: z.number(),
  }),
)
const MOVE_FIELDS = ['state', 'partner_id', 'currency_id', 'amount_untaxed', 'amount_tax', 'amount_total']
const MANY = 5

/** Nothing was created, for a reason that the person can read. */
class Unbookable extends Error {}

/** The books of an Odoo. Only draft invoices are ever created, and nothing is changed. */
export function odooAccounting(transport: OdooTransport): Accounting {
  const search = async <T>(
    schema: z.ZodType<T>,
    model: string,
    domain: Domain,
    fields: readonly string[],
    limit: number,
  ) => readAs(schema, model, await transport.read(model, 'search_read', { domain, fields, limit, order: 'id' }))

  const booked = (requestId: string) =>
    search(
      moves,
      'account.move',
      [
        ['move_type', '=', 'out_invoice'],
        ['ref', '=', refOf(requestId)],
      ],
      MOVE_FIELDS,
      MANY,
    )

  const customerId = async ({ id, email, name }: InvoiceOrder['customer']): Promise<number> => {
    if (id !== undefined) {
      const [found] = await search(records, 'res.partner', [['id', '=', id]], ['name'], 1)
      if (found) return found.id
      throw new Unbookable(`there is no customer ${id} in the books`)
    }
    const by: Domain =
      email === undefined
        ? [['name', '=ilike', escapedPattern(name ?? '')]]
        : [['email_normalized', '=', email.toLowerCase()]]
    const found = await search(partners, 'res.partner', by, ['name'], MANY)
    const [only] = found
    if (only && found.length === 1) return only.id
    const whom = email ?? name
    if (!only) throw new Unbookable(`no customer in the books is called ${whom}; create one there, or name its id`)
    const list = found.map((one) => `${one.id} (${one.name || 'without a name'})`).join(', ')
    throw new Unbookable(`more than one customer in the books is called ${whom}: ${list}; name the id of the right one`)
  }

  const currencyId = async (code: string): Promise<number> => {
    const [found] = await search(records, 'res.currency', [['name', '=', code]], ['name'], 1)
    if (found) return found.id
    throw new Unbookable(`the currency ${code} is not active in the books`)
  }

  const taxId = async (tax: InvoiceOrder['lines'][number]['taxes'][number]): Promise<number> => {
    const by: Domain = typeof tax === 'string' ? [['amount', '=', Number(tax)]] : [['id', '=', tax.id]]
    const fields = ['name', 'amount', 'amount_type', 'price_include']
    const found = await search(taxes, 'account.tax', [['type_tax_use', '=', 'sale'], ...by], fields, 50)
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
    return {
      move_type: 'out_invoice',
      partner_id: await customerId(order.customer),
      currency_id: await currencyId(order.currency),
      ref: refOf(order.request_id),
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
    }
  }

  const create = async (order: InvoiceOrder): Promise<CreateDraftOutcome> => {
    const [before, ...more] = await booked(order.request_id)
    if (before) return { kind: 'exists', draft: draftOf(before), more: more.map((one) => one.id) }
    const written = await transport.write('account.move', 'create', { vals_list: [await valuesOf(order)] })
    // What is in the books counts, whatever the answer was.
    const [after] = await booked(order.request_id).catch(() => [])
    if (after) return { kind: 'created', draft: draftOf(after) }
    return { kind: 'unknown', reason: written.kind === 'unknown' ? written.reason : 'it could not be read back' }
  }

  const inOrder = oneAtATime()
  return {
    async getData(query) {
      const { model, args } = searchOf(query)
      const found = readAs(z.array(z.looseObject({})), model, await transport.read(model, 'search_read', args))
      return found.map((record) => rowOf(query.about, record))
    },
    createDraft: (order) =>
      inOrder(order.request_id, async () => {
        const fault = orderFault(order)
        if (fault !== undefined) return { kind: 'refused', say: fault }
        try {
          return await create(order)
        } catch (error) {
          if (error instanceof Unbookable) return { kind: 'refused', say: error.message }
          if (error instanceof CountersignError && error.code === 'ERR_ODOO_REFUSED')
            return { kind: 'refused', say: error.message }
          throw error
        }
      }),
  }
}

function draftOf(move: z.output<typeof moves>[number]): BookedDraft {
  const [, currency] = move.currency_id
  const amount = (value: number) => value.toFixed(digitsOf(currency))
  return {
    id: move.id,
    customer: move.partner_id ? move.partner_id[1] : '',
    ...{ net: amount(move.amount_untaxed), tax: amount(move.amount_tax), total: amount(move.amount_total) },
    currency,
    isDraft: move.state === 'draft',
  }
}

function readAs<T>(schema: z.ZodType<T>, model: string, json: unknown): T {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const field = parsed.error.issues[0]?.path.join('.') || 'the whole'
  throw new CountersignError('ERR_ODOO_UNREACHABLE', `Odoo: an answer about ${model} of another shape (${field})`)
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
