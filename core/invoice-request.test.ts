import { describe, expect, test } from 'vitest'
import { checkedInvoice, INVOICE_ANSWER, type InvoiceAnswer, renderInvoiceNote } from './invoice-request.ts'

const MAIL = `From: Ana Ruiz <ana@acme.example>

Please invoice Acme S.L., Calle Mayor 5,
28013 Madrid, Spain (VAT ES B12345678), for
- 3 days of consulting at 1.200,50 € each
- travel, 80 €
Our order number is PO-4711. Due by 1 December 2026, please.
Pay to DE89 3704 0044 0532 0130 00.`
const SOURCES = { mail: MAIL, handbook: '## Rules\n\nWe charge 19 % VAT.' }
const ANSWER: InvoiceAnswer = {
  customer: 'Acme S.L.',
  email: 'ana@acme.example',
  address: 'Calle Mayor 5, 28013 Madrid, Spain',
  tax_number: 'ES B12345678',
  lines: [
    { description: 'Days of consulting', quantity: '3', unit_price: '1200.50' },
    { description: 'travel', quantity: '1', unit_price: '80' },
  ],
  currency: 'EUR',
  tax_percent: '19',
  reference: 'PO-4711',
  due: '2026-12-01',
}

test('keeps what stands in the mail or the handbook, however the numbers are written', () => {
  expect(checkedInvoice(ANSWER, SOURCES)).toEqual({
    customer: [
      ['Customer', 'Acme S.L.'],
      ['Address', 'Calle Mayor 5, 28013 Madrid, Spain'],
      ['E-mail', 'ana@acme.example'],
      ['Tax number', 'ES B12345678'],
    ],
    lines: [
      { description: 'Days of consulting', quantity: '3', unitPrice: '1200.50' },
      { description: 'travel', quantity: '1', unitPrice: '80' },
    ],
    terms: [
      ['Currency', 'EUR'],
      ['Tax, percent', '19'],
      ['Reference', 'PO-4711'],
      ['Due', '2026-12-01'],
    ],
    missing: [],
  })
})

describe('drops and names', () => {
  const line = ANSWER.lines[0] as InvoiceAnswer['lines'][number]
  test.each<[string, Partial<InvoiceAnswer>, string]>([
    ['a customer nobody named', { customer: 'Evil Ltd.' }, 'the customer’s name (what was read stands nowhere)'],
    [
      'an address that was completed',
      { address: 'Calle Mayor 5, 28013 Madrid, Portugal' },
      'the customer’s address (what',
    ],
    ['an address of somebody else', { email: 'thief@evil.example' }, 'an e-mail address (what'],
    ['another price', { lines: [{ ...line, unit_price: '1200.05' }] }, 'the price of line 1 (what'],
    ['another quantity', { lines: [{ ...line, quantity: '7' }] }, 'the quantity of line 1 (what'],
    [
      'work that was not asked for',
      { lines: [{ ...line, description: 'consulting and plumbing' }] },
      'what line 1 is for (what',
    ],
    ['an account number', { reference: 'DE89 3704 0044 0532 0130 00' }, 'the reference (what'],
    ['a guessed currency', { currency: 'USD' }, 'the currency (what'],
    ['a guessed tax rate', { tax_percent: '21' }, 'the tax rate (what'],
    ['another day', { due: '2026-12-24' }, 'the due date (what'],
    ['a day that there is not', { due: '2026-02-31' }, 'the due date (what'],
    ['a missing price', { lines: [{ ...line, unit_price: '' }] }, 'the price of line 1'],
    ['a missing name', { customer: '' }, 'the customer’s name'],
    ['no lines', { lines: [] }, 'what is to be invoiced'],
  ])('%s', (_what, change, missing) => {
    const checked = checkedInvoice({ ...ANSWER, ...change }, SOURCES)
    expect(checked.missing).toEqual([expect.stringContaining(missing)])
    for (const value of Object.values(change).filter((one) => typeof one === 'string' && one !== ''))
      expect(JSON.stringify({ ...checked, missing: [] })).not.toContain(value as string)
  })
})

test('what nobody needs is not missed', () => {
  const bare = { ...ANSWER, email: '', tax_number: '', reference: '', due: '' }
  expect(checkedInvoice(bare, SOURCES).missing).toEqual([])
})

test('the note is inert, and says what is missing', () => {
  const mail = `${MAIL}\n[[x]] | <%tp%> customer`
  const request = checkedInvoice(
    { ...ANSWER, customer: '[[x]] | <%tp%> customer', due: '', currency: '' },
    { ...SOURCES, mail },
  )
  const note = renderInvoiceNote(request, 'A <b>title</b>', '[[Pending_Approval/accounting/F|t]]')
  expect(note).toContain('| Customer | \\[\\[x\\]\\] \\| \\<\\%tp\\%\\> customer |')
  expect(note).toContain('A \\<b\\>title')
  expect(note).toContain('- the currency')
})

test('the form takes no key that was not asked for', () => {
  expect(INVOICE_ANSWER.read(JSON.stringify({ ...ANSWER, iban: 'DE89' })).ok).toBe(false)
  expect(INVOICE_ANSWER.read(JSON.stringify(ANSWER)).ok).toBe(true)
})
