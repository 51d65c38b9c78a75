import { afterEach, beforeEach, expect, test } from 'vitest'
import { createMetrics } from '#runtime/metrics.ts'
import { type Executor, type ExecutorHome, makeHome, moveToApproved, whereIs } from '#tests/support/executor.ts'

let home: ExecutorHome
let executor: Executor
const metrics = createMetrics({ service: 'executor', zone: 'local', version: '0' }, () => home.now)

beforeEach(async () => {
  home = await makeHome()
  executor = await home.start(undefined, { metrics })
})
afterEach(async () => {
  await executor[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

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
