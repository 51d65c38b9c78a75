import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { InvoiceOrder } from '#core/invoice.ts'
import { ODOO_DB, ODOO_KEY, type OdooServer, odooError, startOdooServer } from '#tests/support/odoo-server.ts'
import { openOdoo } from './open-odoo.ts'
import { REQUEST_FIELD } from './request-id.ts'

const ORDER: InvoiceOrder = {
  request_id: '01J8Z3W6Q0ABCDEFGHJKMNPQRS',
  customer: { email: 'Ana@acme.example', name: 'Whoever' },
  lines: [
    { description: 'Work', quantity: '2.5', unit_price: '99.99', taxes: ['15'] },
    { description: 'Book', quantity: '1', unit_price: '10', taxes: [] },
  ],
  currency: 'EUR',
  due: '2026-12-24',
  reference: 'PO 7',
}
let odoo: OdooServer
beforeEach(async () => {
  odoo = await startOdooServer()
})
afterEach(() => odoo[Symbol.asyncDispose]())

const books = (changed: object = {}) =>
  openOdoo({ url: odoo.url, database: ODOO_DB, key: () => ODOO_KEY, ...changed }, 'cloud')
const withLine = (changed: object): InvoiceOrder => ({ ...ORDER, lines: [{ ...ORDER.lines[0], ...changed } as never] })

