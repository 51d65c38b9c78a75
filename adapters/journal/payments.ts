import type { JournalPort } from '#core/ports/journal.ts'
import type { JournalAccess } from './draft-memories.ts'
import { intentOf, type Row } from './rows.ts'

/** An intent that was not used is none, and neither is one that was refused. */
const PAYMENTS = `FROM intents WHERE json_extract(receipt, '$.tool') = 'payment.pay'
  AND state IN ('consumed', 'accepted', 'unknown', 'done')`

/** What is known of uses whose outcome is in doubt, and of payments. */
export function doubtsAndPayments({
  write,
  read,
  one,
  all,
  run,
}: JournalAccess & { all(sql: string): Row[] }): Pick<JournalPort, 'noteDoubt' | 'payments' | 'paymentCount'> {
  return {
    noteDoubt: (taskId, generation, answer) =>
      write('recording a doubt', () => {
        const sql = "UPDATE intents SET answer = ? WHERE task_id = ? AND generation = ? AND state = 'consumed'"
        run(sql, answer, taskId, generation)
      }),
    payments: () => read('reading what was paid', () => all(`SELECT * ${PAYMENTS} ORDER BY intended_at`).map(intentOf)),
    paymentCount: () =>
      read('counting what was paid', () => {
        const row = one(`SELECT count(*) AS n, max(updated_at) AS at ${PAYMENTS}`)
        return `${row?.n} ${row?.at}`
      }),
  }
}
