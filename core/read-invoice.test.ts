import { describe, expect, test } from 'vitest'
import { type InvoiceAnswer, invoiceForm, orderOf, readInvoice } from './read-invoice.ts'

const MAIL = `Dear Olga,
please send the invoice for 2 days of workshop at EUR 1.250,50 per day and the printed manual (80 €)
to Acme GmbH, Hauptstr. 5, 10115 Berlin, VAT DE 123456789. Our order number is PO-4711.
Please make it due on 15 December 2026. Plus 19 % VAT. Billing: Invoices@acme.example
Pay to DE89 3704 0044 0532 0130 00.
`
const line = (description: string, quantity: string, price: string, tax = '19') => ({
  ...{ description, quantity, unit_price: price, tax_percent: [tax] },
})
const ANSWER: InvoiceAnswer = {
  customer: {
    name: 'Acme GmbH',
    email: 'invoices@ACME.example',
    address: 'Hauptstr. 5, 10115 Berlin',
    tax_id: 'DE123456789',
  },
  lines: [line('2 days of workshop', '2', '1250.50'), line('printed manual', '1', '80')],
  ...{ prices_include_tax: false, currency: 'EUR', due: '2026-12-15', reference: 'PO-4711' },
}
const read = (changed: Partial<InvoiceAnswer>, mail = MAIL) => readInvoice({ ...ANSWER, ...changed }, [mail])

test('what the mail says is taken, and makes an order', () => {
  const data = read({})
  expect(data).toEqual({
    customer: {
      name: 'Acme GmbH',
      email: 'invoices@acme.example',
      address: 'Hauptstr. 5, 10115 Berlin',
      tax_id: 'DE123456789',
    },
    lines: [
      { description: '2 days of workshop', quantity: '2', unit_price: '1250.50', taxes: ['19'] },
      { description: 'printed manual', quantity: '1', unit_price: '80', taxes: ['19'] },
    ],
    ...{ currency: 'EUR', due: '2026-12-15', reference: 'PO-4711', missing: [], unsaid: [] },
  })
  expect(orderOf(data, '01J8Z3W6Q0ABCDEFGHJKMNPQRS')).toMatchObject({
    order: { customer: { name: 'Acme GmbH', email: 'invoices@acme.example' }, currency: 'EUR', due: '2026-12-15' },
  })
})

describe('what a model makes up is missing', () => {
  test.each<[string, Partial<InvoiceAnswer>, string]>([
    ['a price', { lines: [line('workshop', '2', '1300')] }, 'the price of line 1'],
    ['a quantity', { lines: [line('workshop', '3', '80')] }, 'the quantity of line 1'],
    ['a tax', { lines: [line('workshop', '2', '80', '7')] }, 'the tax of line 1'],
    ['a description', { lines: [line('consulting', '2', '80')] }, 'the description of line 1'],
    ['a customer', { customer: { name: 'Evil Ltd', email: null, address: null, tax_id: null } }, 'who the customer is'],
    ['a currency', { currency: 'USD' }, 'the currency'],
    ['that there is anything to invoice', { lines: [] }, 'what is to be invoiced'],
  ])('%s', (_what, changed, missing) => {
    const data = read(changed)
    expect(data.missing).toContainEqual(expect.stringContaining(missing))
    expect(orderOf(data, '01J8Z3W6Q0ABCDEFGHJKMNPQRS')).toEqual({ lacks: expect.stringContaining(missing) })
  })

  test.each<[string, Partial<InvoiceAnswer>]>([
    ['a day', { due: '2026-12-16' }],
    ['another month', { due: '2026-11-15' }],
    ['a day that does not exist', { due: '2026-02-31' }],
    ['a reference', { reference: 'PO-4712' }],
    ['an account number as a reference', { reference: 'DE89 3704 0044 0532 0130 00' }],
    ['an address', { customer: { ...ANSWER.customer, address: 'Nebenstr. 5, 10115 Berlin' } }],
    ['an e-mail address', { customer: { ...ANSWER.customer, email: 'evil@evil.example' } }],
    ['a tax number', { customer: { ...ANSWER.customer, tax_id: 'DE999999999' } }],
  ])('%s is left out, and the rest can be invoiced', (_what, changed) => {
    const data = read(changed)
    const invented = Object.values(changed).flatMap((one) =>
      typeof one === 'string' ? [one] : Object.values(one as object).filter((value) => !MAIL.includes(value)),
    )
    for (const value of invented.filter((one) => !/^(invoices@ACME|DE123)/.test(one)))
      expect(JSON.stringify(data)).not.toContain(value)
    expect(orderOf(data, '01J8Z3W6Q0ABCDEFGHJKMNPQRS')).toHaveProperty('order')
  })
})

test('no tax is said only where somebody said so, and prices with tax are no prices without', () => {
  expect(read({ lines: [{ ...line('workshop', '2', '80'), tax_percent: null }] }).missing).toEqual([
    'the tax of line 1',
  ])
  const untaxed = { lines: [{ ...line('workshop', '2', '80'), tax_percent: [] }] }
  expect(read(untaxed).missing).toEqual(['the tax of line 1'])
  expect(read(untaxed, `${MAIL} All prices without tax.`).missing).toEqual(['the tax of line 1'])
  expect(read(untaxed, `${MAIL} This is VAT exempt.`).missing).toEqual([])
  expect(read({ prices_include_tax: true }).missing).toEqual(['the prices without tax (the mail gives them with tax)'])
  expect(read({ prices_include_tax: null })).toMatchObject({ missing: [], unsaid: ['whether the prices include tax'] })
})

test.each([
  ['1.250,50', '1250.50'],
  ['1,250.50', '1250.50'],
  ["1'250.50", '1250.50'],
  ['1 250,50', '1250.50'],
  ['1250.5', '1250.50'],
  ['1250', '1250.00'],
  ['12.5', '12.5'],
])('the price %s of a mail is %s', (written, price) => {
  const data = readInvoice({ ...ANSWER, lines: [line('x', '1', price)] }, [`x ${written} EUR, 19 %, Acme GmbH`])
  expect(data.lines[0]).toMatchObject({ unit_price: price })
})

test('the handbook is a source as well', () => {
  const mail = 'Please invoice Acme GmbH for one workshop.'
  const handbook = 'A workshop costs 900 EUR. VAT 19 %.'
  const answer = { ...ANSWER, lines: [line('workshop', '1', '900')], due: null, reference: null }
  expect(readInvoice(answer, [mail, handbook]).missing).toEqual([])
  expect(readInvoice(answer, [mail]).missing).toEqual(['the price of line 1', 'the tax of line 1', 'the currency'])
})

test('days are read in several languages and as numbers', () => {
  for (const written of ['15.12.2026', '2026-12-15', '15. Dezember', '15 décembre', '15 grudnia', 'Dec 15'])
    expect(read({}, `${MAIL.replace('15 December 2026', written)}`).due, written).toBe('2026-12-15')
})

test('the form is strict', () => {
  expect(invoiceForm.read(JSON.stringify(ANSWER)).ok).toBe(true)
  expect(invoiceForm.read(JSON.stringify({ ...ANSWER, iban: 'x' }))).toMatchObject({ ok: false })
  expect(invoiceForm.read(JSON.stringify({ ...ANSWER, currency: 'Euro' }))).toMatchObject({ ok: false })
  expect(invoiceForm.jsonSchema).toMatchObject({ type: 'object', additionalProperties: false })
})
