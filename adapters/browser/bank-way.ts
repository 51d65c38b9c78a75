import { differences } from '#core/bank-reading.ts'
import type { BankMark, BankScript, OrderField } from '#core/bank-script.ts'
import { CountersignError } from '#core/errors.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { Evidence, FoundPayment, PaymentAnswer, PaymentOrder, PaymentWay } from '#core/ports/payment.ts'
import type { Log } from '#runtime/logger.ts'
import { BrowserFault, type BrowserFaultKind } from './browser-fault.ts'
import type { BrowserKeeper } from './browser-keeper.ts'
import type { BrowserPage } from './browser-page.ts'
import { fillIn, firstShown, type ListedOrder, listOrders, readBack } from './follow-script.ts'
import { keepEvidence, notePress, type Press, readPress } from './kept-files.ts'

export interface BankParts {
  readonly script: BankScript
  readonly keeper: BrowserKeeper
  /** Outside the vault: pictures, and what was pressed. */
  readonly stateDir: string
  /** The person sees the browser's window: it stays open for them. */
  readonly isShown: boolean
  /** Why there is no browser now; undefined: there is. */
  readonly browserFault: () => Promise<string | undefined>
  readonly clock: Clock
  /** How long it is waited for what the script expects on a page, ms. */
  readonly markMs?: number
  readonly log: Log
}

const MARK_MS = 15_000
/** Nothing is pressed later than this after the beginning. */
const PRESS_WITHIN_MS = 100_000
/** After these a page is still there to be looked at. */
const STANDING: readonly BrowserFaultKind[] = [
  'signed-out',
  'mark',
  'no-element',
  'many-elements',
  'page',
  'slow',
  'unreachable',
]

/**
 * Pays through a bank's own pages, as its script says: looks into the list of orders, fills the form in, reads back what
 * the page shows, compares it with what was countersigned, notes on disk that it presses, presses once, and reports
 * what the bank's list says. Whatever happens before the note is a refusal, whatever happens after it is looked up, and is
 * unknown where the list does not tell.
 */
export function bankWay(parts: BankParts): PaymentWay {
  const { script, keeper, browserFault } = parts
  let fault: string | undefined
  return {
    name: script.bank,
    title: `the pages of ${script.title}`,
    problems: () => (fault === undefined ? [] : [fault]),
    async isReady() {
      fault = await browserFault()
      return fault === undefined
    },
    fault({ currency, bic, creditorReference, reference, executeOn }) {
      const { currencies, payment, read_back } = script
      if (!currencies.includes(currency))
        return `${script.title} is set up for ${currencies.join(', ')}, not for ${currency}.`
      const asks = (field: OrderField) =>
        payment.some((one) => ('fill' in one ? one.fill.with : 'select' in one ? one.select.with : undefined) === field)
      // Else it would be ordered for today.
      if (executeOn !== undefined && !(asks('date') && read_back.date !== undefined))
        return `The pages of ${script.title} are not set up for a day: the script has to fill in the date, and to read it back. Take "execute_on:" out to pay at once.`
      if (bic !== undefined && !asks('bic')) return `The pages of ${script.title} have no place for a BIC.`
      return reference === undefined && creditorReference === undefined
        ? `The pages of ${script.title} need a reference.`
        : undefined
    },
    pay: (order, key) => payOnce(parts, order, key),
    async find(order, key, since) {
      try {
        const press = await readPress(parts.stateDir, key)
        const listed = await keeper.use(async (page) => ({
          result: await listOrders(page, script, order, parts.markMs ?? MARK_MS),
          keepMs: parts.isShown ? Number.POSITIVE_INFINITY : 0,
        }))
        return whatWasFound(listed, press, since, script)
      } catch (error) {
        return { kind: 'cannot-tell', reason: `${script.title}: ${whyNot(error, parts)}.` }
      }
    },
  }
}

async function payOnce(parts: BankParts, order: PaymentOrder, key: string): Promise<PaymentAnswer> {
  const { script, stateDir, keeper, isShown, clock } = parts
  const evidence: Evidence[] = []
  let isPressed = false
  const refused = (why: string, permanent: boolean): PaymentAnswer => ({
    ...{ kind: 'refused', permanent, evidence },
    say: `${script.title}: nothing was ordered, because ${why}.`,
  })
  const failed = (error: unknown) =>
    isPressed
      ? unknown(script, `may have been given: ${whyNot(error, parts)}`, evidence)
      : refused(whyNot(error, parts), false)
  try {
    if (await readPress(stateDir, key)) return unknown(script, 'is never given twice', evidence)
    return await keeper.use(async (page) => {
      try {
        const result = await work(page)
        const minutes = result.kind === 'handed-over' ? (script.then.hand_over?.minutes ?? 0) : 0
        // Where nobody can tell, the page may be stuck (a dialog box), and the next look needs another.
        const stays = isShown && result.kind !== 'unknown'
        return { result, keepMs: stays ? Number.POSITIVE_INFINITY : minutes * 60_000 }
      } catch (error) {
        await tryEvidence(page, parts, evidence)
        // In a window the person sees where it stopped, and logs in there.
        const mayStay = isShown && error instanceof BrowserFault && STANDING.includes(error.kind)
        return { result: failed(error), keepMs: mayStay ? Number.POSITIVE_INFINITY : 0 }
      }
    })
  } catch (error) {
    return failed(error)
  }

  async function work(page: BrowserPage): Promise<PaymentAnswer> {
    const began = performance.now()
    const isLate = () => performance.now() - began > PRESS_WITHIN_MS
    const before = (await listOrders(page, script, order, parts.markMs ?? MARK_MS)).length
    await fillIn(page, script, order, { markMs: parts.markMs ?? MARK_MS, isLate })
    const found = differences(await readBack(page, script), order, script.formats)
    evidence.push(await keepEvidence(stateDir, await page.picture()))
    if (found.length > 0)
      return refused(`the page shows something else than was countersigned (${found.join(', ')})`, true)
    if (isLate()) throw new BrowserFault('slow')
    if ((await page.textAt(script.press)) === undefined) throw new BrowserFault('no-element')
    const press: Press = { key, bank: script.bank, before, at: clock.now() }
    isPressed = true
    if (!(await notePress(stateDir, press))) return unknown(script, 'is never given twice', evidence)
    return pressOnce(parts, page, { order, press, evidence })
  }
}

