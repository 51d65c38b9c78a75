import { type Action, parseAction } from '#core/action.ts'
import type { Receipt } from '#core/countersignature.ts'
import { compared } from '#core/decimal.ts'
import { CountersignError, isAway } from '#core/errors.ts'
import { orderOf, type PaymentAction } from '#core/payment-action.ts'
import { type PastPayment, type PaymentRules, paymentRulesFault } from '#core/payment-rules.ts'
import type { Channel, Prospect, World } from '#core/ports/channel.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { Intent } from '#core/ports/journal.ts'
import type { LookAtBill, PaymentWay } from '#core/ports/payment.ts'

export interface PaymentParts {
  readonly ways: readonly PaymentWay[]
  readonly clock: Clock
  /** The owner's rules and what was paid before, as they are at this moment. */
  known(): Promise<{
    readonly rules: PaymentRules
    readonly past: readonly PastPayment[]
    /** Why the rules cannot be read; then nothing is known of them. */
    readonly fault?: string | undefined
  }>
  /** Unset where this machine has no books. */
  readonly lookAtBill?: LookAtBill | undefined
  /** Calls `pay`. */
  call(action: PaymentAction, receipt: Receipt): Promise<unknown>
  /** Puts up what follows a payment of a bill; again after a crash. Throws a retryable CountersignError. */
  recordPaid(intent: Intent, action: PaymentAction): Promise<void>
}

/**
 * Payments. Whether one may be made is judged right before it by the owner's limits, by what was paid before (or may have
 * been), by its days, and by the bill it pays. What became of it is asked of its way by the key, and is never tried again.
 */
export function paymentChannel(parts: PaymentParts): Channel {
  const wayOf = ({ way }: PaymentAction) => parts.ways.find((one) => one.name === way)
  return {
    name: 'payment',
    problems: () => parts.ways.flatMap((way) => way.problems()),
    /** Each way waits for itself: `lookAtTheWorld` asks the one that is needed. */
    isReady: async () => true,
    keyOf: ({ taskId, generation }) => `${taskId}.${generation}`,
    async lookAtTheWorld(prospect) {
      const action = requirePayment(prospect.action)
      const way = wayOf(action)
      if (!way) return stale('payment-way', `The way ${action.way} is not set up here.`)
      const fault = way.fault(orderOf(action))
      if (fault !== undefined) return stale('payment-way', fault)
      const now = parts.clock.now()
      const late = dayFault(action, prospect, now)
      if (late) return late
      const { fault: unreadable, ...known } = await parts.known()
      if (unreadable !== undefined) return { kind: 'cannot-tell', say: unreadable }
      const broken = paymentRulesFault(action, { ...known, taskId: prospect.task.front.id, now })
      if (broken) return stale(broken.rule, broken.say)
      const bill = await billFault(action, parts.lookAtBill)
      if (bill) return bill
      if (!(await way.isReady())) return { kind: 'cannot-tell', say: way.problems().join(' ') }
      return prospect.isOld ? lookForForgotten(action, way, prospect) : { kind: 'clear' }
    },
    act: (action, receipt) => parts.call(requirePayment(action), receipt),
    async lookUp({ action, key, intendedAt }) {
      const payment = action === undefined ? undefined : requirePayment(parseAction(action))
      const way = payment && wayOf(payment)
      if (!way) return { kind: 'not-found' }
      const found = await way.find(orderOf(payment), key, intendedAt)
      if (found.kind === 'done') return { kind: 'done', answer: found.reference }
      return found.kind === 'handed-over' ? found : { kind: 'not-found' }
    },
    async settle(intent) {
      const payment = intent.action === undefined ? undefined : requirePayment(parseAction(intent.action))
      if (payment?.invoice !== undefined) await parts.recordPaid(intent, payment)
    },
    sayWhereToLook({ action, answer }) {
      const payment = action === undefined ? undefined : requirePayment(parseAction(action))
      const what = payment ? `${payment.amount} ${payment.currency} to ${payment.payee}` : 'it'
      const where = (payment && wayOf(payment)?.title) ?? 'your bank'
      return `${answer ?? ''} Look at what your bank shows, also under what waits for your confirmation, for ${what} (by ${where}). It is not tried again by itself.`.trim()
    },
  }
}

/** A day that passed since the card was read makes another payment of it. */
function dayFault(action: PaymentAction, { task }: Prospect, now: number): World | undefined {
  const today = new Date(now).toISOString().slice(0, 10)
  const { execute_on, due } = action
  if (execute_on !== undefined && execute_on < today)
    return stale(
      'payment-day',
      `It was to be paid on ${execute_on}, which is over. Set another day after "execute_on:", or take it out to pay at once.`,
    )
  const read = task.front.presented?.at.slice(0, 10)
  if (due !== undefined && due < today && read !== undefined && due >= read)
    return stale('payment-day', `It was due on ${due}; since the card was made that day has passed. Decide anew.`)
  return undefined
}

async function billFault(action: PaymentAction, lookAtBill: LookAtBill | undefined): Promise<World | undefined> {
  const { invoice } = action
  if (invoice === undefined) return undefined
  if (!lookAtBill)
    return stale(
      'payment-bill',
      `It pays the bill ${invoice} in Odoo, and this machine has no Odoo to look at it. Take "invoice:" out to pay without.`,
    )
  try {
    const bill = await lookAtBill(invoice)
    if (bill.kind !== 'open') return stale('payment-bill', `The bill ${invoice} in Odoo ${BILL_SAYS[bill.kind]}.`)
    if (bill.currency !== action.currency)
      return stale('payment-bill', `The bill ${invoice} in Odoo is in ${bill.currency}, not in ${action.currency}.`)
    if (compared(action.amount, bill.residual) > 0n)
      return stale('payment-bill', `Of the bill ${invoice} only ${bill.residual} ${bill.currency} is open in Odoo.`)
    return undefined
  } catch (error) {
    if (!isAway(error)) throw error
    return { kind: 'cannot-tell', say: `The bill ${invoice} cannot be looked at: ${error.message}. ${error.hint}` }
  }
}

const BILL_SAYS = {
  paid: 'is paid already',
  draft: 'is a draft: post it first',
  cancelled: 'was cancelled',
  'not-there': 'is not there',
  'no-bill': 'is no bill of a vendor',
} as const

/** A journal that was lost and made anew knows nothing of what was paid before it. */
async function lookForForgotten(action: PaymentAction, way: PaymentWay, { task, key }: Prospect): Promise<World> {
  const found = await way
    .find(orderOf(action), key, Date.parse(task.front.created))
    .catch((error: unknown): Awaited<ReturnType<PaymentWay['find']>> => {
      if (!isAway(error)) throw error
      return { kind: 'cannot-tell', reason: `${error.message}. ${error.hint}` }
    })
  if (found.kind === 'not-found') return { kind: 'clear' }
  const say =
    found.kind === 'cannot-tell'
      ? `It may have been paid before, and whether it was cannot be seen: ${found.reason} If your bank shows that it was not, make a new task of it.`
      : 'This was paid, or made ready, before. Nothing is done twice: make a new task for a new payment.'
  return stale('already-paid', say)
}

function stale(rule: string, say: string): World {
  return { kind: 'stale', rule, say }
}

function requirePayment(action: Action): PaymentAction {
  if (action.tool !== 'payment.pay') throw new CountersignError('ERR_TASK_FILE_INVALID', `${action.tool} is no payment`)
  return action
}
