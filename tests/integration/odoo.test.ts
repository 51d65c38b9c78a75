import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openActingBooks } from '#adapters/odoo/acting/open-acting.ts'
import type { OdooCalls } from '#adapters/odoo/calls.ts'
import { odooCalls } from '#adapters/odoo/odoo-calls.ts'
import { openOdoo } from '#adapters/odoo/open-odoo.ts'
import { lookAtBill } from '#adapters/odoo/vendor-bills.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { type BooksAction, postingOf } from '#core/books-action.ts'
import { makeTaskId } from '#core/ids.ts'
import { type InvoiceOrder, sayDifference } from '#core/invoice.ts'
import type { PaymentEntry } from '#core/ports/accounting.ts'
import { parseTaskFile } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import { makeBooksDraft } from '#tests/support/books-draft.ts'
import { readLedger, tick } from '#tests/support/executor.ts'
import { CRASHING_EXECUTOR, EXECUTOR, ended, makeExecutorHome, startExecutor } from '#tests/support/executor-process.ts'
import { startDevMailServers } from '../../demo/mailbox/dev-servers.ts'
import type { Mailbox } from '../../demo/mailbox/mailbox.ts'
import { eventually } from '../support/mail.ts'
import { type OdooProxy, odooProxy } from '../support/odoo-proxy.ts'
import { type RealOdoo, startRealOdoo } from '../support/real-odoo.ts'

// A real Odoo 19 (docs/odoo.md says which images), by both protocols: XML-RPC is spoken where the way to it says that it is 18.

// COUNTERSIGN_TEST_ODOO=1 lets the executor die at every step, by both.
const EVERYTHING = process.env.COUNTERSIGN_TEST_ODOO === '1'
const PENDING = 'Pending_Approval/accounting'

let odoo: RealOdoo
let count = 0
let run = Date.now()
beforeAll(async () => {
  odoo = await startRealOdoo()
}, 240_000)
afterAll(() => odoo?.[Symbol.asyncDispose]())

const order = (changed: Partial<InvoiceOrder> = {}): InvoiceOrder => ({
  request_id: makeTaskId(run++, new Uint8Array(10).fill(++count)),
  customer: { email: 'ana@acme.example' },
  lines: [
    { description: 'Work', quantity: '2.5', unit_price: '99.99', taxes: ['19'] },
    { description: 'Workshop', quantity: '3', unit_price: '33.35', taxes: ['15'] },
    { description: 'Postage <&> ☕', quantity: '1', unit_price: '4.9', taxes: [] },
  ],
  currency: 'EUR',
  due: '2026-12-24',
  reference: 'PO 7',
  ...changed,
})

const pdfOf = (id: number, bytes: Buffer) => ({
  ...{ name: 'INV.pdf', res_model: 'account.move', res_id: id, mimetype: 'application/pdf' },
  datas: bytes.toString('base64'),
})

