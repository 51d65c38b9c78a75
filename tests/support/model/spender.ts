/**
 * A process that spends: `node spender.ts <file> <cap> <times> [hold]`. Debits 1 nano-dollar at a time and prints one
 * line for each that fitted; with `hold` it stays between debit and correction until it is killed.
 */
import { openSpend } from '#adapters/model/spend-sqlite.ts'

const [file = '', cap = '0', times = '0', hold] = process.argv.slice(2)
const at = Date.parse('2026-11-30T10:00:00Z')
const spend = openSpend(file, at)
for (let done = 0; done < Number(times); done++) {
  const call = { day: '2026-11-30', at, taskId: undefined, purpose: 'reply', size: 'large', model: 'm' } as const
  const id = spend.debit({ ...call, amount: 1n }, BigInt(cap))
  process.stdout.write(id === undefined ? 'refused\n' : `debited ${id}\n`)
  if (hold) setInterval(() => {}, 1_000)
}
if (!hold) spend[Symbol.dispose]()
