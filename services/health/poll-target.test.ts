import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { HealthState } from '#runtime/health-state.ts'
import { createHttp, listen } from '#runtime/http.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { createReport } from '#runtime/report.ts'
import { pollTarget } from './poll-target.ts'

const metrics = createMetrics({ service: 'drafter', zone: 'cloud', version: '0' })
const NOTHING = { dependencies: [], ends: [], clocks: [], errors: [] }

async function serving(health: HealthState, documents = new Map<string, () => unknown>()) {
  const server = await listen(createHttp(health, metrics, documents), '127.0.0.1', 0)
  onTestFinished(() => server[Symbol.asyncDispose]())
  return { name: 'drafter', url: `http://127.0.0.1:${server.port}` }
}

test('a service is asked how it is, what it lacks, and what it works with', async () => {
  const health = new HealthState()
  health.state = 'ready'
  health.addCheck('redis', () => 'no answer')
  health.addCheck('skills', () => true)
  const report = createReport()
  report.depends('odoo', true)
  const polled = await pollTarget(await serving(health, new Map([['/report', report.make]])))
  expect(polled).toEqual({
    status: { name: 'drafter', live: true, ready: false, detail: 'redis: no answer' },
    look: {
      name: 'drafter',
      checks: { redis: { ok: false, detail: 'no answer' }, skills: { ok: true, detail: '' } },
      report: { ...NOTHING, dependencies: [{ name: 'odoo', state: 'ok' }] },
    },
  })
})

test('one that tells nothing of what it works with is judged by its readiness', async () => {
  const health = new HealthState()
  health.state = 'ready'
  expect(await pollTarget(await serving(health))).toEqual({
    status: { name: 'drafter', live: true, ready: true },
    look: { name: 'drafter', checks: {}, report: NOTHING },
  })
})

test('no answer is an answer', async () => {
  const polled = await pollTarget({ name: 'drafter', url: 'http://127.0.0.1:2' })
  expect(polled.status).toEqual({ name: 'drafter', live: false, ready: false, detail: 'ECONNREFUSED' })
})

test('one that takes the call and says nothing is told in words', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const polled = await pollTarget({ name: 'drafter', url: `http://127.0.0.1:${port}` })
  expect(polled.status).toMatchObject({ live: false, detail: 'no answer within 2500 ms' })
})

test('of several replicas the service is as its best one', async () => {
  const health = new HealthState()
  health.state = 'ready'
  const { name, url } = await serving(health)
  const several = url.replace('127.0.0.1', 'drafter')
  const nobody = '127.0.0.9'
  const polled = await pollTarget({ name, url: several }, async () => [nobody, '127.0.0.1'])
  expect(polled.status).toEqual({ name, live: true, ready: true })
  health.state = 'starting'
  const starting = await pollTarget({ name, url: several }, async () => [nobody, '127.0.0.1'])
  expect(starting.status).toMatchObject({ live: true, ready: false })
  const none = await pollTarget({ name, url: several }, async () => [nobody, '127.0.0.8'])
  expect(none.status).toMatchObject({ live: false, ready: false, detail: 'ECONNREFUSED' })
})
