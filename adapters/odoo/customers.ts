import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import type { InvoiceOrder } from '#core/invoice.ts'
import { type Domain, escapedPattern } from './book-tables.ts'
import type { OdooCalls } from './calls.ts'
import { search } from './invoices.ts'

const partners = z.array(z.looseObject({ id: z.int().positive(), name: z.union([z.string(), z.literal(false)]) }))
type Partner = z.output<typeof partners>[number]
const MANY = 5

/** Nothing was created, for a reason that the person can read. */
export class Unbookable extends Error {}

/** It may have been created, and cannot be seen. */
export class Unseen extends Error {}

/**
 * The customer an order means: found, or created where both a name and an e-mail address are said and the books have neither.
 * Whatever fits more than one is asked back. Throws Unbookable, Unseen, ERR_ODOO_*.
 */
export async function customerId(calls: OdooCalls, { id, email, name }: InvoiceOrder['customer']): Promise<number> {
  const find = (domain: Domain) => search(calls, partners, 'res.partner', domain, ['name'], MANY)
  if (id !== undefined) {
    const [found] = await find([['id', '=', id]])
    if (found) return found.id
    throw new Unbookable(`there is no customer ${id} in the books`)
  }
  const byEmail = () => find([['email_normalized', '=', (email ?? '').toLowerCase()]])
  const byMail = email === undefined ? [] : await byEmail()
  if (email !== undefined && byMail.length > 0) return onlyOne(namedAmong(byMail, name), email)
  const byName = name === undefined ? [] : await find([['name', '=ilike', escapedPattern(name)]])
  if (email === undefined && byName.length > 0) return onlyOne(byName, name ?? '')
  if (byName.length > 0)
    throw new Unbookable(
      `the books have a customer called ${name}, without the address ${email}: ${listed(byName)}; name the id if that is the one`,
    )
  if (email === undefined || name === undefined) {
    const lacks = email === undefined ? 'an e-mail address' : 'a name'
    const whom = email ?? name
    throw new Unbookable(`no customer in the books is called ${whom}, and without ${lacks} none can be created`)
  }
  return create(calls, { name, email }, byEmail)
}

/** Whatever the answer was, what is in the books counts. */
async function create(
  calls: OdooCalls,
  values: { readonly name: string; readonly email: string },
  find: () => Promise<Partner[]>,
): Promise<number> {
  const answer = await calls.write('res.partner', 'create', { args: { vals_list: [{ ...values, customer_rank: 1 }] } })
  const reason = answer.kind === 'unknown' ? answer.reason : 'it could not be read back'
  const found = await find().catch(() => [])
  if (found.length > 0) return onlyOne(found, values.email)
  throw new Unseen(`whether the customer ${values.name} was created: ${reason}`)
}

/** Several of one address may be told apart by their names. */
function namedAmong(found: readonly Partner[], name: string | undefined): readonly Partner[] {
  const same = found.filter((one) => String(one.name).toLowerCase() === name?.toLowerCase())
  return found.length > 1 && same.length === 1 ? same : found
}

function onlyOne(found: readonly Partner[], whom: string): number {
  const [only] = found
  if (only && found.length === 1) return only.id
  throw new Unbookable(
    `more than one customer in the books is called ${whom}: ${listed(found)}; name the id of the right one`,
  )
}

function listed(found: readonly Partner[]): string {
  return found.map((one) => `${one.id} (${one.name || 'without a name'})`).join(', ')
}

/** What may be told of a failure in the words of an outcome; undefined: it is no refusal. */
export function sayRefusal(error: unknown): string | undefined {
  if (error instanceof Unbookable) return error.message
  return error instanceof CountersignError && error.code === 'ERR_ODOO_REFUSED' ? error.message : undefined
}
