import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectInProcess } from '#adapters/mcp/in-process-client.ts'
import { openSepaFile } from '#adapters/sepa/sepa-file.ts'
import { makeTaskId } from '#core/ids.ts'
import type { Channel } from '#core/ports/channel.ts'
import type { BillState, FoundPayment, PaymentAnswer, PaymentOrder, PaymentWay } from '#core/ports/payment.ts'
import { newTaskFile, parseTaskFile, renderSection, renderTaskFile, section } from '#core/task-file.ts'
import { taskFileName, vaultPath } from '#core/vault-path.ts'
import { createPaymentServer } from '#mcp/payment/server.ts'
import { pay } from '#mcp/payment/tools/pay.ts'
import {
  type Executor,
  type ExecutorHome,
  edit,
  makeHome,
  readLedger,
  START,
  tick,
  whereIs,
} from '#tests/support/executor.ts'
import { pastPayments } from './past-payments.ts'
import { paymentChannel } from './payment-channel.ts'
import { recordPaid } from './record-paid.ts'
import { actingWith, TOOL_LIMIT_MS } from './wire-executor.ts'

const IBAN = 'DE89370400440532013000'
const OTHER = 'GB82WEST12345698765432'
const HANDBOOK = vaultPath('Company_Handbook.md')
const DAY = 86_400_000

/** A bank in memory: what it was made to do, and what it shows. */
class MemoryBank implements PaymentWay {
  readonly name = 'example-bank'
  readonly title = 'the pages of Example Bank'
  readonly paid: { order: PaymentOrder; key: string }[] = []
  answer: PaymentAnswer = { kind: 'done', reference: 'BANK-REF-7', evidence: [`sha256:${'a'.repeat(64)}`] }
  found: FoundPayment | 'as paid' = 'as paid'
  /** Set: the process dies right before or after the last press. */
  dies: 'before' | 'after' | undefined
  problems = () => []
  isReady = async () => true
  fault = () => undefined
  async pay(order: PaymentOrder, key: string): Promise<PaymentAnswer> {
    if (this.dies === 'before') throw new Died()
    this.paid.push({ order, key })
    if (this.dies === 'after') throw new Died()
    return this.answer
  }
  async find(_order: PaymentOrder, key: string): Promise<FoundPayment> {
    if (this.found !== 'as paid') return this.found
    const isThere = this.paid.some((one) => one.key === key)
    return isThere ? { kind: 'done', reference: 'BANK-REF-7' } : { kind: 'not-found' }
  }
}
class Died extends Error {}

let home: ExecutorHome
let bank: MemoryBank
let bill: BillState | undefined
let folder: string
let counter = 0
const open: AsyncDisposable[] = []

beforeEach(async () => {
  home = await makeHome()
  bank = new MemoryBank()
  bill = undefined
  folder = join(home.folder, 'payments')
  mkdirSync(folder)
})
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

/** An executor that pays by the bank in memory and by files. */
async function start(wrap: (channel: Channel) => Channel = (channel) => channel): Promise<Executor> {
  const clock = { now: () => home.now }
  const debtor = { name: 'The Owner', iban: 'FR1420041010050500013M02606', bic: undefined }
  const file = openSepaFile({ folder, vault: home.vaultRoot, debtor, format: 'pain.001.001.09', clock })
  const ways = [bank, file]
  const channels: Channel[] = []
  const limits = {
    account: 'owner@countersign.test',
    maxRecipients: 10,
    payment: { ways: ways.map(({ name }) => name) },
  }
  const executor = await home.start(undefined, { channels, limits })
  const { deps } = executor
  const tool = pay({ ...actingWith({ journal: deps.journal, clock, signingKey: home.key }), ways })
  const client = await connectInProcess(createPaymentServer([tool]))
  channels.push(
    executor.email,
    wrap(
      paymentChannel({
        ...{ ways, clock },
        async known() {
          const { risk, fault } = await deps.knowledge()
          return { rules: risk.rules.payments, past: pastPayments(deps.journal.payments()), fault }
        },
        lookAtBill: async () => bill ?? { kind: 'not-there' },
        call: (action, receipt) => client.call('pay', { action, receipt }, TOOL_LIMIT_MS),
        recordPaid: (intent, action) => recordPaid(intent, action, deps.vault),
      }),
    ),
  )
  open.push(executor, client)
  return executor
}

