import { expect, test } from 'vitest'
import { CountersignError } from '#core/errors.ts'
import { parseServiceReport } from '#core/service-report.ts'
import { countErrors } from './logger.ts'
import { createMetrics } from './metrics.ts'
import { createReport, numbersOf } from './report.ts'

const NOW = Date.parse('2026-11-30T10:00:00Z')
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

test('a report tells the last word on each thing, and its reader takes it whole', () => {
  const report = createReport(() => NOW)
  report.depends('model', undefined)
  report.depends('model', 'x'.repeat(1_000))
  report.ends('certificate', 'mailbox-work', NOW)
  report.clock('hub', -3.4, 990.2)
  report.error('ERR_MAIL_AUTH')
  report.error('ERR_UNEXPECTED')
  report.error('ERR_MAIL_AUTH')
  const made = report.make()
  expect(made).toMatchObject({
    dependencies: [{ name: 'model', state: 'bad' }],
    clocks: [{ of: 'hub', leastMs: -3, mostMs: 990 }],
    errors: [
      { code: 'ERR_MAIL_AUTH', count: 2 },
      { code: 'ERR_UNEXPECTED', count: 1 },
    ],
  })
  expect(parseServiceReport(JSON.stringify(made))).toEqual(made)
})

test('the executor’s numbers are those of its metrics, and no other service has any', async () => {
  const metrics = createMetrics({ service: 'executor', zone: 'local', version: '0' }, () => NOW)
  expect(await numbersOf(metrics)).toBeUndefined()
  metrics.since('countersign_task_oldest_age_seconds', NOW - 7_000, { state: 'approved' })
  metrics.count('countersign_executions_total', { tool: 'email.send_email', outcome: 'done' })
  metrics.count('countersign_executions_total', { tool: 'social.publish_post', outcome: 'done' }, 2)
  metrics.count('countersign_executions_total', { tool: 'email.send_email', outcome: 'unknown' })
  metrics.count('countersign_duplicates_prevented_total', { how: 'found' })
  const numbers = await numbersOf(metrics)
  expect(numbers).toEqual({
    executions: { done: 3, refused: 0, failed: 0, unknown: 1, cancelled: 0 },
    ...{ duplicates: 1, oldest_approved_s: 7 },
  })
  const made = { ...createReport().make(), numbers }
  expect(parseServiceReport(JSON.stringify(made))).toEqual(made)
})

test('every error is counted by its code where it is logged, and an expected fault of a vendor is none', () => {
  const codes: string[] = []
  const log = countErrors(silent, (code) => void codes.push(code))
  log.warn({ err: new CountersignError('ERR_HUB_UNREACHABLE', 'x') }, 'x')
  log.error({ err: new CountersignError('ERR_MAIL_AUTH', 'x') }, 'x')
  log.error({ err: new TypeError('x') }, 'x')
  log.warn({ err: new TypeError('connection lost') }, 'x')
  log.error({}, 'x')
  log.info({ err: new CountersignError('ERR_MAIL_AUTH', 'x') }, 'x')
  expect(codes).toEqual(['ERR_HUB_UNREACHABLE', 'ERR_MAIL_AUTH', 'ERR_UNEXPECTED'])
})
