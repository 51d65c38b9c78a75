import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import { digitsOf } from '#core/invoice.ts'
import type { ActingBooks, BookedPayment, BookOutcome, PaymentEntry } from '#core/ports/accounting.ts'
import type { OdooCalls } from '../calls.ts'
import { Unbookable } from '../customers.ts'
import { findPayable, type Move, readInvoice, search } from '../invoices.ts'
import { invoiceDocument } from './invoice-document.ts'

const records = z.array(z.looseObject({ id: z.int().positive() }))
const journals = z.array(z.looseObject({ id: z.int().positive(), code: z.string(), name: z.string() }))
const payments = z.array(
  z.looseObject({
    ...{ id: z.int().positive(), amount: z.number(), state: z.string() },
    currency_id: z.tuple([z.int(), z.string()]),
  }),
)
const MANY = 50
/** Since this version a payment's own words stand in `memo`; before, in `ref`. */
const FIRST_WITH_MEMO = 18
/** States of a payment that count for nothing; the words differ between versions. */
const CANCELLED = ['canceled', 'cancel', 'rejected']

/** The books of the zone that acts. In no image of the cloud. */
export function actingBooks(calls: OdooCalls, url: string): ActingBooks {
  const moveOf = (id: number): Promise<Move | undefined> => findPayable(calls, id)

  const journalId = async (code: string | undefined): Promise<number> => {
    const kinds = code === undefined ? ['bank'] : ['bank', 'cash']
    const found = await search(calls, journals, 'account.journal', [['type', 'in', kinds]], ['code', 'name'], MANY)
    const fitting = code === undefined ? found : found.filter((one) => one.code.toLowerCase() === code.toLowerCase())
    const [only] = fitting
    if (only && fitting.length === 1) return only.id
    const list = found.map((one) => `${one.code} (${one.name})`).join(', ') || 'none'
    if (code === undefined) throw new Unbookable(`the books have not one journal for banks; name the journal: ${list}`)
    throw new Unbookable(`the books have not one journal for payments with the code ${code}; there are: ${list}`)
  }

  /** The books pay a draft as well, and as often as they are asked: neither may happen. */
  const postedFor = async ({ invoice, currency }: PaymentEntry): Promise<Move> => {
    const move = await moveOf(invoice)
    if (!move)
      throw new Unbookable(`there is no customer invoice ${invoice} in the books, and no such bill of a vendor`)
    if (move.state !== 'posted') throw new Unbookable(`invoice ${invoice} is not posted; nothing is recorded on it`)
    const [, own] = move.currency_id
    if (own !== currency) throw new Unbookable(`invoice ${invoice} is in ${own}, not in ${currency}`)
    return move
  }

  const pay = async (entry: PaymentEntry, key: string): Promise<BookOutcome> => {
    const before = await postedFor(entry)
    const context = { active_model: 'account.move', active_ids: [entry.invoice] }
    const values = {
      ...{ payment_date: entry.date, amount: Number(entry.amount), currency_id: before.currency_id[0] },
      ...{ journal_id: await journalId(entry.journal), communication: memoOf(entry.memo, key) },
      payment_difference_handling: 'open',
    }
    const form = 'account.payment.register'
    const made = await calls.write(form, 'create', { args: { vals_list: [values] }, context })
    const [wizard] = made.kind === 'done' ? z.array(z.int()).catch([]).parse(made.value) : []
    // The form alone books nothing.
    if (wizard === undefined)
      return { kind: 'refused', permanent: false, say: 'the form for the payment could not be filled in' }
    const now = await postedFor(entry)
    if (now.amount_residual !== before.amount_residual)
      throw new Unbookable(`invoice ${entry.invoice} was paid or changed at this very moment`)
    const answer = await calls.write(form, 'action_create_payments', {
      ids: [wizard],
      context: { ...context, dont_redirect_to_payments: true },
    })
    return answer.kind === 'done' ? { kind: 'done' } : answer
  }

  return {
    async verify() {
      await search(calls, records, 'account.move', [['move_type', '=', 'out_invoice']], ['id'], 1)
    },
    async invoice(id) {
      const move = await moveOf(id)
      return move && readInvoice(calls, url, move)
    },
    post: (id) =>
      definite(async () => {
        const answer = await calls.write('account.move', 'action_post', { ids: [id] })
        return answer.kind === 'done' ? { kind: 'done' } : answer
      }),
    pay: (entry, key) => definite(() => pay(entry, key)),
    async payments(key) {
      const field = (await calls.version()) < FIRST_WITH_MEMO ? 'ref' : 'memo'
      const fields = ['amount', 'state', 'currency_id']
      const found = await search(
        calls,
        payments,
        'account.payment',
        [[field, '=like', `%${marked(key)}`]],
        fields,
        MANY,
      )
      return found.map((one): BookedPayment => {
        const [, currency] = one.currency_id
        const amount = one.amount.toFixed(digitsOf(currency))
        return { id: one.id, amount, currency, isCancelled: CANCELLED.includes(one.state) }
      })
    },
    document: (id) => invoiceDocument(calls, id),
  }
}

/** What the payment says in the books: the person's words, and by what it is found again. */
export function memoOf(memo: string, key: string): string {
  return `${memo} ${marked(key)}`
}

function marked(key: string): string {
  return `[CS-${key}]`
}

/** What is thrown before anything was booked is a refusal. */
async function definite(act: () => Promise<BookOutcome>): Promise<BookOutcome> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof Unbookable) return { kind: 'refused', permanent: true, say: error.message }
    if (!(error instanceof CountersignError)) throw error
    return { kind: 'refused', permanent: !error.retryable, say: error.message }
  }
}
