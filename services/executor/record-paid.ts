import { createHash } from 'node:crypto'
import { makeTaskId } from '#core/ids.ts'
import { fullAmount, type PaymentAction } from '#core/payment-action.ts'
import type { Intent } from '#core/ports/journal.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { newTaskFile, renderTaskFile } from '#core/task-file.ts'
import { taskFileName, taskPath } from '#core/vault-path.ts'

/**
 * Puts up what follows the payment of a bill: that it was paid is recorded in the books, once the person approves that too.
 * Its id derives from the payment's key, so that after a crash there is still one. It goes to the hub like all accounting:
 * it names the bill, the amount and the key, and neither payee, account nor reference.
 */
export async function recordPaid(intent: Intent, action: PaymentAction, vault: VaultPort): Promise<void> {
  const { invoice, currency } = action
  if (invoice === undefined) return
  const seed = createHash('sha256')
    .update(JSON.stringify(['record-paid', intent.key]))
    .digest()
  const id = makeTaskId(intent.intendedAt, seed)
  const at = new Date(intent.updatedAt).toISOString()
  const title = `Record that bill ${invoice} was paid`
  const fileName = taskFileName({ kind: 'BOOKING', dayIso: at.slice(0, 10), title, id })
  if ((await vault.find(fileName)) !== undefined) return
  const amount = fullAmount(action.amount, currency)
  const task = newTaskFile(
    {
      ...{ id, schema: '1', kind: 'BOOKING', domain: 'accounting', title, created: at, parent: intent.taskId },
      ...{ risk: [], generation: '1', history: [] },
      drafted: { by: 'executor', model: 'none', at, cost_usd: '0' },
      action: {
        tool: 'odoo.record_payment',
        ...{ invoice, amount, currency, date: action.execute_on ?? at.slice(0, 10), memo: intent.key },
      },
    },
    `\n# ${title}\n\nA payment of this machine was done. Approve to record it in Odoo.\n`,
  )
  await vault.create(taskPath({ kind: 'pending', domain: 'accounting' }, fileName), renderTaskFile(task))
}
