import { setTimeout as delay } from 'node:timers/promises'
import { readAmount, readDay, type ShownOrder, typedValue } from '#core/bank-reading.ts'
import type { BankMark, BankScript, BankStep } from '#core/bank-script.ts'
import type { PaymentOrder } from '#core/ports/payment.ts'
import { BrowserFault } from './browser-fault.ts'
import { openPatiently } from './browser-keeper.ts'
import type { BrowserPage } from './browser-page.ts'

const LOOK_EVERY_MS = 250

/** Takes the payment's steps up to the page that shows what will be ordered. Throws a BrowserFault; nothing is ordered by it. */
export async function fillIn(
  page: BrowserPage,
  script: BankScript,
  order: PaymentOrder,
  limits: { readonly markMs: number; readonly isLate: () => boolean },
): Promise<void> {
  for (const step of script.payment) {
    if (limits.isLate()) throw new BrowserFault('slow')
    await take(step, page, script, order, limits.markMs)
  }
}

async function take(
  step: BankStep,
  page: BrowserPage,
  script: BankScript,
  order: PaymentOrder,
  markMs: number,
): Promise<void> {
  if ('open' in step) return page.open(step.open)
  if ('click' in step) return page.click(step.click)
  if ('expect' in step) return expectMark(page, script, step.expect, markMs)
  if ('pause' in step) return expectMark(page, script, step.pause.until, step.pause.seconds * 1_000)
  if ('fields' in step) {
    if ((await page.fieldsAt(step.fields.in)) !== step.fields.count) throw new BrowserFault('mark')
    return
  }
  const { at, with: field } = 'fill' in step ? step.fill : step.select
  const value = typedValue(field, order, script.formats)
  if (value === undefined) return
  return 'fill' in step ? page.fill(at, value) : page.select(at, value)
}

/** Waits until the page shows a mark. Throws: signed-out when nobody is logged in there. */
async function expectMark(page: BrowserPage, script: BankScript, mark: BankMark, limitMs: number): Promise<void> {
  const { signed_in, signed_out } = script
  const shown = await firstShown(page, signed_out ? [mark, signed_out] : [mark], limitMs)
  if (shown === mark) return
  throw new BrowserFault(shown !== undefined || !(await shows(page, signed_in)) ? 'signed-out' : 'mark')
}

/** The first of the marks that is shown; undefined: none within the time. */
export async function firstShown<M extends BankMark>(
  page: BrowserPage,
  marks: readonly M[],
  limitMs: number,
): Promise<M | undefined> {
  for (const end = performance.now() + limitMs; ; await delay(LOOK_EVERY_MS)) {
    for (const mark of marks) if (await shows(page, mark)) return mark
    if (performance.now() > end) return undefined
  }
}

/** While a page is exchanged for the next one, it shows nothing. */
async function shows(page: BrowserPage, mark: BankMark): Promise<boolean> {
  try {
    const text = await page.textAt(mark.at)
    return text !== undefined && oneLine(text) === oneLine(mark.text)
  } catch (error) {
    if (error instanceof BrowserFault && error.kind === 'page') return false
    throw error
  }
}

export async function readBack(page: BrowserPage, { read_back }: BankScript): Promise<ShownOrder> {
  const shown: ShownOrder = {}
  for (const [field, selector] of Object.entries(read_back)) {
    const text = selector === undefined ? undefined : await page.textAt(selector)
    if (text !== undefined) shown[field as keyof ShownOrder] = text
  }
  return shown
}

/** An order of the bank's list that is the one in question. */
export interface ListedOrder {
  readonly number: string
  /** `2026-11-30`; undefined when it cannot be read. */
  readonly day: string | undefined
  readonly state: 'done' | 'waiting' | 'refused' | 'other'
}

/**
 * The orders of the bank's list that are exactly this one, as the list has them. Throws a BrowserFault: signed-out, or
 * mark when the list is another one than the script knows.
 */
export async function listOrders(
  page: BrowserPage,
  script: BankScript,
  order: PaymentOrder,
  markMs: number,
): Promise<ListedOrder[]> {
  const { orders, formats } = script
  await openPatiently(page, orders.open)
  await expectMark(page, script, orders.expect, markMs)
  if (!(await shows(page, script.signed_in))) throw new BrowserFault('signed-out')
  const [head = [], ...rows] = await page.tableAt(orders.table)
  const column = (name: string | undefined): number | undefined => {
    if (name === undefined) return undefined
    const at = head.map(oneLine).indexOf(name)
    if (at === -1) throw new BrowserFault('mark')
    return at
  }
  const at = Object.fromEntries(Object.entries(orders.columns).map(([key, name]) => [key, column(name)]))
  const cell = (row: readonly string[], key: keyof typeof orders.columns) =>
    at[key] === undefined ? undefined : oneLine(row[at[key]] ?? '')
  const isIt = (row: readonly string[]) => {
    const amount = readAmount(cell(row, 'amount') ?? '', formats)
    const payee = cell(row, 'payee')
    const currency = amount?.currency ?? cell(row, 'currency') ?? order.currency
    return (
      cell(row, 'iban')?.replace(/\s/g, '') === order.iban &&
      amount?.value === order.amount &&
      currency === order.currency &&
      cell(row, 'reference') === oneLine(order.reference ?? order.creditorReference ?? '') &&
      (payee === undefined || payee === oneLine(order.payee))
    )
  }
  return rows.filter(isIt).map((row) => ({
    number: /^[\w./-]{1,40}$/.exec(cell(row, 'number') ?? '')?.[0] ?? '',
    day: readDay(cell(row, 'date') ?? '', formats.date),
    state: stateOf(cell(row, 'status') ?? '', orders),
  }))
}

function stateOf(word: string, { done, waiting, refused }: BankScript['orders']): ListedOrder['state'] {
  if (done.includes(word)) return 'done'
  if (waiting?.includes(word)) return 'waiting'
  return refused?.includes(word) ? 'refused' : 'other'
}

function oneLine(text: string): string {
  return text.normalize('NFC').replace(/\s+/gu, ' ').trim()
}
