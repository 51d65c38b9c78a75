import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readStatus } from '#adapters/state-files/state-files.ts'
import { HealthState } from '#runtime/health-state.ts'
import { createHttp, listen } from '#runtime/http.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { createReport } from '#runtime/report.ts'
import type { HealthConfig } from './config.ts'
import { writeStatus } from './write-status.ts'

const NOW = Date.parse('2026-11-30T10:00:00Z')
const NUMBERS = {
  executions: { done: 3, refused: 0, failed: 0, unknown: 1, cancelled: 0 },
  ...{ duplicates: 0, oldest_approved_s: 2 },
}

test('one document says what is checked, since when it is bad, what to do, and which errors came last', async () => {
  const home = mkdtempSync(join(tmpdir(), 'status-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  const [vault, state] = [join(home, 'vault'), join(home, 'state')]
  for (const folder of [vault, state]) mkdirSync(folder)
  const health = new HealthState()
  health.state = 'ready'
  health.addCheck('redis', () => true)
  const report = createReport(() => NOW)
  report.depends('odoo', 'its database is away')
  report.ends('certificate', 'mailbox', NOW + 86_400_000)
  report.error('ERR_MAIL_AUTH')
  const documents = new Map([['/report', () => ({ ...report.make(), numbers: NUMBERS })]])
  const metrics = createMetrics({ service: 'executor', zone: 'local', version: '0' })
  const { port, ...server } = await listen(createHttp(health, metrics, documents), '127.0.0.1', 0)
  onTestFinished(() => server[Symbol.asyncDispose]())
  const own = createReport(() => NOW - 1_000)
  own.error('ERR_UNEXPECTED')
  const targets = [{ name: 'executor', url: `http://127.0.0.1:${port}` }]
  const config = { vault, state, zone: 'local', agent: 'local', targets } as unknown as HealthConfig
  const first = await writeStatus(config, { checked: [], own: own.make() }, NOW)
  const status = await writeStatus(config, { checked: first.checked ?? [], own: own.make() }, NOW + 60_000)
  expect(await readStatus(state)).toEqual(status)
  expect(status.health).toBe('degraded')
  expect(status.problems).toEqual([
    'Odoo (executor), since 2026-11-30 10:00Z: its database is away. Look at Odoo and its database; drafts of invoices wait for it.',
    expect.stringMatching(/^the certificate of mailbox, since 2026-11-30 10:00Z: it ends 2026-12-01 10:00Z\. Renew it/),
  ])
  expect(status.checked?.map(({ what, of, state }) => `${what} ${of} ${state}`)).toEqual([
    'redis executor ok',
    'odoo executor bad',
    'certificate mailbox bad',
    'disk vault ok',
    'disk state ok',
  ])
  expect(status.errors).toEqual([
    { code: 'ERR_MAIL_AUTH', component: 'executor', count: 1, at: '2026-11-30T10:00:00.000Z' },
    { code: 'ERR_UNEXPECTED', component: 'health', count: 1, at: '2026-11-30T09:59:59.000Z' },
  ])
  expect(status.numbers).toEqual(NUMBERS)
  // A disk that takes nothing is no fault of the program.
  const full = { ...config, state: '/dev/null/state' }
  await expect(writeStatus(full, { checked: [], own: own.make() }, NOW)).rejects.toMatchObject({
    code: 'ERR_STATE_WRITE_FAILED',
  })
})
