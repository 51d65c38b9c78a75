import { expect, test } from 'vitest'
import { CountersignError } from '#core/errors.ts'
import { parseServiceReport } from '#core/service-report.ts'
import { countErrors } from './logger.ts'
import { createReport } from './report.ts'

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