async function put(changed: Record<string, unknown> = {}, created = '2026-11-20T11:00:00.000Z') {
  const seed = Buffer.alloc(10)
  seed.writeUInt32BE(++counter, 6)
  const id = makeTaskId(START, seed)
  const action = {
    ...{ tool: 'payment.pay', way: 'example-bank', payee: 'Example Chairs GmbH', iban: IBAN, amount: '120.50' },
    ...{ currency: 'EUR', reference: 'INV-2026-0042', ...changed },
  }
  const task = newTaskFile(
    {
      ...{ id, schema: '1', kind: 'PAYMENT', domain: 'payment', title: 'Chairs', created, generation: '1' },
      action: Object.fromEntries(Object.entries(action).filter(([, value]) => value !== undefined)) as { tool: string },
    },
    ['# Chairs', renderSection('original', '```text\nPlease pay.\n```'), ''].join('\n\n'),
  )
  const fileName = taskFileName({ kind: 'PAYMENT', dayIso: '2026-11-20', title: 'Chairs', id })
  const path = vaultPath(`Pending_Approval/payment/${fileName}`)
  await home.vault.create(path, renderTaskFile(task))
  return { id, fileName, path }
}
type Put = Awaited<ReturnType<typeof put>>

async function textOf({ fileName }: Put): Promise<string> {
  const path = await home.vault.find(fileName)
  return (path && (await home.vault.read(path))) ?? ''
}
async function cardOf(one: Put): Promise<string> {
  const parsed = parseTaskFile(await textOf(one))
  return (parsed.ok && section(parsed.task, 'card')) || ''
}

/** Types the code of the card and ticks Approve, as a person would. */
async function approve(one: Put, isCodeTyped = true): Promise<void> {
  const code = /type `([A-Z0-9]{5})`/.exec(await cardOf(one))?.[1] ?? ''
  const path = (await home.vault.find(one.fileName)) ?? one.path
  await edit(home, path, (text) => tick('Approve')(isCodeTyped ? text.replace(/^Code:$/m, `Code: ${code}`) : text))
}
async function passes(executor: Executor, count = 4): Promise<void> {
  for (let index = 0; index < count; index++) {
    await executor.pass().catch((error: unknown) => {
      if (!(error instanceof Died)) throw error
    })
    home.now += 1_000
  }
}
async function payNow(changed?: Record<string, unknown>): Promise<{ executor: Executor; one: Put }> {
  const executor = await start()
  const one = await put(changed)
  await passes(executor, 2)
  await approve(one)
  await passes(executor)
  return { executor, one }
}

describe('an approved payment', () => {
  test('is made once, exactly as it was shown, under its key, and stands in Done with what the bank said', async () => {
    const { one, executor } = await payNow({ amount: '120.5' })
    expect(await whereIs(home, one.fileName)).toBe('Done/2026-11')
    expect(bank.paid).toEqual([
      {
        key: `${one.id}.1`,
        order: {
          ...{ payee: 'Example Chairs GmbH', iban: IBAN, bic: undefined, amount: '120.50', currency: 'EUR' },
          ...{ reference: 'INV-2026-0042', creditorReference: undefined, executeOn: undefined },
        },
      },
    ])
    expect(await textOf(one)).toContain('BANK-REF-7')
    await passes(executor)
    expect(bank.paid).toHaveLength(1)
  })

  test('needs the typed code, whatever else is known of it', async () => {
    await home.vault.create(HANDBOOK, `## Payees\n\n- ${IBAN}\n\n## Rules\n\n- At most 500 EUR per payment\n`)
    const executor = await start()
    const one = await put()
    await passes(executor, 2)
    expect(await cardOf(one)).toContain('your handbook names this account')
    await approve(one, false)
    await passes(executor)
    expect([await whereIs(home, one.fileName), bank.paid.length]).toEqual(['Pending_Approval/payment', 0])
    await approve(one)
    await passes(executor)
    expect(await whereIs(home, one.fileName)).toBe('Done/2026-11')
  })

  test('tells nothing of payee, account, reference or bank in the ledger, which goes to the hub', async () => {
    const { one } = await payNow()
    expect(readLedger(home)).toContain('execution.done')
    const logs = join(home.vaultRoot, 'Logs/local')
    const ledger = readdirSync(logs)
      .map((name) => readFileSync(join(logs, name), 'utf8'))
      .join('')
    expect(ledger).toContain(one.id)
    for (const secret of ['BANK-REF-7', 'Example Chairs', IBAN, 'INV-2026-0042', 'aaaaaaaa', '120.5'])
      expect(ledger, secret).not.toContain(secret)
  })
})

