import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectInProcess } from '#adapters/mcp/in-process-client.ts'
import { type BooksAction, postingOf } from '#core/books-action.ts'
import { CountersignError } from '#core/errors.ts'
import type { ActingBooks, BookedInvoice, BookedPayment, BookOutcome, PaymentEntry } from '#core/ports/accounting.ts'
import { section } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import { createOdooServer } from '#mcp/odoo/server.ts'
import { postInvoice } from '#mcp/odoo/tools/post-invoice.ts'
import { recordPayment } from '#mcp/odoo/tools/record-payment.ts'
import { makeBooksDraft } from '#tests/support/books-draft.ts'
import {
  type Executor,
  type ExecutorHome,
  makeHome,
  readDashboard,
  readLedger,
  readTaskAt,
  START,
  whereIs,
} from '#tests/support/executor.ts'
import { booksChannel } from './books-channel.ts'
import type { ExecutorDeps } from './deps.ts'
import { documentKeeper } from './main-books.ts'
import { onePass } from './run-executor.ts'
import { actingWith, TOOL_LIMIT_MS } from './wire-executor.ts'

const PENDING = 'Pending_Approval/accounting'
const DRAFT: BookedInvoice = {
  ...{ id: 42, customer: 'Acme Ltd', net: '200.00', tax: '30.00', total: '230.00', currency: 'EUR', isDraft: true },
  ...{ isNewCustomer: false, due: '2026-12-24', lines: ['Work: 2 × 100, 15% = 200.00'] },
  ...{ content: `sha256:${'a'.repeat(64)}`, state: 'draft', number: undefined, open: '230.00' },
  ...{ invoiceDate: undefined, date: undefined, link: 'https://odoo.example/odoo/account.move/42' },
}
const NUMBER = 'INV/2026/00012'
const PAYMENT: BooksAction = {
  ...{ tool: 'odoo.record_payment', invoice: '42', number: NUMBER, customer: 'Acme Ltd' },
  ...{ amount: '230.00', currency: 'EUR', date: '2026-12-01', memo: 'Transfer' },
}

/** Books that do what they are asked, and may say something else. */
class MemoryBooks implements ActingBooks {
  now: BookedInvoice | undefined = { ...DRAFT }
  readonly entries: { entry: PaymentEntry; key: string }[] = []
  posted = 0
  away: CountersignError | undefined
  /** Set: the answer to the next act. `acts`: whether it is done all the same. */
  answer: { outcome: BookOutcome; acts: boolean } | undefined
  pdf: Uint8Array | 'fails' | undefined

  async verify() {
    if (this.away) throw this.away
  }
  async invoice() {
    if (this.away) throw this.away
    return this.now
  }
  async post() {
    if (this.answer?.acts !== false) {
      this.posted++
      this.now = { ...DRAFT, state: 'posted', isDraft: false, number: NUMBER, date: '2026-11-20' }
    }
    return this.answer?.outcome ?? ({ kind: 'done' } as const)
  }
  async pay(entry: PaymentEntry, key: string) {
    if (this.answer?.acts !== false) this.entries.push({ entry, key })
    return this.answer?.outcome ?? ({ kind: 'done' } as const)
  }
  async payments(key: string): Promise<BookedPayment[]> {
    if (this.away) throw this.away
    const own = this.entries.filter((one) => one.key === key)
    return own.map(({ entry }, index) => ({
      ...{ id: index + 1, amount: entry.amount, currency: entry.currency, isCancelled: false },
    }))
  }
  async document() {
    if (this.pdf === 'fails') throw new CountersignError('ERR_ODOO_UNREACHABLE', 'gone')
    return this.pdf
  }
}

let home: ExecutorHome
let executor: Executor
let books: MemoryBooks
let deps: ExecutorDeps
const closing: AsyncDisposable[] = []

beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
  books = new MemoryBooks()
  const { journal, clock, log } = executor.deps
  const acting = { ...actingWith({ journal, clock, signingKey: home.key }), books }
  const client = await connectInProcess(createOdooServer([postInvoice(acting), recordPayment(acting)]))
  closing.push(client, executor, home)
  const channel = booksChannel({
    ...{ books, clock, log },
    call: (tool, action, receipt) => client.call(tool, { action, receipt }, TOOL_LIMIT_MS),
    keepDocument: documentKeeper(home.vault),
  })
  deps = { ...executor.deps, channels: [executor.email, channel] }
})
afterEach(async () => {
  for (const one of closing.splice(0)) await one[Symbol.asyncDispose]()
})

const pass = () => onePass(deps, { agents: ['cloud', 'local'], config: { reconcileMs: 1_000, state: home.folder } })

/** A card that is approved, and the executor's next look. */
async function approved(action: BooksAction, meanwhile: (id: string) => void = () => {}, atMs = START - 3_600_000) {
  const { id, fileName, text } = makeBooksDraft(action, { atMs })
  await home.vault.create(vaultPath(`${PENDING}/${fileName}`), text)
  await pass()
  meanwhile(id)
  await home.vault.move(vaultPath(`${PENDING}/${fileName}`), vaultPath(`Approved/${fileName}`))
  await pass()
  await pass()
  return fileName
}
const cardOf = async (fileName: string) => section(await readTaskAt(home, `${PENDING}/${fileName}`), 'card') ?? ''
const outcomeOf = async (fileName: string) => (await readTaskAt(home, `Done/2026-11/${fileName}`)).front.outcome
const posted = () => {
  books.now = { ...DRAFT, state: 'posted', isDraft: false, number: NUMBER }
}

test('an approved draft is posted once; number, link and document stand in Done', async () => {
  books.pdf = Buffer.from('%PDF-1.4 x')
  const fileName = await approved(postingOf(DRAFT))
  await pass()
  expect(books.posted).toBe(1)
  const outcome = await outcomeOf(fileName)
  expect(outcome).toMatchObject({ status: 'done', number: NUMBER, date: '2026-11-20', link: DRAFT.link })
  expect(outcome?.document).toMatch(/^Attachments\/[0-9a-f]{64}\.pdf$/)
  expect(await home.vault.read(vaultPath(String(outcome?.document)))).toBe('%PDF-1.4 x')
  expect(readLedger(home)).toEqual(['draft.presented', 'task.approved', 'execution.intended', 'execution.done'])
  expect(await readDashboard(home)).toContain('invoice for Acme Ltd posted, 230.00 EUR')
})

test('a card without a text has no draft to edit', async () => {
  const { fileName, text } = makeBooksDraft(postingOf(DRAFT), { atMs: START - 3_600_000 })
  await home.vault.create(vaultPath(`${PENDING}/${fileName}`), text)
  await pass()
  const shown = (await home.vault.read(vaultPath(`${PENDING}/${fileName}`))) ?? ''
  expect(shown).toContain('is posted: it gets its number')
  expect(shown).not.toContain('## Draft')
})

test.each([undefined, 'fails'] as const)('no document is no failure (%s)', async (pdf) => {
  books.pdf = pdf
  const outcome = await outcomeOf(await approved(postingOf(DRAFT)))
  expect(outcome).toMatchObject({ status: 'done', number: NUMBER })
  expect(outcome).not.toHaveProperty('document')
})

test('a payment is recorded once, under the key of its approval', async () => {
  posted()
  const fileName = await approved(PAYMENT)
  await pass()
  const { id } = (await readTaskAt(home, `Done/2026-11/${fileName}`)).front
  expect(books.entries).toMatchObject([{ key: `${id}.1`, entry: { amount: '230.00', memo: 'Transfer' } }])
  expect(await outcomeOf(fileName)).toMatchObject({ status: 'done', payment: '1', open: '230.00' })
})

