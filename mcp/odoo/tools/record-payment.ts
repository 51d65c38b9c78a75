import { type RecordPaymentAction, recordPaymentSchema } from '#core/books-action.ts'
import { entryOf, judgePayment, sayPaid } from '#core/books-world.ts'
import type { ActingBooks } from '#core/ports/accounting.ts'
import type { Report } from '#core/report.ts'
import { refused, registerActingTool } from '../../shared/acting-tool.ts'
import type { OdooTool } from '../server.ts'
import type { BooksDeps } from './post-invoice.ts'

/** `record_payment`: enters one approved payment of a posted invoice. */
export function recordPayment(deps: BooksDeps): OdooTool {
  return (server) =>
    registerActingTool(
      server,
      {
        name: 'record_payment',
        title: 'Record an approved payment',
        description:
          'Enters in Odoo that a posted invoice was paid, as the person approved in the vault of this machine. No money moves.',
        schema: recordPaymentSchema,
        whenUnprepared: 'ERR_ODOO_UNREACHABLE',
        prepare: async (action, { key }) => {
          const judged = judgePayment(action, await deps.books.invoice(Number(action.invoice)))
          if (judged.kind === 'stale') return async () => refused('ERR_ODOO_REFUSED', judged.say)
          return () => record(action, key, deps.books)
        },
      },
      deps,
    )
}

/** Whether it stands there is what the books say afterwards, by the key. */
async function record(action: RecordPaymentAction, key: string, books: ActingBooks): Promise<Report> {
  const outcome = await books.pay(entryOf(action), key)
  if (outcome.kind === 'refused')
    return refused(outcome.permanent ? 'ERR_ODOO_REFUSED' : 'ERR_ODOO_UNREACHABLE', outcome.say)
  const found = await lookBack(action, key, books).catch(() => undefined)
  if (found) return { outcome: 'accepted', key, ...found }
  const reason = outcome.kind === 'unknown' ? outcome.reason : 'it was done, and cannot be read back'
  return { outcome: 'unknown', key, code: 'ERR_OUTCOME_UNKNOWN', reason }
}

async function lookBack({ invoice }: RecordPaymentAction, key: string, books: ActingBooks) {
  const payments = await books.payments(key)
  return payments.length === 0 ? undefined : sayPaid(payments, await books.invoice(Number(invoice)))
}
