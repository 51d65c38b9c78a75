import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decimalOf, decimalText, rounded, times } from './decimal.ts'
import { digitsOf, type InvoiceOrder, invoiceOrder, invoiceTotals, orderFault, sayDifference } from './invoice.ts'

const ORDER: InvoiceOrder = {
  request_id: '01J8Z3W6Q0ABCDEFGHJKMNPQRS',
  customer: { name: 'Acme Ltd' },
  lines: [
    { description: 'Work', quantity: '2.5', unit_price: '99.99', taxes: ['19'] },
    { description: 'Book', quantity: '3', unit_price: '0.335', taxes: ['7.00'] },
    { description: 'Postage', quantity: '1', unit_price: '4.90', taxes: [] },
  ],
  currency: 'EUR',
}
const line = (changed: object) => ({ ...ORDER, lines: [{ ...ORDER.lines[0], ...changed }] })

test('adds up in integers: lines rounded, each tax once', () => {
  expect(invoiceTotals(ORDER)).toEqual({
    lines: ['249.98', '1.01', '4.90'],
    net: '255.89',
    taxes: [
      { percent: '19', amount: '47.50' },
      { percent: '7', amount: '0.07' },
    ],
    total: '303.46',
  })
})

test('a currency has its own digits', () => {
  expect(['EUR', 'JPY', 'KWD', 'no code'].map(digitsOf)).toEqual([2, 0, 3, 2])
  const yen = { ...line({ quantity: '3', unit_price: '33.5', taxes: ['10'] }), currency: 'JPY' } as InvoiceOrder
  expect(invoiceTotals(yen)).toMatchObject({ net: '101', taxes: [{ amount: '10' }], total: '111' })
})

test('never adds as floats do', () => {
  const many = Array.from({ length: 50 }, () => ({ description: 'x', quantity: '1', unit_price: '0.1', taxes: [] }))
  expect(invoiceTotals({ lines: many, currency: 'EUR' })?.net).toBe('5.00')
  fc.assert(
    fc.property(fc.bigInt(0n, 999_999_999n), fc.bigInt(1n, 9_999n), (cents, count) => {
      const product = times({ units: cents, scale: 2 }, { units: count, scale: 0 })
      expect(decimalText(rounded(product, 2))).toBe(decimalText({ units: cents * count, scale: 2 }))
    }),
  )
  expect(decimalText(rounded(decimalOf('0.005'), 2))).toBe('0.01')
  expect(decimalText(rounded(decimalOf('0.0049'), 2))).toBe('0.00')
})

test('a tax that only the books know by its id leaves the sum to them', () => {
  expect(invoiceTotals(line({ taxes: [{ id: 4 }] }) as InvoiceOrder)).toBeUndefined()
})

describe('an order is refused', () => {
  test.each([
    ['without taxes: none is [], not nothing', line({ taxes: undefined })],
    ['with a quantity of 0', line({ quantity: '0' })],
    ['with a quantity of 0.000', line({ quantity: '0.000' })],
    ['with a negative quantity', line({ quantity: '-1' })],
    ['with a negative price', line({ unit_price: '-5' })],
    ['with a price as a number', line({ unit_price: 5 })],
    ['with an exponent', line({ unit_price: '1e3' })],
    ['with a comma', line({ unit_price: '1,50' })],
    ['with a tax of more than 100 %', line({ taxes: ['101'] })],
    ['with an invisible character', line({ description: 'Wo\u200brk' })],
    ['with a field that nobody knows', line({ account_id: 7 })],
    ['without lines', { ...ORDER, lines: [] }],
    ['with too many lines', { ...ORDER, lines: Array(51).fill(ORDER.lines[0]) }],
    ['with an unknown currency', { ...ORDER, currency: 'XXQ' }],
    ['with a currency in small letters', { ...ORDER, currency: 'eur' }],
    ['with a day that does not exist', { ...ORDER, due: '2026-02-30' }],
    ['with nobody to pay', { ...ORDER, customer: {} }],
    ['with a state', { ...ORDER, state: 'posted' }],
    ['with a request id that could be a pattern', { ...ORDER, request_id: 'CS-%_________' }],
  ])('%s', (_why, order) => {
    expect(invoiceOrder.safeParse(order).success).toBe(false)
  })

  test('that comes to nothing, or to more than can be true', () => {
    expect(invoiceOrder.safeParse(ORDER).success).toBe(true)
    expect(orderFault(ORDER)).toBeUndefined()
    expect(orderFault(line({ unit_price: '0' }) as InvoiceOrder)).toBe('the invoice comes to nothing')
    expect(orderFault(line({ unit_price: '0.001' }) as InvoiceOrder)).toBe('the invoice comes to nothing')
    expect(orderFault(line({ quantity: '99999999', unit_price: '99999999' }) as InvoiceOrder)).toMatch(/too many/)
  })
})

test('other figures in the books are said', () => {
  const booked = { net: '255.89', total: '303.46', currency: 'EUR' }
  expect(sayDifference(ORDER, booked)).toBeUndefined()
  expect(sayDifference(ORDER, { ...booked, total: '255.89' })).toBe(
    'the books make it 255.89 without and 255.89 with tax, where these figures come to 255.89 and 303.46 EUR',
  )
})
