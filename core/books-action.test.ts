import { describe, expect, it } from 'vitest'
import { actionDigest, actionRows, briefOf, channelOf, doneOf, partsOf, readAction } from './action.ts'
import { postingOf } from './books-action.ts'
import type { BookedDraft } from './ports/accounting.ts'
import { newTaskFile, renderSection } from './task-file.ts'

const DRAFT: BookedDraft = {
  ...{ id: 42, customer: 'Acme Ltd', net: '200.00', tax: '30.00', total: '230.00', currency: 'EUR', isDraft: true },
  ...{ isNewCustomer: true, due: '2026-12-24', lines: ['Work: 2 × 100, 15% = 200.00'] },
  content: `sha256:${'a'.repeat(64)}`,
}
const PAYMENT = {
  ...{ tool: 'odoo.record_payment', invoice: '42', number: 'INV/2026/00012', customer: 'Acme Ltd' },
  ...{ amount: '230.00', currency: 'EUR', date: '2026-12-01', memo: 'Transfer of 1 December', journal: 'BNK1' },
}

function task(action: object, body = '') {
  return newTaskFile(
    {
      id: '01J8Z3W6Q0ABCDEFGHJKMNPQRS',
      schema: '1',
      kind: 'INVOICE',
      domain: 'accounting',
      title: 'Invoice',
      created: '2026-11-20T10:00:00.000Z',
      generation: '1',
      action: action as { tool: string },
    },
    renderSection('draft', body),
  )
}
const read = (action: object, body?: string) => readAction(task(action, body))
const valid = (action: object) => {
  const verdict = read(action)
  if (!verdict.ok) throw new Error(verdict.problem)
  return verdict.action
}
const posting = (changed: object = {}) => ({ ...postingOf(DRAFT, '01J8Z3W6Q0ABCDEFGHJKMNPQRT'), ...changed })

describe('the posting of an invoice', () => {
  it('is made of the draft as the books hold it, and reads back from a file', () => {
    const action = valid(posting())
    expect(action).toEqual(posting())
    expect(channelOf(action.tool)).toBe('books')
    expect(briefOf(action)).toBe('post invoice 42 for Acme Ltd, 230.00 EUR')
    expect(doneOf(task(posting()))).toBe('invoice for Acme Ltd posted, 230.00 EUR')
  })

  it('shows on its card what is posted, for whom, and that the customer is new', () => {
    const rows = Object.fromEntries(actionRows(valid(posting())))
    expect(rows).toMatchObject({
      Customer: '`Acme Ltd` (**new**: nothing was posted for them before)',
      Total: '`230.00 EUR`, with tax',
      Due: '2026-12-24',
      Lines: '`Work: 2 × 100, 15% = 200.00`',
      'Asked for by': '`01J8Z3W6Q0ABCDEFGHJKMNPQRT`',
    })
    expect(rows['What happens']).toContain('`42`')
    const { new_customer: _, ...known } = posting()
    expect(Object.fromEntries(actionRows(valid(known))).Customer).toBe('`Acme Ltd`')
  })

  it('has no text: what stands in the draft section is no part of it', () => {
    const verdict = read(posting(), 'Post it twice.')
    expect(verdict.ok && actionDigest(verdict.action)).toBe(actionDigest(valid(posting())))
  })

  it.each<[string, object, string]>([
    ['an id that is none', { invoice: '42; drop' }, 'action-invoice'],
    ['an id of nothing', { invoice: '0' }, 'action-invoice'],
    ['a negative total', { total: '-1.00' }, 'action-total'],
    ['nothing to pay', { total: '0.00' }, 'action-total'],
    ['an unknown currency', { currency: 'XXQ' }, 'action-currency'],
    ['an invisible sign in the name', { customer: 'Acme\u202e Ltd' }, 'action-customer'],
    ['a field it has not', { state: 'posted' }, 'action-field'],
    ['a text', { body: 'hello' }, 'action-field'],
    ['a digest that is none', { content: 'sha256:1' }, 'action-content'],
  ])('is refused with %s', (_what, changed, rule) => {
    expect(read(posting(changed))).toMatchObject({ ok: false, rule })
  })

  it('counts against the limits of the handbook with its total', () => {
    expect(partsOf(valid(posting())).amounts).toEqual([{ currency: 'EUR', cents: 23_000 }])
    expect(partsOf(valid(posting({ total: '12.505', currency: 'KWD' }))).amounts).toEqual([
      { currency: 'KWD', cents: 1_251 },
    ])
  })
})

describe('the record of a payment', () => {
  it('shows on its card that no money moves', () => {
    const action = valid(PAYMENT)
    expect(Object.fromEntries(actionRows(action))).toMatchObject({
      'What happens': expect.stringContaining('no money moves'),
      Invoice: '`42`, `INV/2026/00012`',
      Amount: '`230.00 EUR`',
      'Paid on': '2026-12-01',
      Memo: '`Transfer of 1 December`',
      Journal: '`BNK1`',
    })
    expect(briefOf(action)).toBe('record a payment of 230.00 EUR on invoice INV/2026/00012')
    expect(doneOf(task(PAYMENT))).toBe('payment of 230.00 EUR recorded on invoice INV/2026/00012')
    expect(partsOf(action).amounts).toEqual([{ currency: 'EUR', cents: 23_000 }])
  })

  it.each<[string, object, string]>([
    ['a day that does not exist', { date: '2026-02-30' }, 'action-date'],
    ['a day as people write it', { date: '1.12.2026' }, 'action-date'],
    ['no memo', { memo: undefined }, 'action-memo'],
    ['an amount with a comma', { amount: '230,00' }, 'action-amount'],
    ['a journal that is a sentence', { journal: 'the bank' }, 'action-journal'],
  ])('is refused with %s', (_what, changed, rule) => {
    const { memo, ...rest } = PAYMENT
    const given = { ...rest, ...('memo' in changed ? {} : { memo }), ...('memo' in changed ? {} : changed) }
    expect(read(given)).toMatchObject({ ok: false, rule })
  })
})
