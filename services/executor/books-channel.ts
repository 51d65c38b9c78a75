import { type Action, parseAction } from '#core/action.ts'
import type { BooksAction } from '#core/books-action.ts'
import { judgePayment, judgePosting, sayPaid, sayPosted } from '#core/books-world.ts'
import type { Receipt } from '#core/countersignature.ts'
import { CountersignError, isAway } from '#core/errors.ts'
import type { ActingBooks } from '#core/ports/accounting.ts'
import type { Channel, Prospect, World } from '#core/ports/channel.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { Intent } from '#core/ports/journal.ts'
import { type OutcomeFacts, reportSchema } from '#core/report.ts'
import type { Log } from '#runtime/logger.ts'
import { patience } from './patience.ts'
import { watchSender } from './sender-watch.ts'

export interface BooksParts {
  readonly books: ActingBooks
  readonly clock: Clock
  readonly log: Log
  /** Calls `post_invoice` or `record_payment`. */
  call(tool: string, action: BooksAction, receipt: Receipt): Promise<unknown>
  /** Keeps a document of the invoice in the vault: its path, or undefined where there is none. */
  keepDocument(bytes: Uint8Array): Promise<string | undefined>
}

/**
 * The books. An invoice is looked up by its state, a payment by its key, which stands in its memo: what became of a lost answer
 * is never guessed.
 */
export function booksChannel(parts: BooksParts): Channel {
  const { books, clock, log } = parts
  const server = watchSender(
    () => books.verify(),
    clock,
    (state, error) => (state === true ? log.info({}, 'Odoo is back') : log.warn({ err: error }, state)),
  )
  const looks = patience(clock)
  return {
    name: 'books',
    problems: () => [...new Set([server.state(), looks.state()])].filter((state) => state !== true),
    isReady: () => server.isReady(),
    keyOf: ({ taskId, generation }) => `${taskId}.${generation}`,
    lookAtTheWorld: (prospect) => lookAtTheWorld(prospect, books),
    async act(action, receipt) {
      const own = requireBooks(action)
      const report = await parts.call(own.tool.replace('odoo.', ''), own, receipt)
      const parsed = reportSchema.safeParse(report)
      if (!parsed.success || parsed.data.outcome !== 'accepted') return report
      return { ...parsed.data, facts: { ...parsed.data.facts, ...(await documentOf(own, parts)) } }
    },
    async lookUp({ action, key }) {
      const own = action === undefined ? undefined : requireBooks(parseAction(action))
      if (!own) return { kind: 'not-found' }
      const told = await looks.call(() => toldBy(own, key, books))
      if (!told) return { kind: 'not-found' }
      const { answer, missed, link, facts } = told
      return {
        kind: 'done',
        answer: [answer, ...missed].join('\n'),
        ...(link !== undefined && { link }),
        facts: { ...facts, ...(await documentOf(own, parts)) },
      }
    },
    async settle() {},
    sayWhereToLook({ action }: Intent) {
      const own = action === undefined ? undefined : requireBooks(parseAction(action))
      const where = own === undefined ? 'Odoo' : `invoice ${own.invoice} in Odoo`
      return `It was not found there. Look at ${where}.`
    },
  }
}

/** What the books say of it now; undefined: it is not there. */
async function toldBy(action: BooksAction, key: string, books: ActingBooks) {
  const now = await books.invoice(Number(action.invoice))
  if (action.tool === 'odoo.post_invoice') return now?.state === 'posted' ? sayPosted(action, now) : undefined
  const payments = await books.payments(key)
  return payments.length === 0 ? undefined : sayPaid(payments, now)
}

async function lookAtTheWorld({ action, key, isOld }: Prospect, books: ActingBooks): Promise<World> {
  const own = requireBooks(action)
  try {
    // A journal that was made anew may have forgotten it.
    if (own.tool === 'odoo.record_payment' && isOld && (await books.payments(key)).length > 0) return ALREADY_RECORDED
    const now = await books.invoice(Number(own.invoice))
    return own.tool === 'odoo.post_invoice' ? judgePosting(own, now) : judgePayment(own, now)
  } catch (error) {
    if (!isAway(error)) throw error
    const say = `How the invoice stands in Odoo must be looked at first, and cannot be: ${error.message}. ${error.hint}`
    return { kind: 'cannot-tell', say }
  }
}

/** No document is no failure: what was booked is booked. */
async function documentOf(action: BooksAction, { books, log, keepDocument }: BooksParts): Promise<OutcomeFacts> {
  if (action.tool !== 'odoo.post_invoice') return {}
  try {
    const bytes = await books.document(Number(action.invoice))
    const path = bytes && (await keepDocument(bytes))
    return path === undefined ? {} : { document: path }
  } catch (error) {
    log.warn({ err: error }, 'the document of a posted invoice could not be kept')
    return {}
  }
}

function requireBooks(action: Action): BooksAction {
  if (action.tool === 'odoo.post_invoice' || action.tool === 'odoo.record_payment') return action
  throw new CountersignError('ERR_TASK_FILE_INVALID', `${action.tool} is nothing for the books`)
}

const ALREADY_RECORDED: World = {
  kind: 'stale',
  rule: 'already-recorded',
  say: 'A payment for this task stands in Odoo already, and nothing is done twice. Make a new task for a new one.',
}