describe('a draft', () => {
  test('is created as ordered, with every tax named', async () => {
    expect(await books().createDraft(ORDER)).toEqual({
      kind: 'created',
      draft: {
        ...{ id: 101, customer: 'Acme Ltd', net: '259.98', tax: '37.50', total: '297.48', currency: 'EUR' },
        isDraft: true,
        ...{ isNewCustomer: true, due: '2026-12-24', state: 'draft', number: undefined, open: '297.48' },
        lines: ['Work: 2.5 × 99.99, 15% = 249.98', 'Book: 1 × 10, no tax = 10.00'],
        content: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        ...{ invoiceDate: undefined, date: undefined, link: expect.stringContaining('101') },
      },
    })
    expect(odoo.created()).toMatchObject([
      {
        ...{ move_type: 'out_invoice', ref: `CS-${ORDER.request_id}`, invoice_origin: 'PO 7' },
        ...{ invoice_payment_term_id: false, invoice_date_due: '2026-12-24', state: 'draft' },
        invoice_line_ids: [
          [0, 0, { name: 'Work', quantity: 2.5, price_unit: 99.99, tax_ids: [[6, 0, [1]]] }],
          [0, 0, { name: 'Book', quantity: 1, price_unit: 10, tax_ids: [[6, 0, []]] }],
        ],
      },
    ])
  })

  test('is one, whatever is called again, at once or later, in this process or the next', async () => {
    const first = books()
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => first.createDraft(ORDER)))
    expect(outcomes.map((one) => one.kind).toSorted()).toEqual(['created', 'exists', 'exists', 'exists', 'exists'])
    expect(await books().createDraft(ORDER)).toMatchObject({ kind: 'exists', draft: { id: 101 }, more: [] })
    expect(odoo.created()).toHaveLength(1)
  })

  test('holds its request in the field that the server has for it, and an older one is found by its reference', async () => {
    await books().createDraft(ORDER)
    odoo.fields.push(REQUEST_FIELD)
    expect(await books().createDraft(ORDER)).toMatchObject({ kind: 'exists', draft: { id: 101 } })
    const next = { ...ORDER, request_id: '01J8Z3W6Q0ABCDEFGHJKMNPQRT' }
    expect(await books().createDraft(next)).toMatchObject({ kind: 'created', draft: { id: 102 } })
    expect(odoo.created()[1]).toMatchObject({ [REQUEST_FIELD]: next.request_id })
    expect(odoo.created()[1]).not.toHaveProperty('ref')
    expect(await books().createDraft(next)).toMatchObject({ kind: 'exists', draft: { id: 102 }, more: [] })
    expect(await books().getData({ about: 'invoices', request_id: next.request_id, limit: 5 })).toHaveLength(1)
  })

  test('that another process made meanwhile is found where the server lets no second one in', async () => {
    odoo.fields.push(REQUEST_FIELD)
    const message = 'duplicate key value violates unique constraint'
    odoo.fail({
      when: 'after',
      method: 'create',
      answer: { status: 422, json: odooError('psycopg2.errors.UniqueViolation', message) },
    })
    expect(await books().createDraft(ORDER)).toMatchObject({ draft: { id: 101 } })
    odoo.fail({ when: 'before', method: 'search_read', answer: { status: 200, json: [] } })
    odoo.fail({ when: 'before', method: 'search_read', answer: { status: 200, json: [] } })
    odoo.fail({
      when: 'before',
      method: 'create',
      answer: { status: 422, json: odooError('odoo.exceptions.ValidationError', message) },
    })
    expect(await books().createDraft(ORDER)).toMatchObject({ kind: 'exists', draft: { id: 101 } })
    expect(odoo.created()).toHaveLength(1)
  })

  test('for somebody new creates the customer, and only where name and address are both said', async () => {
    const customer = { name: 'New & Co', email: 'Neu@new.example' }
    expect(await books().createDraft({ ...ORDER, customer })).toMatchObject({
      kind: 'created',
      draft: { customer: 'New & Co', isNewCustomer: true },
    })
    expect(odoo.tables['res.partner']?.at(-1)).toMatchObject({ ...customer, customer_rank: 1 })
    const again = { ...ORDER, request_id: '01J8Z3W6Q0ABCDEFGHJKMNPQRT', customer: { email: 'neu@new.example' } }
    expect(await books().createDraft(again)).toMatchObject({ kind: 'created', draft: { customer: 'New & Co' } })
    expect(odoo.tables['res.partner']).toHaveLength(5)
  })

  test('that is refused leaves no new customer', async () => {
    const order = { ...ORDER, customer: { name: 'New', email: 'neu@new.example' }, currency: 'CHF' }
    expect(await books().createDraft(order)).toMatchObject({ kind: 'refused' })
    expect(odoo.tables['res.partner']).toHaveLength(4)
  })

  test('for a customer whose creation nobody can confirm is not made', async () => {
    const order = { ...ORDER, customer: { name: 'New', email: 'neu@new.example' } }
    odoo.fail({ when: 'before', method: 'create', answer: 'cut' })
    expect(await books().createDraft(order)).toMatchObject({ kind: 'unknown', reason: /whether the customer New/ })
    expect(odoo.created()).toEqual([])
    expect(await books().createDraft(order)).toMatchObject({ kind: 'created' })
  })

  test('that a person posted is not made again, and a second one that is there is told', async () => {
    await books().createDraft(ORDER)
    const [made] = odoo.created()
    Object.assign(made ?? {}, { state: 'posted' })
    odoo.created().push({ ...made, id: 109 })
    expect(await books().createDraft(ORDER)).toMatchObject({ kind: 'exists', draft: { isDraft: false }, more: [109] })
  })

  test.each<[string, Partial<InvoiceOrder>, string]>([
    [
      'no such customer',
      { customer: { name: 'Nobody' } },
      'no customer in the books is called Nobody, and without an e-mail address',
    ],
    [
      'two of one name',
      { customer: { name: 'twin gmbh' } },
      'more than one customer in the books is called twin gmbh: 12 (Twin GmbH), 13 (Twin GmbH)',
    ],
    [
      'one of that name with another address',
      { customer: { name: 'Acme Ltd', email: 'other@acme.example' } },
      'a customer called Acme Ltd, without the address other@acme.example: 11 (Acme Ltd)',
    ],
    ['an id that is not there', { customer: { id: 99 } }, 'there is no customer 99'],
    ['a name that would match as a pattern', { customer: { name: 'A%' } }, 'no customer'],
    ['a currency that is not active', { currency: 'CHF' }, 'the currency CHF is not active'],
    ['an unknown tax', withLine({ taxes: ['19'] }), 'the books have no sales tax of 19 %'],
    ['a tax of a purchase', withLine({ taxes: [{ id: 3 }] }), 'the books have no sales tax with the id 3'],
    ['two taxes of one percentage', withLine({ taxes: ['7'] }), 'more than one sales tax of 7 %: 4 (7% A), 5 (7% B)'],
    ['nothing to pay', withLine({ unit_price: '0.00' }), 'the invoice comes to nothing'],
  ])('is refused in words, and nothing created, with %s', async (_why, changed, say) => {
    const outcome = await books().createDraft({ ...ORDER, ...changed })
    expect(outcome).toEqual({ kind: 'refused', say: expect.stringContaining(say) })
    expect(odoo.created()).toEqual([])
  })

  test.each<[string, Partial<InvoiceOrder>]>([
    ['the customer’s id', { customer: { id: 13 } }],
    ['a name with signs of a pattern', { customer: { name: '100%_pure' } }],
    ['a tax by its id', withLine({ taxes: [{ id: 5 }] })],
    ['a percentage in another spelling', withLine({ taxes: ['15.00'] })],
  ])('is created with %s', async (_with, changed) => {
    expect(await books().createDraft({ ...ORDER, ...changed })).toMatchObject({ kind: 'created' })
  })

  test('is refused with Odoo’s own words, without its traceback', async () => {
    const message = 'Traceback (most recent call last):\n  File "/usr/lib/odoo/x.py", line 1\nThe journal is locked.'
    odoo.fail({
      when: 'before',
      method: 'create',
      answer: { status: 422, json: odooError('odoo.exceptions.UserError', message) },
    })
    const outcome = await books().createDraft(ORDER)
    expect(outcome).toMatchObject({ kind: 'refused', say: expect.stringMatching(/create: The journal is locked\.$/) })
    expect(JSON.stringify(outcome)).not.toMatch(/Traceback|\/usr/)
  })
})

