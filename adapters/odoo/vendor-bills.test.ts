import { expect, test } from 'vitest'
import type { OdooCalls } from './calls.ts'
import { lookAtBill } from './vendor-bills.ts'

const BILL = { id: 42, move_type: 'in_invoice', state: 'posted', amount_residual: 120.5, currency_id: [1, 'EUR'] }

/** An Odoo that answers one question, and is asked nothing else. */
function odoo(rows: unknown): OdooCalls {
  const never = async () => {
    throw new Error('looking at a bill changes nothing')
  }
  return {
    ...{ version: never, userId: never, write: never },
    async read(model, method, { args }) {
      expect([model, method, args?.domain]).toEqual(['account.move', 'search_read', [['id', '=', 42]]])
      return rows
    },
  }
}

test.each<[string, unknown, unknown]>([
  ['open', [BILL], { kind: 'open', residual: '120.50', currency: 'EUR' }],
  [
    'open in yen',
    [{ ...BILL, amount_residual: 1200, currency_id: [7, 'JPY'] }],
    { kind: 'open', residual: '1200', currency: 'JPY' },
  ],
  ['paid', [{ ...BILL, amount_residual: 0 }], { kind: 'paid' }],
  ['overpaid', [{ ...BILL, amount_residual: -1 }], { kind: 'paid' }],
  ['a draft', [{ ...BILL, state: 'draft' }], { kind: 'draft' }],
  ['cancelled', [{ ...BILL, state: 'cancel' }], { kind: 'cancelled' }],
  ['an invoice to a customer', [{ ...BILL, move_type: 'out_invoice' }], { kind: 'no-bill' }],
  ['a refund', [{ ...BILL, move_type: 'in_refund' }], { kind: 'no-bill' }],
  ['not there', [], { kind: 'not-there' }],
])('a bill is %s', async (_what, rows, expected) => {
  expect(await lookAtBill(odoo(rows), 42)).toEqual(expected)
})

test('an answer of another shape is no answer', async () => {
  await expect(lookAtBill(odoo([{ ...BILL, amount_residual: '0' }]), 42)).rejects.toMatchObject({
    code: 'ERR_ODOO_UNREACHABLE',
  })
})
