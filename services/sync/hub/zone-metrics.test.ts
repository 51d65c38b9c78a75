import { expect, test } from 'vitest'
import type { Heartbeat } from '#core/heartbeat.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { zoneMetrics } from './zone-metrics.ts'

const NONE = { done: 0, refused: 0, failed: 0, unknown: 0, cancelled: 0 }
const beat = (executions: object, change: Partial<Heartbeat> = {}): Heartbeat => ({
  ...{
    schema: 1,
    agent: 'local',
    zone: 'local',
    at: '2026-11-30T10:00:00Z',
    health: 'degraded',
    problems: 1,
    services: [],
  },
  waiting: { needs_action: 1, in_progress: 0, pending: 3, approved: 2, conflicts: 4 },
  numbers: { executions: { ...NONE, ...executions }, duplicates: 0, oldest_approved_s: 7 },
  ...change,
})

const told = () => {
  const metrics = createMetrics({ service: 'sync', zone: 'cloud', version: '0' })
  const tell = zoneMetrics(metrics)
  const value = async (series: string) => {
    const line = (await metrics.expose()).split('\n').find((one) => one.startsWith(`${series},service`))
    return line === undefined ? undefined : Number(line.split(' ').at(-1))
  }
  return { tell, value }
}

test('the other zone is shown as its last heartbeat said', async () => {
  const { tell, value } = told()
  tell([beat({})])
  expect(await value('countersign_zone_health{of="local"')).toBe(1)
  expect(await value('countersign_zone_tasks{of="local",state="pending"')).toBe(3)
  expect(await value('countersign_zone_tasks{of="local",state="conflicts"')).toBe(4)
  expect(await value('countersign_zone_oldest_approved_seconds{of="local"')).toBe(7)
})

test('executions count up from where they were first heard, and over a restart of the executor there', async () => {
  const { tell, value } = told()
  const done = () => value('countersign_zone_executions_total{of="local",outcome="done"')
  tell([beat({ done: 40 })])
  expect(await done()).toBe(0)
  tell([beat({ done: 42 })])
  tell([beat({ done: 42 })])
  expect(await done()).toBe(2)
  tell([beat({ done: 1, unknown: 1 })])
  expect(await done()).toBe(3)
  expect(await value('countersign_zone_executions_total{of="local",outcome="unknown"')).toBe(1)
})

test('a silent health service is said to be silent, and what waited there stays as it was', async () => {
  const { tell, value } = told()
  tell([beat({})])
  const { numbers: _none, ...silent } = beat({}, { health: 'unknown', waiting: { ...beat({}).waiting, pending: 0 } })
  tell([silent])
  expect(await value('countersign_zone_health{of="local"')).toBe(3)
  expect(await value('countersign_zone_tasks{of="local",state="pending"')).toBe(3)
})
