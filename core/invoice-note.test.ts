import { expect, test } from 'vitest'
import { renderInvoiceNote } from './invoice-note.ts'

const DATA = {
  customer: { name: '[[x]] | <%tp%> customer' },
  lines: [{ description: 'Work', quantity: '2', unit_price: '5.50', taxes: [] }, { description: 'Book' }],
  ...{ currency: 'EUR', missing: ['the price of line 2'], unsaid: ['when it is due'] },
}
const TOTALS = { lines: ['11.00'], net: '11.00', taxes: [{ percent: '19', amount: '2.09' }], total: '13.09' }

test('the note is inert, and says what is missing', () => {
  const note = renderInvoiceNote(DATA, TOTALS, 'A <b>title</b>', '[[Pending_Approval/accounting/F|t]]')
  expect(note).toContain('A \\<b\\>title')
  expect(note).toContain('| Customer | \\[\\[x\\]\\] \\| \\<\\%tp\\%\\> customer |')
  expect(note).toContain('| Work | 2 | 5.50 | none |')
  expect(note).toContain('| Book | ? | ? | ? |')
  expect(note).toContain('| Tax of 19 \\% | 2.09 |')
  expect(note).toContain('- the price of line 2\n- when it is due')
})
