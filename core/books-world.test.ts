import { describe, expect, it } from 'vitest'
import { type PostInvoiceAction, postingOf, type RecordPaymentAction } from './books-action.ts'
import { judgePayment, judgePosting, sayPaid, sayPosted } from './books-world.ts'
import type { BookedInvoice } from './ports/accounting.ts'

const DRAFT: BookedInvoice = {
  ...{ id: 42, customer: 'Acme Ltd', net: '200.00', tax: '30.00', total: '230.00', currency: 'EUR', isDraft: true },
  ...{ isNewCustomer: false, due: '2026-12-24', lines: ['Work: 2 × 100, 15% = 200.00'] },
  ...{ content: `sha256:${'a'.repeat(64)}`, state: 'draft', number: undefined, open: '230.00' },
  ...{ invoiceDate: undefined, date: undefined, link: 'https://odoo.example/odoo/account.move/42' },
}
const POSTED: BookedInvoice = { ...DRAFT, state: 'posted', isDraft: false, number: 'INV/2026/00012' }
const POSTING = postingOf(DRAFT)
const PAYMENT: RecordPaymentAction = {
  ...{ tool: 'odoo.record_payment', invoice: '42', number: 'INV/2026/00012', customer: 'Acme Ltd' },
  ...{ amount: '230.00', currency: 'EUR', date: '2026-12-01', memo: 'Transfer' },
}

describe('a draft that is about to be posted', () => {
  it('is posted as the card said, the total compared as a number', () => {
    expect(judgePosting(POSTING, DRAFT)).toEqual({ kind: 'clear' })
    expect(judgePosting({ ...POSTING, total: '230' }, DRAFT)).toEqual({ kind: 'clear' })
    const { lines: _l, content: _c, due: _d, ...least } = POSTING
    expect(judgePosting(least, DRAFT)).toEqual({ kind: 'clear' })
  })

  it.each<[string, Partial<BookedInvoice> | undefined, string, RegExp]>([
    ['is gone', undefined, 'invoice-gone', /no customer invoice 42/],
    ['is a bill of a vendor', { isBill: true }, 'invoice-gone', /no customer invoice 42/],
    ['was posted', POSTED, 'already-posted', /Somebody posted invoice 42 already: it is INV\/2026\/00012/],
    ['was cancelled', { state: 'cancelled' }, 'invoice-cancelled', /cancelled/],
    ['has another total', { total: '230.01' }, 'invoice-changed', /its total is 230\.01, not 230\.00/],
    ['is for somebody else', { customer: 'Twin' }, 'invoice-changed', /for Twin, not for Acme Ltd/],
    ['is in another currency', { currency: 'USD' }, 'invoice-changed', /in USD, not in EUR/],
    ['is due on another day', { due: '2027-01-01' }, 'invoice-changed', /due 2027-01-01, not 2026-12-24/],
    ['has another line', { lines: ['Work: 1 × 200, 15% = 200.00'] }, 'invoice-changed', /lines are others: new .*gone/],
    ['differs in what is not shown', { content: `sha256:${'b'.repeat(64)}` }, 'invoice-changed', /something in it/],
    ['is for a customer who is new', { isNewCustomer: true }, 'customer-new', /new customer/],
  ])('goes back with words when it %s', (_what, changed, rule, say) => {
    const now = changed && { ...DRAFT, ...changed }
    expect(judgePosting(POSTING, now)).toMatchObject({ kind: 'stale', rule, say: expect.stringMatching(say) })
  })

  it('may be for a new customer where the card said so', () => {
    const action: PostInvoiceAction = { ...POSTING, new_customer: 'yes' }
    expect(judgePosting(action, { ...DRAFT, isNewCustomer: true })).toEqual({ kind: 'clear' })
  })
})

describe('a payment that is about to be recorded', () => {
  it('may be of a bill of a vendor', () => {
    expect(judgePayment(PAYMENT, { ...POSTED, isBill: true })).toEqual({ kind: 'clear' })
  })

  it.each(['230.00', '230', '0.01'])('may be the whole or a part: %s', (amount) => {
    expect(judgePayment({ ...PAYMENT, amount }, POSTED)).toEqual({ kind: 'clear' })
  })

  it.each<[string, Partial<BookedInvoice> | undefined, string]>([
    ['the invoice is gone', undefined, 'invoice-gone'],
    ['it is a draft', DRAFT, 'invoice-not-posted'],
    ['it was cancelled', { state: 'cancelled' }, 'invoice-not-posted'],
    ['it has another number', { number: 'INV/2026/00013' }, 'invoice-changed'],
    ['it is for somebody else', { customer: 'Twin' }, 'invoice-changed'],
    ['it is in another currency', { currency: 'USD' }, 'invoice-changed'],
    ['it is paid', { open: '0.00' }, 'already-paid'],
    ['less is open', { open: '229.99' }, 'residual-changed'],
  ])('goes back when %s', (_what, changed, rule) => {
    expect(judgePayment(PAYMENT, changed && { ...POSTED, ...changed })).toMatchObject({ kind: 'stale', rule })
  })
})

describe('what was booked', () => {
  it('is told with number, link, and that the day was moved', () => {
    const moved = { ...POSTED, invoiceDate: '2025-03-31', date: '2026-01-31' }
    expect(sayPosted(POSTING, moved)).toEqual({
      answer: 'Odoo: invoice INV/2026/00012, 230.00 EUR',
      missed: ['it counts on 2026-01-31, not on 2025-03-31: that period is locked in Odoo'],
      link: POSTED.link,
      facts: { number: 'INV/2026/00012', date: '2026-01-31' },
    })
    expect(sayPosted(POSTING, { ...moved, date: '2025-03-31' }).missed).toEqual([])
  })

  it.each<[string, Partial<BookedInvoice>, RegExp]>([
    ['another customer', { customer: 'Twin' }, /it is for Twin/],
    ['another line', { lines: ['Work: 3 × 100, 15% = 300.00'] }, /its lines are others/],
    ['another total', { total: '999.00' }, /its total is 999\.00/],
  ])('says so when it has %s than was approved', (_what, changed, differs) => {
    expect(sayPosted(POSTING, { ...POSTED, ...changed }).facts?.differs).toMatch(differs)
  })

  it('is told with what is left open, and when there are two', () => {
    const one = { id: 7, amount: '100.00', currency: 'EUR', isCancelled: false }
    expect(sayPaid([one], { ...POSTED, open: '130.00' })).toMatchObject({
      answer: 'Odoo: payment 7, 100.00 EUR; 130.00 EUR of invoice INV/2026/00012 are open',
      missed: [],
      facts: { payment: '7', open: '130.00' },
    })
    expect(sayPaid([one, { ...one, id: 8 }], POSTED).missed).toEqual([expect.stringMatching(/2 payments/)])
    expect(sayPaid([{ ...one, isCancelled: true }], POSTED).missed).toEqual([expect.stringMatching(/cancelled/)])
  })
})
