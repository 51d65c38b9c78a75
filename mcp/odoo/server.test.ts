import { beforeEach, describe, expect, test } from 'vitest'
import { CountersignError } from '#core/errors.ts'
import type { InvoiceOrder } from '#core/invoice.ts'
import type { BookedDraft, CreateDraftOutcome } from '#core/ports/accounting.ts'
import { clientOf } from '#tests/support/mcp-client.ts'
import { createOdooServer } from './server.ts'
import { createDraftTool, type DraftInvoice } from './tools/create-draft.ts'
import { getDataTool } from './tools/get-data.ts'

const TASK = '01J8Z3W6Q0ABCDEFGHJKMNPQRS'
const ARGS = {
  task_id: TASK,
  customer: { name: 'Acme Ltd' },
  lines: [{ description: 'Work', quantity: '2', unit_price: '100', taxes: ['15'] }],
  currency: 'EUR',
}
const DRAFT: BookedDraft = {
  ...{ id: 7, customer: 'Acme Ltd', net: '200.00', tax: '30.00', total: '230.00', currency: 'EUR', isDraft: true },
  ...{
    isNewCustomer: false,
    due: '2026-12-24',
    lines: ['Work: 2 × 100, 15% = 200.00'],
    content: `sha256:${'a'.repeat(64)}`,
  },
}

describe('create_draft', () => {
  let orders: InvoiceOrder[]
  beforeEach(() => {
    orders = []
  })
  const call = async (args: object, draftInvoice: DraftInvoice) => {
    const client = await clientOf(createOdooServer([createDraftTool(draftInvoice)]))
    return client.callTool({ name: 'create_draft', arguments: { ...args } })
  }
  const answering =
    (outcome: CreateDraftOutcome | undefined): DraftInvoice =>
    async (_task, order) => {
      orders.push(order)
      return outcome
    }

  test('orders the invoice under the task’s own id, and answers with what the books hold', async () => {
    const result = await call(ARGS, answering({ kind: 'created', draft: DRAFT }))
    const { task_id, ...fields } = ARGS
    expect(orders).toEqual([{ request_id: task_id, ...fields }])
    const { isDraft, isNewCustomer, due, lines, content, ...amounts } = DRAFT
    expect(result.structuredContent).toEqual({
      outcome: 'created',
      invoice: { ...amounts, is_draft: isDraft, is_new_customer: false, lines, content, due },
    })
    expect(result.isError).toBe(false)
  })

  test.each<[string, CreateDraftOutcome | undefined, string, RegExp]>([
    ['refused', { kind: 'refused', say: 'two customers' }, 'refused', /^Nothing was created: two customers$/],
    ['unknown', { kind: 'unknown', reason: 'no answer' }, 'unknown', /It may have been created: no answer/],
    ['not held', undefined, 'lost', /does not hold/],
  ])('says plainly when it is %s', async (_what, outcome, word, reason) => {
    expect(await call(ARGS, answering(outcome))).toMatchObject({
      isError: true,
      structuredContent: { outcome: word, reason: expect.stringMatching(reason) },
    })
  })

  test('says when the books come to another total, when it is no draft any more, and when there are two', async () => {
    const draft = { ...DRAFT, total: '200.00', isDraft: false }
    const { structuredContent } = await call(ARGS, answering({ kind: 'exists', draft, more: [9] }))
    expect(structuredContent).toMatchObject({
      outcome: 'exists',
      reason: expect.stringMatching(/come to 200\.00 and 230\.00 EUR; it is no draft any more; .*: 9 too/),
    })
  })

  test.each([
    ['no taxes', { ...ARGS, lines: [{ description: 'Work', quantity: '2', unit_price: '100' }] }],
    ['a state', { ...ARGS, state: 'posted' }],
    ['a request id of the caller’s', { ...ARGS, request_id: 'another-one' }],
    ['no task', { ...ARGS, task_id: 'CS-1' }],
    ['an account in a line', { ...ARGS, lines: [{ ...ARGS.lines[0], account_id: 3 }] }],
    ['a number as a price', { ...ARGS, lines: [{ ...ARGS.lines[0], unit_price: 100 }] }],
  ])('refuses a call with %s before anything is asked', async (_what, args) => {
    expect(await call(args, answering({ kind: 'created', draft: DRAFT }))).toMatchObject({ isError: true })
    expect(orders).toEqual([])
  })

  test('passes a code and a hint on, never an error’s own words', async () => {
    const secret = () => Promise.reject(new CountersignError('ERR_ODOO_AUTH', 'at /secrets/odoo-key'))
    const result = await call(ARGS, secret)
    expect(result.isError).toBe(true)
    expect(JSON.stringify(result.content)).toContain('ERR_ODOO_AUTH')
    expect(JSON.stringify(result)).not.toContain('/secrets')
  })
})

describe('get_data', () => {
  const look = async (query: object, rows: Record<string, string | number>[] = []) => {
    const asked: unknown[] = []
    const tool = getDataTool(async (given) => {
      asked.push(given)
      return rows
    })
    const client = await clientOf(createOdooServer([tool]))
    return { asked, result: await client.callTool({ name: 'get_data', arguments: { query } }) }
  }

  test('asks only the questions of the list', async () => {
    expect((await look({ about: 'customers', name: 'Acme' })).asked).toEqual([
      { about: 'customers', name: 'Acme', limit: 20 },
    ])
    for (const query of [
      { about: 'res.partner.bank' },
      { about: 'customers', domain: [] },
      { about: 'customers', fields: ['bank_ids'] },
      { about: 'invoices', limit: 5_000 },
      { about: 'taxes', model: 'res.users' },
    ]) {
      const { asked, result } = await look(query)
      expect(result.isError, JSON.stringify(query)).toBe(true)
      expect(asked).toEqual([])
    }
  })

  test('shows what a person would see, without secrets', async () => {
    const { result } = await look({ about: 'customers' }, [{ id: 1, name: 'Ac\u202eme' }])
    expect(JSON.stringify(result.structuredContent)).not.toContain('\u202e')
  })
})