describe('a payment is not made, and comes back with the reason, when', () => {
  const isBack = async (one: Put, words: string | RegExp) => {
    expect([await whereIs(home, one.fileName), await cardOf(one)]).toEqual([
      'Pending_Approval/payment',
      expect.stringMatching(words),
    ])
  }

  test('it is over a limit, which counts what went out, by whatever way', async () => {
    await home.vault.create(HANDBOOK, '## Rules\n\n- At most 200 EUR per day\n')
    const { executor } = await payNow({ way: 'sepa-file' })
    const second = await put({ payee: 'Another', iban: OTHER, reference: 'B', amount: '79.51' })
    await passes(executor, 2)
    expect(await cardOf(second)).toContain('over the limit')
    await approve(second)
    await passes(executor)
    expect(bank.paid).toEqual([])
    await isBack(second, /High risk.*79\.51 EUR is over the limit of your handbook/)
    // A day later it may go.
    home.now += DAY
    await approve(second)
    await passes(executor)
    expect(bank.paid).toHaveLength(1)
  })

  test('the handbook was made stricter between the approval and the act', async () => {
    const executor = await start((channel) => ({
      ...channel,
      async lookAtTheWorld(prospect) {
        await home.vault.replace(HANDBOOK, '## Rules\n\n- At most 100 EUR per payment\n')
        return channel.lookAtTheWorld(prospect)
      },
    }))
    await home.vault.create(HANDBOOK, '## Rules\n\n- At most 500 EUR per payment\n')
    const one = await put()
    await passes(executor, 2)
    await approve(one)
    await passes(executor)
    expect(bank.paid).toEqual([])
    await isBack(one, /over the limit/)
  })

  test('the handbook cannot be read at the moment of paying: it waits, as no limit is known then', async () => {
    const wholly = '## Rules\n\n- At most 500 EUR per payment\n'
    const executor = await start((channel) => ({
      ...channel,
      async lookAtTheWorld(prospect) {
        await home.vault.replace(HANDBOOK, 'x'.repeat(200_001))
        return channel.lookAtTheWorld(prospect)
      },
    }))
    await home.vault.create(HANDBOOK, wholly)
    const one = await put()
    await passes(executor, 2)
    await approve(one)
    await passes(executor)
    expect([bank.paid, await whereIs(home, one.fileName)]).toEqual([[], 'In_Progress/local'])
  })

  test('the same was paid by another way; only a word under the action lets it go, once', async () => {
    const { executor, one: first } = await payNow({ way: 'sepa-file' })
    const second = await put({ reference: 'inv 2026 0042' })
    await passes(executor, 2)
    await approve(second)
    await passes(executor)
    expect(bank.paid).toEqual([])
    await isBack(second, new RegExp(`may have been paid.*again: ${first.id}`))
    const path = (await home.vault.find(second.fileName)) ?? ''
    await edit(home, path, (text) => text.replace('  tool: payment.pay', `  tool: payment.pay\n  again: ${first.id}`))
    await passes(executor, 2)
    expect(await cardOf(second)).toContain('once more on purpose')
    await approve(second)
    await passes(executor)
    expect(bank.paid).toHaveLength(1)
  })

  test('the same was done, and everything about it is tidied up', async () => {
    const { executor, one: first } = await payNow()
    await passes(executor)
    expect(await whereIs(home, first.fileName)).toBe('Done/2026-11')
    const second = await put()
    await passes(executor, 2)
    expect(await cardOf(second)).toContain('paid once from here, last on 2026-11-20')
    await approve(second)
    await passes(executor)
    expect(bank.paid).toHaveLength(1)
    await isBack(second, new RegExp(`was paid on 2026-11-20 by the task ${first.id}`))
  })

  test.each<[string, BillState, RegExp]>([
    ['is paid', { kind: 'paid' }, /is paid already/],
    ['is a draft', { kind: 'draft' }, /post it first/],
    ['was cancelled', { kind: 'cancelled' }, /was cancelled/],
    ['is gone', { kind: 'not-there' }, /is not there/],
    ['is an invoice to a customer', { kind: 'no-bill' }, /no bill of a vendor/],
    ['is in another currency', { kind: 'open', residual: '120.50', currency: 'USD' }, /in USD/],
    ['has less open', { kind: 'open', residual: '120.49', currency: 'EUR' }, /only 120\.49 EUR is open/],
  ])('its bill %s', async (_what, state, words) => {
    bill = state
    const { one } = await payNow({ invoice: '42' })
    expect(bank.paid).toEqual([])
    await isBack(one, words)
  })

  test('its day passed while nobody looked', async () => {
    const executor = await start()
    const one = await put({ execute_on: '2026-11-20' })
    const due = await put({ due: '2026-11-20', reference: 'another', amount: '1' })
    await passes(executor, 2)
    home.now += DAY
    for (const each of [one, due]) await approve(each)
    await passes(executor)
    expect(bank.paid).toEqual([])
    await isBack(one, /which is over/)
    await isBack(due, /that day has passed/)
  })

  test('its way is none of this machine, or cannot carry it', async () => {
    const { one } = await payNow({ way: 'other-bank' })
    await isBack(one, /by example-bank, sepa-file only/)
    const executor = await start()
    const dollars = await put({ way: 'sepa-file', currency: 'USD', reference: 'C' })
    await passes(executor, 2)
    await approve(dollars)
    await passes(executor)
    await isBack(dollars, /euro only/)
    expect([bank.paid, readdirSync(folder)]).toEqual([[], []])
  })
})

