import { afterEach, beforeEach, expect, test } from 'vitest'
import { vaultPath } from '#core/vault-path.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { type Executor, type ExecutorHome, makeHome, moveToApproved, whereIs } from '#tests/support/executor.ts'

let home: ExecutorHome
let executor: Executor
const metrics = createMetrics({ service: 'executor', zone: 'local', version: '0' }, () => home.now)

beforeEach(async () => {
  home = await makeHome()
  executor = await home.start(undefined, { metrics })
})
afterEach(() => home[Symbol.asyncDispose]())

const value = async (series: RegExp) => Number(series.exec(await metrics.expose())?.[1])

test('what was done counts by its tool, with the time since the undo window ended', async () => {
  const { fileName } = await home.put('Pending_Approval/email')
  await executor.pass()
  await moveToApproved(home, fileName)
  await executor.pass()
  expect(await whereIs(home, fileName)).toMatch(/^Done/)
  expect(await value(/^countersign_executions_total\{tool="email.send_email",outcome="done",.*\} (.*)$/m)).toBe(1)
  expect(await value(/^countersign_approval_to_execution_seconds_count\{.*\} (.*)$/m)).toBe(1)
  expect(await value(/^countersign_approval_to_execution_seconds_sum\{.*\} (.*)$/m)).toBe(0)
})

test('what was approved without having been shown counts by the rule', async () => {
  const { fileName } = await home.put('Approved')
  await executor.pass()
  expect(await whereIs(home, fileName)).toBe('Pending_Approval/email')
  expect(await value(/^countersign_returns_total\{rule="not-presented",.*\} (.*)$/m)).toBe(1)
})

test('what waits by a rule of the person’s is measured from the end of that wait', async () => {
  const metrics = createMetrics({ service: 'executor', zone: 'local', version: '0' }, () => home.now)
  await executor[Symbol.asyncDispose]()
  executor = await home.start(undefined, { metrics })
  await home.vault.replace(vaultPath('Company_Handbook.md'), '## Rules\n\n- At most 1 mail per hour\n')
  const drafts = [await home.put('Pending_Approval/email'), await home.put('Pending_Approval/email')]
  await executor.pass()
  for (const { fileName } of drafts) await moveToApproved(home, fileName)
  await executor.pass()
  home.now += 3_600_000
  await executor.pass()
  expect(home.mail.delivered).toHaveLength(2)
  const exposed = await metrics.expose()
  expect(/^countersign_approval_to_execution_seconds_count\{.*\} (.*)$/m.exec(exposed)?.[1]).toBe('2')
  expect(/^countersign_approval_to_execution_seconds_sum\{.*\} (.*)$/m.exec(exposed)?.[1]).toBe('0')
})
