import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openOdoo } from '#adapters/odoo/open-odoo.ts'
import { makeTaskId } from '#core/ids.ts'
import { type InvoiceOrder, sayDifference } from '#core/invoice.ts'
import { losingProxy, type RealOdoo, startRealOdoo } from '../support/real-odoo.ts'

// A real Odoo 19 (docs/odoo.md says which images): the shapes that adapters/odoo/odoo.test.ts relies on are its.

let odoo: RealOdoo
let count = 0
const books = (changed: object = {}) =>
  openOdoo({ url: odoo.url, database: 'demo', key: () => odoo.keys.cloud, ...changed }, 'cloud')
const order = (changed: Partial<InvoiceOrder> = {}): InvoiceOrder => ({
  request_id: makeTaskId(Date.parse('2026-11-20'), new Uint8Array(10).fill(++count)),
  customer: { email: 'ana@acme.example' },
  lines: [
    { description: 'Work', quantity: '2.5', unit_price: '99.99', taxes: ['19'] },
    { description: 'Workshop', quantity: '3', unit_price: '33.35', taxes: ['15'] },
    { description: 'Postage', quantity: '1', unit_price: '4.9', taxes: [] },
  ],
  currency: 'EUR',
  due: '2026-12-24',
  reference: 'PO 7',
  ...changed,
})

describe('the books of a real Odoo 19', () => {
  beforeAll(async () => {
    odoo = await startRealOdoo()
  }, 240_000)
  afterAll(() => odoo?.[Symbol.asyncDispose]())

  test('a user who may only draft leaves a draft, to the cent what was ordered, once', async () => {
    const asked = order()
    const made = await books().createDraft(asked)
    expect(made).toMatchObject({ kind: 'created', draft: { customer: 'Acme Ltd', net: '354.93', isDraft: true } })
    if (made.kind !== 'created') throw new Error(made.kind)
    expect(sayDifference(asked, made.draft)).toBeUndefined()
    expect(await books().createDraft(asked)).toEqual({ kind: 'exists', draft: made.draft, more: [] })
    expect(await books().getData({ about: 'invoices', request_id: asked.request_id, limit: 5 })).toEqual([
      expect.objectContaining({
        state: 'draft',
        due: '2026-12-24',
        currency: 'EUR',
        net: '354.93',
        payment: 'not_paid',
      }),
    ])
  })

  test('five calls at once make one draft in one process', async () => {
    const asked = order()
    const one = books()
    const kinds = (await Promise.all([1, 2, 3, 4, 5].map(() => one.createDraft(asked)))).map(({ kind }) => kind)
    expect(kinds.toSorted()).toEqual(['created', 'exists', 'exists', 'exists', 'exists'])
    expect(await books().getData({ about: 'invoices', request_id: asked.request_id, limit: 9 })).toHaveLength(1)
  })

  test('a lost answer is no second draft', async () => {
    const asked = order()
    await using proxy = await losingProxy(odoo.url, 'create')
    expect(await books({ url: proxy.url }).createDraft(asked)).toMatchObject({ kind: 'created' })
    expect(await books().getData({ about: 'invoices', request_id: asked.request_id, limit: 9 })).toHaveLength(1)
  })

  test.each<[string, Partial<InvoiceOrder>, RegExp]>([
    ['two customers of one name', { customer: { name: 'twin gmbh' } }, /more than one customer/],
    ['nobody of that name', { customer: { name: 'Acm%' } }, /no customer/],
    ['a currency that is not active', { currency: 'CHF' }, /CHF is not active/],
    [
      'an unknown tax',
      { lines: [{ description: 'x', quantity: '1', unit_price: '1', taxes: ['7'] }] },
      /no sales tax of 7 %/,
    ],
  ])('is refused in words: %s', async (_why, changed, say) => {
    expect(await books().createDraft(order(changed))).toEqual({ kind: 'refused', say: expect.stringMatching(say) })
  })

  test('an administrator’s key is refused in the cloud', async () => {
    await expect(books({ key: () => odoo.keys.admin }).createDraft(order())).rejects.toMatchObject({
      code: 'ERR_ZONE_FORBIDDEN',
      message: expect.stringContaining('this key can post invoices, record payments, read bank accounts;'),
    })
  })

  test('errors are ours, without tracebacks', async () => {
    const look = (changed: object) => books(changed).getData({ about: 'taxes', limit: 3 })
    await expect(look({ key: () => 'x'.repeat(40) })).rejects.toMatchObject({ code: 'ERR_ODOO_AUTH' })
    await expect(look({ database: 'nosuch' })).rejects.toMatchObject({ code: 'ERR_ODOO_UNREACHABLE' })
    await expect(look({ limitMs: 1 })).rejects.toMatchObject({ code: 'ERR_ODOO_UNREACHABLE' })
  })

  test('every question of the list has an answer, for an administrator as for a user who may only draft', async () => {
    const asAdministrator = { url: odoo.url, database: 'demo', key: () => odoo.keys.admin }
    for (const account of [books(), openOdoo(asAdministrator, 'local')]) {
      const rows = async (about: 'customers' | 'products' | 'taxes' | 'currencies' | 'invoices') =>
        JSON.stringify(await account.getData({ about, limit: 20 }))
      expect(await rows('customers')).toContain('Acme Ltd')
      expect(await rows('products')).toContain('"code":"W1","price":"900"')
      expect(await rows('taxes')).toContain('"name":"19%","kind":"percent","amount":"19"')
      expect(await rows('currencies')).toContain('"code":"EUR","decimals":2')
      expect(await rows('invoices')).toContain('"state":"draft"')
    }
  })
})
