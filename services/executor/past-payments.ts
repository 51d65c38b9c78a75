import { parseAction } from '#core/action.ts'
import type { PastPayment } from '#core/payment-rules.ts'
import type { Intent } from '#core/ports/journal.ts'

/** What the journal knows of payments, as the owner's rules look at them; oldest first. */
export function pastPayments(intents: readonly Intent[]): PastPayment[] {
  return intents.flatMap((intent) => {
    const action = intent.action === undefined ? undefined : parseAction(intent.action)
    if (action?.tool !== 'payment.pay') return []
    const { taskId, intendedAt: at, state } = intent
    return [{ taskId, at, isSure: state === 'accepted' || state === 'done', action }]
  })
}
