import { orderOf, paymentSchema } from '#core/payment-action.ts'
import type { PaymentAnswer, PaymentWay } from '#core/ports/payment.ts'
import type { Report } from '#core/report.ts'
import { type ActingDeps, refused, registerActingTool } from '../../shared/acting-tool.ts'
import type { PaymentTool } from '../server.ts'

export interface PayingDeps extends ActingDeps {
  /** Every way this machine pays. */
  readonly ways: readonly PaymentWay[]
}

/** `pay`: one approved payment, by the way it names. */
export function pay(deps: PayingDeps): PaymentTool {
  return (server) =>
    registerActingTool(
      server,
      {
        name: 'pay',
        title: 'Pay an approved payment',
        description: 'Makes a payment that the person approved in the vault of this machine.',
        schema: paymentSchema,
        async prepare(action, { key }) {
          const way = deps.ways.find((one) => one.name === action.way)
          if (!way) return async () => refused('ERR_PAYMENT_REFUSED', `the way ${action.way} is not set up here`)
          return async () => reportOf(await way.pay(orderOf(action), key), key)
        },
      },
      deps,
    )
}

/** The bank's own words and pictures stay with the way; what is told is what the person needs. */
function reportOf(answer: PaymentAnswer, key: string): Report {
  const pictures = answer.evidence.map((digest) => digest.slice(0, 23)).join(', ')
  const seen = pictures === '' ? '' : ` Kept on this machine as ${pictures}.`
  switch (answer.kind) {
    case 'done':
      return { outcome: 'accepted', key, answer: `${answer.reference}.${seen}`, missed: [] }
    case 'handed-over':
      return { outcome: 'handed-over', key, say: `${answer.say}${seen}` }
    case 'refused':
      return refused(answer.permanent ? 'ERR_PAYMENT_REFUSED' : 'ERR_PAYMENT_UNAVAILABLE', `${answer.say}${seen}`)
    case 'unknown':
      return { outcome: 'unknown', key, code: 'ERR_OUTCOME_UNKNOWN', reason: `${answer.reason}${seen}` }
  }
}
