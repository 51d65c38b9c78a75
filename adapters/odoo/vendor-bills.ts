import { z } from 'zod'
import { digitsOf } from '#core/invoice.ts'
import type { BillState } from '#core/ports/payment.ts'
import type { OdooCalls } from './calls.ts'
import { search } from './invoices.ts'

const bills = z.array(
  z.looseObject({
    ...{ id: z.int().positive(), move_type: z.string(), state: z.string(), amount_residual: z.number() },
    currency_id: z.tuple([z.int(), z.string()]),
  }),
)
const FIELDS = ['move_type', 'state', 'amount_residual', 'currency_id']

/** How a vendor's bill stands now, before it is paid. Only looks. Throws ERR_ODOO_*. */
export async function lookAtBill(calls: OdooCalls, id: number): Promise<BillState> {
  const [bill] = await search(calls, bills, 'account.move', [['id', '=', id]], FIELDS, 1)
  if (!bill) return { kind: 'not-there' }
  if (bill.move_type !== 'in_invoice') return { kind: 'no-bill' }
  if (bill.state === 'draft') return { kind: 'draft' }
  if (bill.state !== 'posted') return { kind: 'cancelled' }
  const [, currency] = bill.currency_id
  // A residual of nothing, or of less: it was paid, or overpaid.
  if (bill.amount_residual <= 0) return { kind: 'paid' }
  return { kind: 'open', residual: bill.amount_residual.toFixed(digitsOf(currency)), currency }
}