interface Pressing {
  readonly order: PaymentOrder
  readonly press: Press
  readonly evidence: Evidence[]
}

/** Presses the deciding button, and finds out what became of it. Never throws. */
async function pressOnce(parts: BankParts, page: BrowserPage, pressing: Pressing): Promise<PaymentAnswer> {
  const { script, clock } = parts
  const { hand_over, done, refused = [] } = script.then
  const { evidence } = pressing
  let mark: BankMark | undefined
  try {
    await page.click(script.press)
    mark = await firstShown<BankMark>(
      page,
      [hand_over, done, ...refused].filter((one) => one !== undefined),
      parts.markMs ?? MARK_MS,
    )
  } catch (error) {
    whyNot(error, parts)
  }
  await tryEvidence(page, parts, evidence)
  if (mark !== undefined && mark === hand_over) {
    // The page stays where it is: the person may need it, and the bank may wait in it.
    return { kind: 'handed-over', say: sayHandOver(hand_over, clock.now()), evidence }
  }
  try {
    const listed = await listOrders(page, script, pressing.order, parts.markMs ?? MARK_MS)
    const found = whatWasFound(listed, pressing.press, pressing.press.at, script)
    if (found.kind === 'done') return { ...found, evidence }
    if (found.kind === 'handed-over') return { ...found, evidence }
    if (mark !== undefined && refused.includes(mark) && found.kind === 'not-found')
      return { kind: 'refused', permanent: true, say: `${script.title} did not accept the order.`, evidence }
    if (found.kind === 'cannot-tell') return { kind: 'unknown', reason: found.reason, evidence }
    const but = mark !== undefined && mark === done ? ', although the page says that it was done' : ''
    return unknown(script, `may have been given, and does not stand in the bank’s list${but}`, evidence)
  } catch (error) {
    return unknown(script, `may have been given, and cannot be looked up now: ${whyNot(error, parts)}`, evidence)
  }
}

/** What the bank's list says of one order, compared with how often it stood there before. */
function whatWasFound(
  listed: readonly ListedOrder[],
  press: Press | undefined,
  since: number,
  script: BankScript,
): FoundPayment {
  const cannotTell = (reason: string): FoundPayment => ({ kind: 'cannot-tell', reason: `${script.title}: ${reason}` })
  const day = new Date(since).toISOString().slice(0, 10)
  const ours = press ? listed : listed.filter((one) => one.day === undefined || one.day >= day)
  if (ours.length <= (press?.before ?? 0)) return { kind: 'not-found' }
  if (!press)
    return cannotTell('its list has such an order, and there is no note on this machine that it was given here.')
  // The bank may put the newest one first or last: where they do not agree, nobody can tell which is which.
  const states = new Set(ours.map((one) => one.state))
  const [newest] = [...ours].sort(
    (a, b) => (b.day ?? '').localeCompare(a.day ?? '') || b.number.localeCompare(a.number),
  )
  if (states.size > 1 && press.before > 0)
    return cannotTell('its list has several such orders, and they stand differently.')
  if (newest?.state === 'done') return { kind: 'done', reference: newest.number || 'in the list of orders' }
  if (newest?.state === 'waiting')
    return { kind: 'handed-over', say: script.then.hand_over?.say ?? 'The bank waits for your confirmation.' }
  if (newest?.state === 'refused') return cannotTell('its list has the order, as one that is not carried out.')
  return cannotTell('its list has the order, in a state that the script does not know.')
}

function sayHandOver({ say, minutes }: { say: string; minutes: number }, now: number): string {
  const until = new Date(now + minutes * 60_000).toISOString().slice(11, 16)
  return `${say} The bank waits about ${minutes} minutes for it, until ${until} UTC.`
}

function unknown({ title }: BankScript, why: string, evidence: readonly Evidence[]): PaymentAnswer {
  return {
    kind: 'unknown',
    reason: `${title}: this order ${why}. Look into the bank’s list of orders.`,
    evidence,
  }
}

async function tryEvidence(page: BrowserPage, { stateDir }: BankParts, evidence: Evidence[]): Promise<void> {
  try {
    evidence.push(await keepEvidence(stateDir, await page.picture()))
  } catch {
    // A page that cannot be photographed is no reason for another outcome.
  }
}

/** In words; what is no error of ours may hold anything. */
function whyNot(error: unknown, { script, log }: BankParts): string {
  const isFault = error instanceof BrowserFault
  if (isFault) log.warn({ name: script.bank, reason: error.kind }, `at the bank: ${error.message}`)
  else log.warn({ name: script.bank, err: error }, 'at the bank')
  if (isFault && error.kind === 'signed-out')
    return `${error.message}; log in with \`countersign bank login ${script.bank}\``
  return isFault || error instanceof CountersignError ? error.message : 'of a fault of this program'
}
