import type { Receipt } from '#core/countersignature.ts'
import type { ConsumeVerdict } from '#core/ports/journal.ts'
import type { Row } from './rows.ts'

/** Spends the one use of a receipt, inside the journal's transaction. */
export function consume(
  run: (sql: string, ...values: (string | number | null)[]) => { changes: number | bigint },
  one: (sql: string, ...values: (string | number)[]) => Row | undefined,
  receipt: Receipt,
  now: number,
  epoch: number,
): ConsumeVerdict {
  const intent = one('SELECT * FROM intents WHERE nonce = ?', receipt.nonce)
  if (!intent || intent.task_id !== receipt.task || intent.digest !== receipt.digest)
    return { kind: 'refused', rule: 'no-intent' }
  if (intent.state !== 'intended') return { kind: 'refused', rule: 'spent' }
  const generation = Number(intent.generation)
  // OR IGNORE: the unique indexes decide; a clash means that this use, or the task's, is over.
  const { changes } = run(
    'INSERT OR IGNORE INTO consumed VALUES (?, ?, ?, ?, ?, ?, 0)',
    ...[receipt.task, generation, receipt.nonce, receipt.digest, now, epoch],
  )
  if (changes !== 1) return { kind: 'refused', rule: 'spent' }
  run("UPDATE intents SET state = 'consumed', updated_at = ?, epoch = ? WHERE nonce = ?", now, epoch, receipt.nonce)
  return { kind: 'consumed', key: String(intent.key), intendedAt: Number(intent.intended_at) }
}