describe('after an answer that did not come', () => {
  /** Each of them ends by itself, save silence. */
  const impatient = (answer: unknown) => (answer === 'hang' ? { limitMs: 1_500 } : {})
  const lost = [
    ['the connection broke', 'cut'],
    ['the time limit passed', 'hang'],
    ['a proxy says 502', { status: 502, page: '<html>Bad Gateway</html>' }],
    [
      'the database failed',
      { status: 500, json: odooError('psycopg2.OperationalError', 'server closed the connection') },
    ],
    ['the answer is no JSON', { status: 200, page: 'ok' }],
  ] as const
  test.each(lost)('the draft that was made is found: %s', async (_why, answer) => {
    odoo.fail({ when: 'after', method: 'create', answer })
    expect(await books(impatient(answer)).createDraft(ORDER)).toMatchObject({ kind: 'created', draft: { id: 101 } })
    expect(odoo.created()).toHaveLength(1)
  })

  test.each(lost)('nobody claims to know, and the next call looks first: %s', async (_why, answer) => {
    odoo.fail({ when: 'before', method: 'create', answer })
    const account = books(impatient(answer))
    expect(await account.createDraft(ORDER)).toMatchObject({ kind: 'unknown' })
    expect(odoo.calls.filter((call) => call.path.endsWith('/create'))).toEqual([])
    expect(await account.createDraft(ORDER)).toMatchObject({ kind: 'created' })
    expect(odoo.created()).toHaveLength(1)
  })
})

