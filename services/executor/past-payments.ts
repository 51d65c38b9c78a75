import { parseAction } from '#core/action.ts'
import type { PastPayment } from '#core/payment-rules.ts'
import type { Intent, JournalPort } from '#core/ports/journal.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { vaultPath } from '#core/vault-path.ts'
import type { Knowledge } from './knowledge.ts'
import type { PaymentParts } from './payment-channel.ts'

const HANDBOOK = vaultPath('Company_Handbook.md')

/**
 * What a payment is judged by at this moment. Editors save in place: a handbook that was saved just now may be half of one,
 * and the limits in the other half.
 */
export function paymentsKnown(parts: {
  readonly vault: Pick<VaultPort, 'stamp' | 'exists'>
  readonly journal: Pick<JournalPort, 'payments'>
  knowledge(): Promise<Pick<Knowledge, 'risk' | 'fault'>>
}): PaymentParts['known'] {
  const { vault, journal, knowledge } = parts
  return async () => {
    const { risk, fault } = await knowledge()
    const isYoung = (await vault.stamp(HANDBOOK)) === undefined && (await vault.exists(HANDBOOK))
    return {
      ...{ rules: risk.rules.payments, past: pastPayments(journal.payments()) },
      fault: fault ?? (isYoung ? 'Your handbook was saved this very moment: its limits are read again.' : undefined),
    }
  }
}

/** What the journal knows of payments, as the owner's rules look at them; oldest first. */
export function pastPayments(intents: readonly Intent[]): PastPayment[] {
  return intents.flatMap((intent) => {
    const action = intent.action === undefined ? undefined : parseAction(intent.action)
    if (action?.tool !== 'payment.pay') return []
    const { taskId, intendedAt: at, state } = intent
    return [{ taskId, at, isSure: state === 'accepted' || state === 'done', action }]
  })
}