describe.each([
  ['JSON-2', undefined],
  ['XML-RPC', 18],
] as const)('the books of a real Odoo 19 by %s', (protocol, version) => {
  let way: OdooProxy
  beforeAll(async () => {
    way = await odooProxy(odoo.url, version === undefined ? {} : { version })
  })
  afterAll(() => way?.[Symbol.asyncDispose]())

  const account = (who: 'admin' | 'cloud' | 'local', changed: object = {}) => ({
    ...{ url: way.url, database: 'demo', key: () => odoo.keys[who], login: odoo.logins[who] },
    ...changed,
  })
  const books = (changed: object = {}) => openOdoo(account('cloud', changed), 'cloud')
  const acting = (changed: object = {}) => openActingBooks(account('local', changed))
  const draft = async (changed: Partial<InvoiceOrder> = {}) => {
    const made = await books().createDraft(order(changed))
    if (made.kind !== 'created') throw new Error(JSON.stringify(made))
    return made.draft
  }
  /** As Odoo's own rendering leaves it: `field` is where it keeps the document of an invoice. */
  const putPdf = (
    id: number,
    bytes: Buffer,
    who: 'admin' | 'local',
    field: string | false = 'invoice_pdf_report_file',
  ) =>
    odooCalls(account(who)).write('ir.attachment', 'create', {
      args: { vals_list: [{ ...pdfOf(id, bytes), res_field: field }] },
    })
  const mishap = (one: OdooProxy['mishaps'][number]) => {
    way.mishaps.push(one)
    onTestFinished(() => expect(way.mishaps).toEqual([]))
  }
  const payment = (invoice: number, changed: Partial<PaymentEntry> = {}): PaymentEntry => ({
    ...{ invoice, amount: '100.00', currency: 'EUR', date: '2026-11-30', memo: 'Transfer', journal: undefined },
    ...changed,
  })

  test('a user who may only draft leaves a draft, to the cent what was ordered, once', async () => {
    const asked = order()
    const made = await books().createDraft(asked)
    expect(made).toMatchObject({
      kind: 'created',
      draft: { customer: 'Acme Ltd', net: '354.93', isDraft: true, due: '2026-12-24' },
    })
    if (made.kind !== 'created') throw new Error(made.kind)
    expect(sayDifference(asked, made.draft)).toBeUndefined()
    expect(made.draft.lines).toEqual([
      'Work: 2.5 × 99.99, 19% = 249.98',
      'Workshop: 3 × 33.35, 15% = 100.05',
      'Postage <&> ☕: 1 × 4.9, no tax = 4.90',
    ])
    // What was read once reads the same again, by whatever protocol.
    expect(await books().createDraft(asked)).toEqual({ kind: 'exists', draft: made.draft, more: [] })
    expect(way.called.some((one) => one.startsWith('/json/2'))).toBe(false)
    expect(way.called).toContain('account.move.create')
    const [row] = await books().getData({ about: 'invoices', request_id: asked.request_id, limit: 5 })
    expect(row).toMatchObject({ state: 'draft', due: '2026-12-24', currency: 'EUR', net: '354.93' })
  })

  test('five calls at once make one draft, and a lost answer no second one', async () => {
    const asked = order()
    const one = books()
    const kinds = (await Promise.all([1, 2, 3, 4, 5].map(() => one.createDraft(asked)))).map(({ kind }) => kind)
    expect(kinds.toSorted()).toEqual(['created', 'exists', 'exists', 'exists', 'exists'])
    const next = order()
    mishap({ kind: 'lose', method: 'account.move.create' })
    expect(await books().createDraft(next)).toMatchObject({ kind: 'created' })
    for (const { request_id } of [asked, next])
      expect(await books().getData({ about: 'invoices', request_id, limit: 9 })).toHaveLength(1)
  })

  test('a customer whose name and address are said and unknown is created, once, and said to be new', async () => {
    const customer = { name: `Neu & Co ${protocol}`, email: `neu@${protocol.toLowerCase()}.example` }
    mishap({ kind: 'lose', method: 'res.partner.create' })
    const made = await draft({ customer })
    expect(made).toMatchObject({ customer: customer.name, isNewCustomer: true })
    await draft({ customer: { email: customer.email.toUpperCase() } })
    expect(await books().getData({ about: 'customers', email: customer.email, limit: 9 })).toHaveLength(1)
  })

  test.each<[string, Partial<InvoiceOrder>, RegExp]>([
    ['two customers of one name', { customer: { name: 'twin gmbh' } }, /more than one customer/],
    ['one of that name with another address', { customer: { name: 'Acme Ltd', email: 'x@y.example' } }, /name the id/],
    ['nobody of that name', { customer: { name: 'Acm%' } }, /without an e-mail address none can be created/],
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
    await expect(openOdoo(account('admin'), 'cloud').createDraft(order())).rejects.toMatchObject({
      code: 'ERR_ZONE_FORBIDDEN',
      message: expect.stringContaining('this key can post invoices, record payments, read bank accounts;'),
    })
  })

  test('errors are ours, without tracebacks', async () => {
    const look = (changed: object) => openOdoo(account('cloud', changed), 'local').getData({ about: 'taxes', limit: 3 })
    const failing = async (changed: object) => {
      const error = await look(changed).then(
        () => undefined,
        (thrown: Error & { code?: string }) => thrown,
      )
      expect(error?.message).not.toMatch(/Traceback|File "|\/usr\/|[0-9a-f]{40}/)
      return error?.code
    }
    expect(await failing({ key: () => 'x'.repeat(40) })).toBe('ERR_ODOO_AUTH')
    expect(await failing({ database: 'nosuch' })).toBe('ERR_ODOO_UNREACHABLE')
    expect(await failing({ limitMs: 1 })).toBe('ERR_ODOO_UNREACHABLE')
    const calls = odooCalls(account('cloud'))
    await expect(calls.read('no.model', 'search_read', { args: { domain: [] } })).rejects.toMatchObject({
      code: 'ERR_ODOO_UNSUPPORTED',
    })
    const bad = calls.write('res.partner', 'create', { args: { vals_list: [{ name: 'x', no_such_field: 1 }] } })
    await expect(bad).rejects.toMatchObject({ code: 'ERR_ODOO_REFUSED' })
    const post = calls.write('account.move', 'action_post', { ids: [(await draft()).id] })
    await expect(post).rejects.toMatchObject({ code: 'ERR_ODOO_AUTH' })
  })

  test('a method that returns nothing was done all the same', async () => {
    const { id } = await draft()
    await acting().post(id)
    const calls = odooCalls(account('local'))
    expect(await calls.write('account.move', 'button_draft', { ids: [id] })).toMatchObject({ kind: 'done' })
    expect(await acting().invoice(id)).toMatchObject({ state: 'draft' })
  })

  test('a draft is posted, gets its number, and is posted no second time', async () => {
    const { id, content } = await draft()
    const now = await acting().invoice(id)
    expect(now).toMatchObject({ state: 'draft', content, number: undefined })
    expect(await acting().post(id)).toEqual({ kind: 'done' })
    expect(await acting().invoice(id)).toMatchObject({
      state: 'posted',
      number: expect.stringMatching(/^INV\/\d{4}\/\d+$/),
      isDraft: false,
      link: expect.stringContaining(`${id}`),
    })
    expect(await acting().post(id)).toMatchObject({ kind: 'refused', permanent: true, say: /must be in draft/ })
  })

  test('a payment is recorded once, found by its key, and never on a draft', async () => {
    const { id, total } = await draft()
    const key = `01J8Z3W6Q0ABCDEFGHJK${protocol === 'JSON-2' ? 'AA' : 'BB'}PQRS.1`
    expect(await acting().pay(payment(id), key)).toMatchObject({ kind: 'refused', say: /is not posted/ })
    expect(await acting().payments(key)).toEqual([])
    await acting().post(id)
    mishap({ kind: 'lose', method: 'account.payment.register.action_create_payments' })
    expect(await acting().pay(payment(id), key)).toMatchObject({ kind: 'unknown' })
    expect(await acting().payments(key)).toMatchObject([{ amount: '100.00', currency: 'EUR', isCancelled: false }])
    const open = (Number(total) - 100).toFixed(2)
    expect(await acting().invoice(id)).toMatchObject({ state: 'posted', open })
    expect(await acting().pay(payment(id, { amount: open, journal: 'bnk1' }), `${key}1`)).toEqual({ kind: 'done' })
    expect(await acting().invoice(id)).toMatchObject({ open: '0.00' })
    expect(await acting().payments(key)).toHaveLength(1)
    expect(await acting().pay(payment(id), `${key}2`)).toMatchObject({ kind: 'refused', permanent: true })
  })

  test('that a vendor’s bill was paid is recorded as money that went out; it is posted by nobody here', async () => {
    const admin = odooCalls(account('admin'))
    const line = { name: 'Chairs', quantity: 1, price_unit: 120.5, tax_ids: [[6, 0, []]] }
    const values = {
      move_type: 'in_invoice',
      partner_id: 1,
      invoice_date: '2026-11-20',
      invoice_line_ids: [[0, 0, line]],
    }
    const made = await admin.write('account.move', 'create', { args: { vals_list: [values] } })
    if (made.kind !== 'done') throw new Error(JSON.stringify(made))
    const id = Number((made.value as number[])[0])
    const key = `01J8Z3W6Q0ABCDEFGHJK${protocol === 'JSON-2' ? 'CC' : 'DD'}PQRS.1`
    const bill = payment(id, { amount: '120.50', currency: 'USD' })
    expect(await acting().pay(bill, key)).toMatchObject({ kind: 'refused', say: /is not posted/ })
    await admin.write('account.move', 'action_post', { ids: [id] })
    const local = odooCalls(account('local'))
    expect(await lookAtBill(local, id)).toEqual({ kind: 'open', residual: '120.50', currency: 'USD' })
    expect(await acting().invoice(id)).toMatchObject({ isBill: true, state: 'posted', open: '120.50' })
    expect(await acting().pay(bill, key)).toEqual({ kind: 'done' })
    expect(await acting().payments(key)).toMatchObject([{ amount: '120.50', currency: 'USD', isCancelled: false }])
    expect([await lookAtBill(local, id), (await acting().invoice(id))?.open]).toEqual([{ kind: 'paid' }, '0.00'])
    const domain = [['memo', '=like', `%[CS-${key}]`]]
    const kinds = { args: { domain, fields: ['payment_type', 'partner_type'] } }
    expect(await admin.read('account.payment', 'search_read', kinds)).toMatchObject([
      { payment_type: 'outbound', partner_type: 'supplier' },
    ])
    expect(await acting().pay(bill, `${key}2`)).toMatchObject({ kind: 'refused', permanent: true })
  })

  test.each<[string, Partial<PaymentEntry>, RegExp]>([
    ['another currency', { currency: 'USD' }, /is in EUR, not in USD/],
    ['no such journal', { journal: 'XYZ' }, /no.*journal.*BNK1|not one journal.*BNK1/],
    ['no such invoice', { invoice: 999_999 }, /no customer invoice 999999/],
  ])('a payment is refused in words: %s', async (_why, changed, say) => {
    const { id } = await draft()
    await acting().post(id)
    expect(await acting().pay(payment(id, changed), 'k.1')).toMatchObject({ kind: 'refused', say })
  })

  test('a period that is locked moves the day it counts on, which is told', async () => {
    const { id } = await draft()
    const calls = odooCalls(account('admin'))
    await calls.write('account.move', 'write', { ids: [id], args: { vals: { invoice_date: '2025-03-31' } } })
    const lock = (until: string | false) =>
      calls.write('res.company', 'write', { ids: [1], args: { vals: { fiscalyear_lock_date: until } } })
    await lock('2025-12-31')
    onTestFinished(async () => void (await lock(false)))
    expect(await acting().post(id)).toEqual({ kind: 'done' })
    const now = await acting().invoice(id)
    expect(now).toMatchObject({ state: 'posted', invoiceDate: '2025-03-31' })
    expect(now?.date).not.toBe('2025-03-31')
  })

  test('the PDF that the server keeps of an invoice is fetched; without one, and without wkhtmltopdf, there is none', async () => {
    const { id } = await draft()
    await acting().post(id)
    const toThem = [
      ['model', '=', 'account.move'],
      ['res_id', '=', id],
    ]
    const mails = () => odooCalls(account('admin')).read('mail.mail', 'search_count', { args: { domain: toThem } })
    expect(await acting().document(id)).toBeUndefined()
    expect(await acting().invoice(id)).toMatchObject({ state: 'posted' })
    const pdf = Buffer.from('%PDF-1.4 an invoice')
    await putPdf(id, pdf, 'local')
    expect(Buffer.from((await acting().document(id)) ?? '').toString()).toBe(pdf.toString())
    expect(await mails()).toBe(0)
  })

  test('another PDF that hangs on an invoice is not its document', async () => {
    const { id } = await draft()
    // In place of the document, by who could write the draft: with another bank account on it, say.
    await putPdf(id, Buffer.from('%PDF-1.4 forged'), 'admin')
    await acting().post(id)
    await putPdf(id, Buffer.from('%PDF-1.4 a delivery note'), 'local', false)
    expect(await acting().document(id)).toBeUndefined()
  })

  test('the document of before an invoice was reset to draft is not the one of the invoice that is posted then', async () => {
    const { id } = await draft()
    await acting().post(id)
    await putPdf(id, Buffer.from('%PDF-1.4 of before'), 'local')
    expect(await acting().document(id)).toBeDefined()
    await odooCalls(account('local')).write('account.move', 'button_draft', { ids: [id] })
    await acting().post(id)
    expect(await acting().document(id)).toBeUndefined()
  })

  test('every question of the list has an answer, for one who posts as for one who may only draft', async () => {
    for (const one of [books(), openOdoo(account('local'), 'local')]) {
      const rows = async (about: 'customers' | 'products' | 'taxes' | 'currencies' | 'invoices') =>
        JSON.stringify(await one.getData({ about, limit: 50 }))
      expect(await rows('customers')).toContain('Acme Ltd')
      expect(await rows('products')).toContain('"code":"W1","price":"900"')
      expect(await rows('taxes')).toContain('"name":"19%","kind":"percent","amount":"19"')
      expect(await rows('currencies')).toContain('"code":"EUR","decimals":2')
      expect(await rows('invoices')).toContain('"state":"draft"')
    }
  })
})

describe('the executor and a real Odoo 19', () => {
  let redis: StartedTestContainer
  let mailbox: Mailbox
  beforeAll(async () => {
    ;[mailbox, redis] = await Promise.all([
      startDevMailServers(),
      new GenericContainer('redis:8').withExposedPorts(6379).start(),
    ])
  }, 120_000)
  afterAll(async () => {
    await mailbox?.[Symbol.asyncDispose]()
    await redis?.stop()
  })

  /** A local zone whose books are the server, by a way of its own. */
  async function makeZone(version?: 18) {
    const redisUrl = `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`
    const made = await makeExecutorHome({ mailbox, redisUrl, undoMs: 0 })
    onTestFinished(() => made[Symbol.dispose]())
    const way = await odooProxy(odoo.url, version === undefined ? {} : { version })
    onTestFinished(() => way[Symbol.asyncDispose]())
    writeFileSync(join(made.home.root, 'secrets/odoo-key'), odoo.keys.local, { mode: 0o600 })
    const env = {
      ...made.env,
      ...{ COUNTERSIGN_ODOO_URL: way.url, COUNTERSIGN_ODOO_DB: 'demo', COUNTERSIGN_ODOO_LOGIN: odoo.logins.local },
      COUNTERSIGN_ODOO_KEY_FILE: join(made.home.root, 'secrets/odoo-key'),
    }
    const vault = await openVault(made.home.vault)
    const read = async (folder: string, fileName: string) => vault.read(vaultPath(`${folder}/${fileName}`))
    const shownAt = (folder: string, fileName: string, words: string) =>
      eventually(
        `${fileName} in ${folder} says ${words}`,
        async () => {
          const text = await read(folder, fileName)
          return text?.includes(words) && !text.includes('[x] ') ? text : undefined
        },
        60_000,
      )
    return {
      ...{ way, vault, shownAt },
      books: openActingBooks({ url: odoo.url, database: 'demo', key: () => odoo.keys.local }),
      async draft() {
        const made = await openOdoo(
          { url: odoo.url, database: 'demo', key: () => odoo.keys.cloud },
          'cloud',
        ).createDraft(order())
        if (made.kind !== 'created') throw new Error(JSON.stringify(made))
        return made.draft
      },
      async start(main = EXECUTOR, more: Record<string, string> = {}) {
        const running = await startExecutor(main, { ...env, ...more })
        onTestFinished(() => void running.child.kill('SIGKILL'))
        return running
      },
      async put(action: BooksAction) {
        const { fileName, text } = makeBooksDraft(action, { atMs: Date.now() })
        await vault.create(vaultPath(`${PENDING}/${fileName}`), text)
        return fileName
      },
      async approve(fileName: string, words = 'countersign:card') {
        const text = await shownAt(PENDING, fileName, 'countersign:card')
        expect(text).toContain(words)
        await vault.replace(vaultPath(`${PENDING}/${fileName}`), tick('Approve')(text))
      },
      async done(fileName: string) {
        const month = new Date().toISOString().slice(0, 7)
        const text = await eventually(
          `${fileName} is done`,
          async () => {
            const back = await read(PENDING, fileName)
            if (back?.includes('Please look again')) throw new Error(back)
            return read(`Done/${month}`, fileName)
          },
          60_000,
        )
        const parsed = parseTaskFile(text)
        if (!parsed.ok) throw new Error(parsed.problem)
        return parsed.task.front
      },
      ledger: () => readLedger({ vaultRoot: made.home.vault }),
    }
  }
  const count = (way: OdooProxy, method: string) => way.called.filter((one) => one === method).length
  const POST = 'account.move.action_post'
  const PAY = 'account.payment.register.action_create_payments'
  const paymentOf = (invoice: number, number: string, amount: string): BooksAction => ({
    ...{ tool: 'odoo.record_payment', invoice: String(invoice), number, customer: 'Acme Ltd' },
    ...{ amount, currency: 'EUR', date: '2026-11-30', memo: 'Transfer of 30 November' },
  })

  test('a draft is approved, posted with its document kept, its payment recorded: paid', async () => {
    const zone = await makeZone()
    await zone.start()
    const draft = await zone.draft()
    const pdf = Buffer.from(`%PDF-1.4 invoice ${draft.id}`)
    const own = odooCalls({ url: odoo.url, database: 'demo', key: () => odoo.keys.local })
    const file = { ...pdfOf(draft.id, pdf), res_field: 'invoice_pdf_report_file' }
    await own.write('ir.attachment', 'create', { args: { vals_list: [file] } })
    const posting = await zone.put(postingOf(draft))
    await zone.approve(posting, 'is posted: it gets its number')
    const { outcome } = await zone.done(posting)
    expect(outcome).toMatchObject({
      ...{ status: 'done', number: expect.stringMatching(/^INV\//), link: expect.stringContaining(String(draft.id)) },
      document: expect.stringMatching(/^Attachments\/[0-9a-f]{64}\.pdf$/),
    })
    const kept = await zone.vault.readBytes(vaultPath(String(outcome?.document)), 1_000)
    expect(Buffer.from(kept ?? []).equals(pdf)).toBe(true)
    const paying = await zone.put(paymentOf(draft.id, String(outcome?.number), draft.total))
    await zone.approve(paying, 'no money moves')
    expect((await zone.done(paying)).outcome).toMatchObject({ status: 'done', open: '0.00' })
    expect(await zone.books.invoice(draft.id)).toMatchObject({ state: 'posted', open: '0.00' })
    expect([count(zone.way, POST), count(zone.way, PAY)]).toEqual([1, 1])
    expect(zone.ledger().filter((type) => type === 'execution.done')).toHaveLength(2)
  }, 120_000)

  test('what is not in the books as the card said comes back, and nothing is booked', async () => {
    const zone = await makeZone()
    await zone.start()
    const admin = odooCalls({ url: odoo.url, database: 'demo', key: () => odoo.keys.admin })
    const [changed, posted] = [await zone.draft(), await zone.draft()]
    const files = [await zone.put(postingOf(changed)), await zone.put(postingOf(posted))] as const
    const paying = await zone.put(paymentOf(changed.id, 'INV/2026/99999', '1.00'))
    for (const one of [...files, paying]) await zone.shownAt(PENDING, one, 'countersign:card')
    const line = [[1, await firstLine(admin, changed.id), { price_unit: 999 }]]
    await admin.write('account.move', 'write', { ids: [changed.id], args: { vals: { invoice_line_ids: line } } })
    await zone.books.post(posted.id)
    for (const one of [...files, paying]) await zone.approve(one)
    await zone.shownAt(PENDING, files[0], 'is not what was approved any more')
    await zone.shownAt(PENDING, files[1], 'Somebody posted invoice')
    await zone.shownAt(PENDING, paying, 'is not posted in Odoo')
    expect([count(zone.way, POST), count(zone.way, PAY)]).toEqual([0, 0])
    expect(await zone.books.invoice(changed.id)).toMatchObject({ state: 'draft' })
  }, 120_000)

  const CRASHES = [
    ['JSON-2', undefined, 'after journal.consume'],
    ['JSON-2', undefined, 'before journal.settle accepted'],
    ['XML-RPC', 18, 'before journal.settle accepted'],
    ['XML-RPC', 18, 'after journal.settle accepted'],
    ...(EVERYTHING
      ? ([
          ['JSON-2', undefined, 'after journal.settle accepted'],
          ['XML-RPC', 18, 'after journal.consume'],
          ['XML-RPC', 18, 'before vault.move'],
        ] as const)
      : []),
  ] as const
  test.each(CRASHES)(
    'by %s (%s): an executor that dies %s books nothing twice',
    async (_protocol, version, at) => {
      const zone = await makeZone(version)
      const draft = await zone.draft()
      const doom = { TEST_SIGNAL: 'SIGKILL', TEST_AT: at }
      const isNever = at === 'after journal.consume'
      const settled = async (fileName: string) => {
        const second = await zone.start(CRASHING_EXECUTOR)
        if (isNever) await zone.shownAt(PENDING, fileName, 'Outcome unknown')
        else await zone.done(fileName)
        second.child.kill('SIGKILL')
        await ended(second)
      }
      const first = await zone.start(CRASHING_EXECUTOR, doom)
      const posting = await zone.put(postingOf(draft))
      await zone.approve(posting)
      await ended(first)
      await settled(posting)
      expect(count(zone.way, POST)).toBe(isNever ? 0 : 1)
      expect(await zone.books.invoice(draft.id)).toMatchObject({ state: isNever ? 'draft' : 'posted' })
      if (isNever) await zone.books.post(draft.id)
      const now = await zone.books.invoice(draft.id)
      const third = await zone.start(CRASHING_EXECUTOR, doom)
      const paying = await zone.put(paymentOf(draft.id, now?.number ?? '', '100.00'))
      await zone.approve(paying)
      await ended(third)
      await settled(paying)
      expect(count(zone.way, PAY)).toBe(isNever ? 0 : 1)
      const open = (Number(draft.total) - (isNever ? 0 : 100)).toFixed(2)
      expect(await zone.books.invoice(draft.id)).toMatchObject({ open })
    },
    180_000,
  )

  test.each([
    ['JSON-2', undefined],
    ['XML-RPC', 18],
  ] as const)(
    'by %s: an answer that is lost or a proxy’s is looked up, never asked for again',
    async (_protocol, version) => {
      const zone = await makeZone(version)
      const draft = await zone.draft()
      zone.way.mishaps.push({ kind: 'page', method: POST, status: 502 }, { kind: 'lose', method: PAY })
      await zone.start()
      const posting = await zone.put(postingOf(draft))
      await zone.approve(posting)
      const { outcome } = await zone.done(posting)
      expect(outcome).toMatchObject({ status: 'done', number: expect.stringMatching(/^INV\//) })
      const paying = await zone.put(paymentOf(draft.id, String(outcome?.number), '100.00'))
      await zone.approve(paying)
      expect((await zone.done(paying)).outcome).toMatchObject({ status: 'done' })
      expect([count(zone.way, POST), count(zone.way, PAY), zone.way.mishaps.length]).toEqual([1, 1, 0])
    },
    120_000,
  )
})

async function firstLine(calls: OdooCalls, move: number): Promise<number> {
  const domain = [
    ['move_id', '=', move],
    ['display_type', '=', 'product'],
  ]
  const found = await calls.read('account.move.line', 'search_read', { args: { domain, fields: ['id'], limit: 1 } })
  return (found as { id: number }[])[0]?.id ?? 0
}
