import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { TaskId } from '#core/ids.ts'
import type { Debit } from '#core/ports/spend-store.ts'
import { openSpend } from './spend-sqlite.ts'

const NOW = Date.parse('2026-11-30T10:00:00Z')
const TASK = '01J8Z3W6Q0ABCDEFGHJKABCDEF' as TaskId
const DEBIT: Debit = {
  ...{ day: '2026-11-30', at: NOW, taskId: TASK, purpose: 'reply', size: 'large', model: 'anthropic:m', amount: 60n },
}
const USAGE = { input: 10, cacheRead: 20, cacheWrite: 30, output: 40 }
const NONE = { cost: 0n, calls: 0, input: 0, cacheRead: 0, cacheWrite: 0, output: 0 }

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spend-'))
  file = join(folder, 'state', 'spend.sqlite')
})
afterEach(() => rmSync(folder, { recursive: true }))

const spender = (...args: string[]) =>
  spawn(process.execPath, [join(import.meta.dirname, '../../tests/support/model/spender.ts'), file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })

it('takes what fits below the cap, exactly', () => {
  using spend = openSpend(file, NOW)
  expect(spend.debit(DEBIT, 100n)).toBe(1)
  expect(spend.debit({ ...DEBIT, amount: 41n }, 100n)).toBeUndefined()
  expect(spend.debit({ ...DEBIT, amount: 40n }, 100n)).toBe(2)
  expect(spend.debit({ ...DEBIT, amount: 1n }, 100n)).toBeUndefined()
  expect(spend.ofDay('2026-11-30')).toMatchObject({ cost: 100n, calls: 2 })
})

it('what costs nothing always fits', () => {
  using spend = openSpend(file, NOW)
  spend.debit(DEBIT, 60n)
  expect(spend.debit({ ...DEBIT, amount: 0n }, 0n)).toBe(2)
})

it('gives back what a call did not cost, and knows what a day and a task cost, over a restart', () => {
  {
    using spend = openSpend(file, NOW)
    spend.settle(spend.debit(DEBIT, 100n) ?? 0, 7n, USAGE)
    spend.debit({ ...DEBIT, day: '2026-12-01', taskId: undefined }, 100n)
  }
  using again = openSpend(file, NOW)
  expect(again.ofDay('2026-11-30')).toEqual({ cost: 7n, calls: 1, ...USAGE })
  expect(again.ofDay('2026-12-01')).toEqual({ ...NONE, cost: 60n, calls: 1 })
  expect(again.ofTask(TASK)).toEqual({ cost: 7n, calls: 1, ...USAGE })
  expect(again.ofDay('2026-12-02')).toEqual(NONE)
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

it('holds sums that a floating number would not', () => {
  using spend = openSpend(file, NOW)
  const large = 2n ** 60n
  spend.debit({ ...DEBIT, amount: large + 1n }, 2n ** 62n)
  spend.debit({ ...DEBIT, amount: 1n }, 2n ** 62n)
  expect(spend.ofDay('2026-11-30').cost).toBe(large + 2n)
})

it('keeps more than a year', () => {
  {
    using spend = openSpend(file, NOW)
    spend.debit({ ...DEBIT, at: NOW - 399 * 86_400_000, day: 'a' }, 100n)
    spend.debit({ ...DEBIT, at: NOW - 401 * 86_400_000, day: 'b' }, 100n)
  }
  using again = openSpend(file, NOW)
  expect([again.ofDay('a').calls, again.ofDay('b').calls]).toEqual([1, 0])
})

it('a damaged file is said to be one, and nothing is counted beside it', () => {
  mkdirSync(join(folder, 'state'))
  writeFileSync(file, 'no database at all, and long enough to be looked at as one')
  expect(() => openSpend(file, NOW)).toThrow(/spend\.sqlite, where it stands what models cost: .*move it away/)
})

it('two processes at once never take more than the cap together', async () => {
  const outputs = await Promise.all([spender('100', '80'), spender('100', '80')].map((one) => text(one.stdout)))
  const debited = outputs.join('').match(/debited/g)
  expect(debited).toHaveLength(100)
  using spend = openSpend(file, NOW)
  expect(spend.ofDay('2026-11-30')).toMatchObject({ cost: 100n, calls: 100 })
})

it('a process that is killed between debit and correction leaves the worst case taken', async () => {
  const doomed = spender('100', '1', 'hold')
  await once(doomed.stdout, 'data')
  const ended = once(doomed, 'exit')
  doomed.kill('SIGKILL')
  await ended
  using spend = openSpend(file, NOW)
  expect(spend.ofDay('2026-11-30')).toMatchObject({ cost: 1n, calls: 1 })
  expect(spend.debit(DEBIT, 60n)).toBeUndefined()
})