describe('an error is one of ours', () => {
  const ask = (changed: object = {}) => books(changed).getData({ about: 'taxes', limit: 5 })

  test.each([
    ['a wrong key', { key: () => 'x' }, 'ERR_ODOO_AUTH', /Invalid apikey/],
    ['a wrong database', { database: 'other' }, 'ERR_ODOO_UNREACHABLE', /no such database/],
  ])('%s', async (_what, changed, code, message) => {
    await expect(ask(changed)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test.each([
    ['a page in place of data', { status: 502, page: '<html>Bad Gateway</html>' }, 'ERR_ODOO_UNREACHABLE'],
    [
      'a user who may not',
      { status: 403, json: odooError('odoo.exceptions.AccessError', 'You may not.') },
      'ERR_ODOO_AUTH',
    ],
    ['too many requests', { status: 429, page: 'slow down' }, 'ERR_ODOO_UNREACHABLE'],
    ['an answer of another shape', { status: 200, json: { rows: [] } }, 'ERR_ODOO_UNREACHABLE'],
    ['an answer without end', { status: 200, json: [{ id: 1, name: 'x'.repeat(3_000_000) }] }, 'ERR_ODOO_UNREACHABLE'],
    ['silence', 'hang', 'ERR_ODOO_UNREACHABLE'],
    [
      'a field that is not there',
      { status: 500, json: odooError('builtins.ValueError', 'Invalid field') },
      'ERR_ODOO_REFUSED',
    ],
  ] as const)('%s', async (_what, answer, code) => {
    odoo.fail({ when: 'before', method: 'search_read', answer })
    await expect(ask(answer === 'hang' ? { limitMs: 1_000 } : {})).rejects.toMatchObject({ code })
  })

  test('nobody there', async () => {
    await odoo[Symbol.asyncDispose]()
    const message = expect.stringMatching(/ECONNREFUSED/)
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_ODOO_UNREACHABLE', message })
    await expect(books().createDraft(ORDER)).rejects.toMatchObject({ code: 'ERR_ODOO_UNREACHABLE', message })
  })

  test('a redirect, which is not followed: it could carry the key elsewhere', async () => {
    await using elsewhere = await startOdooServer()
    const location = `${elsewhere.url}/json/2/account.tax/search_read`
    odoo.fail({ when: 'before', method: 'search_read', answer: { status: 307, page: '', headers: { location } } })
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_ODOO_UNREACHABLE', message: expect.stringContaining('307') })
    expect(elsewhere.calls).toEqual([])
  })

  test('a missing app', async () => {
    delete odoo.tables['account.tax']
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_ODOO_UNSUPPORTED' })
  })

  test('an Odoo that is too old is not asked anything else', async () => {
    await using old = await startOdooServer({ version: 15 })
    const error = { code: 'ERR_ODOO_UNSUPPORTED', message: expect.stringContaining('version 15') }
    await expect(ask({ url: old.url })).rejects.toMatchObject(error)
    await expect(books({ url: old.url }).createDraft(ORDER)).rejects.toMatchObject(error)
    expect(old.calls).toEqual([])
  })

  test('the key is never in it', async () => {
    odoo.fail({ when: 'before', method: 'search_read', answer: 'cut' })
    await expect(ask()).rejects.toSatisfy((error: Error) => !JSON.stringify([error.message, error]).includes(ODOO_KEY))
  })
})

describe('a look', () => {
  test('shows what is asked for, plainly, and only that', async () => {
    expect(await books().getData({ about: 'customers', email: 'ANA@acme.example', limit: 5 })).toEqual([
      { id: 11, name: 'Acme Ltd', email: 'ana@acme.example', country: 'United States' },
    ])
    expect(await books().getData({ about: 'products', code: 'W1', limit: 5 })).toEqual([
      { id: 31, name: '[W1] Workshop', code: 'W1', price: '900' },
    ])
    expect(await books().getData({ about: 'taxes', limit: 2 })).toEqual([
      { id: 1, name: '15%', kind: 'percent', amount: '15' },
      { id: 2, name: '15% in', kind: 'percent', amount: '15', in_price: true },
    ])
    await books().createDraft(ORDER)
    expect(await books().getData({ about: 'invoices', request_id: ORDER.request_id, limit: 5 })).toMatchObject([
      { id: 101, customer: 'Acme Ltd', state: 'draft', total: '297.48', open: '297.48', due: '2026-12-24' },
    ])
    expect(await books().getData({ about: 'currencies', code: 'EUR', limit: 5 })).toEqual([
      { code: 'EUR', decimals: 2 },
    ])
  })

  test('never reaches a bank account, a user or a note', async () => {
    for (const about of ['customers', 'products', 'taxes', 'currencies', 'invoices'] as const)
      await books().getData({ about, limit: 5 })
    const asked = JSON.stringify(odoo.calls)
    expect(odoo.calls).toHaveLength(5)
    expect(asked).not.toMatch(/bank|users|comment|narration|payment_ids/)
  })
})

describe('in the cloud a key that can do more than draft', () => {
  test.each([
    ['account.group_account_invoice', 'post invoices'],
    ['account.payment', 'record payments'],
    ['res.partner.bank', 'read bank accounts'],
  ])('(%s) opens nothing', async (power, can) => {
    odoo.powers.add(power)
    const error = { code: 'ERR_ZONE_FORBIDDEN', message: expect.stringContaining(`this key can ${can};`) }
    await expect(books().getData({ about: 'taxes', limit: 5 })).rejects.toMatchObject(error)
    await expect(books().createDraft(ORDER)).rejects.toMatchObject(error)
    expect(odoo.calls).toEqual([])
  })

  test('is found when it takes the place of a harmless one; on the local machine it counts', async () => {
    let key = ODOO_KEY
    const account = books({ key: () => key })
    await account.getData({ about: 'taxes', limit: 5 })
    odoo.powers.add('account.payment')
    await account.getData({ about: 'taxes', limit: 5 })
    key = 'another'
    await expect(account.getData({ about: 'taxes', limit: 5 })).rejects.toMatchObject({ code: 'ERR_ODOO_AUTH' })
    await expect(books().getData({ about: 'taxes', limit: 5 })).rejects.toMatchObject({ code: 'ERR_ZONE_FORBIDDEN' })
    const local = openOdoo({ url: odoo.url, database: ODOO_DB, key: () => ODOO_KEY }, 'local')
    expect(await local.getData({ about: 'currencies', code: 'EUR', limit: 5 })).toHaveLength(1)
  })

  test('is one that no guard in Odoo refuses; what was left there to find out is removed', async () => {
    odoo.powers.add('no guard')
    const error = { code: 'ERR_ZONE_FORBIDDEN', message: expect.stringContaining('no guard in Odoo refuses it') }
    await expect(books().createDraft(ORDER)).rejects.toMatchObject(error)
    expect(odoo.calls.map(({ path }) => path.split('/').at(-1))).toEqual(['create', 'unlink'])
    expect(odoo.created()).toEqual([])
  })

  test('is not called one while Odoo cannot be asked about its guard', async () => {
    const gone = { status: 502, page: 'Bad Gateway' }
    odoo.fail({ when: 'before', method: 'probe', answer: gone })
    await expect(books().createDraft(ORDER)).rejects.toMatchObject({ code: 'ERR_ODOO_UNREACHABLE' })
    expect(await books().createDraft(ORDER)).toMatchObject({ kind: 'created' })
  })

  test('is one of which Odoo does not plainly say that it cannot', async () => {
    odoo.fail({ when: 'before', method: 'has_access', answer: { status: 200, json: null } })
    await expect(books().createDraft(ORDER)).rejects.toMatchObject({ code: 'ERR_ZONE_FORBIDDEN' })
  })
})