describe.each<[string, BooksAction]>([
  ['posting', postingOf(DRAFT)],
  ['payment', PAYMENT],
])('of a %s', (_what, action) => {
  const isPosting = action.tool === 'odoo.post_invoice'
  const ready = () => {
    if (!isPosting) posted()
  }
  const acts = () => (isPosting ? books.posted : books.entries.length)

  test('a lost answer is looked up, and what was done is done', async () => {
    ready()
    books.answer = { outcome: { kind: 'unknown', reason: 'no answer' }, acts: true }
    const outcome = await outcomeOf(await approved(action))
    expect(outcome).toMatchObject({ status: 'done', ...(isPosting && { number: NUMBER }) })
    expect(acts()).toBe(1)
  })

  test('a lost answer to what cannot be found is the person’s to settle, and nothing is asked for again', async () => {
    ready()
    books.answer = { outcome: { kind: 'unknown', reason: 'no answer' }, acts: false }
    const fileName = await approved(action)
    expect(await cardOf(fileName)).toContain('Look at invoice 42 in Odoo')
    books.answer = undefined
    await pass()
    expect(acts()).toBe(0)
  })

  test('a refusal comes back in Odoo’s words', async () => {
    ready()
    books.answer = { outcome: { kind: 'refused', permanent: true, say: 'The period is locked.' }, acts: false }
    const card = await cardOf(await approved(action))
    expect(card).toContain('nothing was done: ERR\\_ODOO\\_REFUSED: The period is locked')
  })

  test('while Odoo is away it waits, with words; then it is done', async () => {
    ready()
    books.away = new CountersignError('ERR_ODOO_UNREACHABLE', 'Odoo at https://odoo.example: 502')
    const fileName = await approved(action)
    expect(await whereIs(home, fileName)).toBe('In_Progress/local')
    expect(await readDashboard(home)).toContain('502')
    books.away = undefined
    home.now += 120_000
    await pass()
    expect(await outcomeOf(fileName)).toMatchObject({ status: 'done' })
    expect(acts()).toBe(1)
  })

  test('what is older than the journal is looked for first, and not done twice', async () => {
    const forgotten = (id: string) => {
      posted()
      if (!isPosting)
        books.entries.push({ entry: { amount: '230.00', currency: 'EUR' } as PaymentEntry, key: `${id}.1` })
    }
    ready()
    const fileName = await approved(action, forgotten, START - 90_000_000)
    const say = isPosting ? 'Somebody posted invoice 42 already' : 'A payment for this task stands in Odoo already'
    expect(await cardOf(fileName)).toContain(say)
    expect(acts()).toBe(isPosting ? 0 : 1)
  })
})

test('what somebody posted in the very moment before is said so', async () => {
  books.post = async () => {
    posted()
    return { kind: 'refused', permanent: true, say: 'The entry must be in draft.' }
  }
  const card = await cardOf(await approved(postingOf(DRAFT)))
  expect(card).toContain('somebody else posted it meanwhile as INV/2026/00012')
})

test('what differs by the time it is posted goes back, and is not posted', async () => {
  const fileName = await approved(postingOf(DRAFT), () => {
    books.now = { ...DRAFT, total: '999.00' }
  })
  expect(await cardOf(fileName)).toContain('its total is 999.00, not 230.00')
  expect(books.posted).toBe(0)
})

test.each<[string, BooksAction, BookedInvoice]>([
  ['posting', postingOf(DRAFT), { ...DRAFT, total: '999.00' }],
  ['payment', PAYMENT, { ...DRAFT, state: 'posted', isDraft: false, number: NUMBER, open: '1.00' }],
])('what changes between the look and the act is refused by the tool itself (%s)', async (_what, action, later) => {
  if (action.tool === 'odoo.record_payment') posted()
  const now = books.now
  let looks = 0
  books.invoice = async () => (looks++ === 0 ? now : later)
  const card = await cardOf(await approved(action))
  expect(card).toContain('nothing was done')
  expect([books.posted, books.entries]).toEqual([0, []])
})