describe('what only the person can finish', () => {
  const outcome = async (one: Put, word: string) => {
    const path = (await home.vault.find(one.fileName)) ?? ''
    await edit(home, path, (text) => text.replace(`- [ ] ${word}`, `- [x] ${word}`))
  }

  test('a file for the bank asks until the person says that the bank did it; then the books are told, after an approval', async () => {
    bill = { kind: 'open', residual: '500.00', currency: 'EUR' }
    const { executor, one } = await payNow({ way: 'sepa-file', invoice: '42' })
    expect(readdirSync(folder)).toEqual([`payment-${one.id}.1.xml`])
    expect(await whereIs(home, one.fileName)).toBe('Pending_Approval/payment')
    expect(await cardOf(one)).toMatch(/Was it done\?.*payment-.*Upload it to your bank/)
    expect(await home.vault.list('Pending_Approval/accounting')).toEqual([])
    await outcome(one, 'It was done')
    await passes(executor)
    expect(await whereIs(home, one.fileName)).toBe('Done/2026-11')
    const [booking] = await home.vault.list('Pending_Approval/accounting')
    const text = (booking && (await home.vault.read(booking))) ?? ''
    expect(text).toContain('tool: odoo.record_payment')
    expect(text).toMatch(/invoice: "?42/)
    expect(text).toContain(`memo: ${one.id}.1`)
    for (const secret of ['Example Chairs', IBAN, 'INV-2026-0042']) expect(text, secret).not.toContain(secret)
  })

  test('a file that was not uploaded is made anew under another key, after another approval', async () => {
    const { executor, one } = await payNow({ way: 'sepa-file' })
    await outcome(one, 'It was not done')
    await passes(executor)
    expect(readdirSync(folder)).toHaveLength(1)
    await approve(one)
    await passes(executor)
    expect([readdirSync(folder), await cardOf(one)]).toEqual([
      [`payment-${one.id}.1.xml`],
      expect.stringContaining('delete that file, and approve again'),
    ])
    rmSync(join(folder, `payment-${one.id}.1.xml`))
    await approve(one)
    await passes(executor)
    expect(readdirSync(folder)).toEqual([`payment-${one.id}.3.xml`])
  })

  test('a bank that wants its second factor, or whose answer is not known, is never asked to pay again', async () => {
    for (const answer of [
      { kind: 'handed-over', say: 'Confirm it in the app of your bank.', evidence: [`sha256:${'b'.repeat(64)}`] },
      { kind: 'unknown', reason: 'The page went away after the last press.', evidence: [`sha256:${'b'.repeat(64)}`] },
    ] satisfies PaymentAnswer[]) {
      bank.answer = answer
      bank.found = { kind: 'cannot-tell', reason: 'The bank shows no list.' }
      const before = bank.paid.length
      const { executor, one } = await payNow({ reference: answer.kind })
      await passes(executor)
      expect(bank.paid.length - before, answer.kind).toBe(1)
      expect(await whereIs(home, one.fileName)).toBe('Pending_Approval/payment')
      const card = await cardOf(one)
      expect(card).toContain(answer.kind === 'handed-over' ? 'Confirm it in the app' : 'after the last press')
      expect(card).toContain('sha256:bbbbbbbb')
    }
  })

  test('what the bank refused comes back to be corrected, and the next approval pays under a new key', async () => {
    bank.answer = { kind: 'refused', permanent: true, say: 'The bank knows no such account.', evidence: [] }
    const { executor, one } = await payNow()
    expect(await cardOf(one)).toContain('no such account')
    bank.answer = { kind: 'done', reference: 'R', evidence: [] }
    await approve(one)
    await passes(executor)
    expect(bank.paid.map(({ key }) => key)).toEqual([`${one.id}.1`, `${one.id}.2`])
    expect(await whereIs(home, one.fileName)).toBe('Done/2026-11')
  })
})

describe('an executor that dies while it pays', () => {
  const STEPS = ['intend', 'consume', 'settle'] as const

  async function live(isFound: boolean, doom: (executor: Executor) => void): Promise<Put> {
    if (!isFound) bank.found = { kind: 'cannot-tell', reason: 'The bank shows no list.' }
    const first = await start()
    const one = await put()
    await passes(first, 2)
    await approve(one)
    doom(first)
    await passes(first, 2)
    await open
      .splice(0)
      .reverse()
      .reduce((before, each) => before.then(() => each[Symbol.asyncDispose]()), Promise.resolve())
    bank.dies = undefined
    const second = await start()
    await passes(second, 6)
    return one
  }
  const converges = async (one: Put) => {
    expect(bank.paid.length).toBeLessThanOrEqual(1)
    const place = await whereIs(home, one.fileName)
    const isAsked = (await cardOf(one)).includes('Was it done?')
    // Paid and known: done. Anything else is before the person, who is asked; never paid without a trace.
    expect(place === 'Done/2026-11' ? bank.paid.length : isAsked ? 1 : -1).toBe(1)
  }

  const cases = STEPS.flatMap((step) =>
    (['before', 'after'] as const).flatMap((moment) =>
      [true, false].map((isFound) => [moment, step, isFound] as const),
    ),
  )
  test.each(cases)('%s it journals %s (the bank can be asked: %s) pays once at most', async (moment, step, isFound) => {
    const one = await live(isFound, ({ deps: { journal } }) => {
      const original = journal[step] as (...args: unknown[]) => unknown
      Object.assign(journal, {
        [step]: (...args: unknown[]) => {
          if (moment === 'after') original.apply(journal, args)
          Object.assign(journal, {
            [step]: () => {
              throw new Died()
            },
          })
          throw new Died()
        },
      })
    })
    await converges(one)
  })

  test.each(['before', 'after'] as const)('%s the last press pays once at most', async (moment) => {
    const one = await live(moment === 'after', () => {
      bank.dies = moment
    })
    await converges(one)
  })
})
