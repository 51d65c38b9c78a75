import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { checkedMemory } from '#adapters/state-files/watch-memory.ts'
import type { Checked } from '#core/dependencies.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { dependencyWatch } from './watch-dependencies.ts'

const AT = '2026-11-30T10:00:00.000Z'
const ENDS = '2026-12-30T10:00:00.000Z'
const checked: Checked[] = [
  { what: 'redis', of: 'drafter', state: 'ok', since: AT },
  { what: 'odoo', of: 'drafter', state: 'bad', since: AT, detail: 'away', next: 'Look.' },
  { what: 'model', of: 'drafter', state: 'unknown', since: AT },
  { what: 'certificate', of: 'mailbox-work', state: 'ok', since: AT, ends: ENDS },
  { what: 'clock', of: 'hub', state: 'bad', since: AT, detail: 'ahead', skewMs: -61_500, next: 'Set it.' },
]

test('what the zone works with is told as metrics, and known again after a restart', async () => {
  const root = await mkdtemp(join(tmpdir(), 'dependencies-'))
  onTestFinished(() => rm(root, { recursive: true }))
  const memory = checkedMemory(root)
  const metrics = createMetrics({ service: 'health', zone: 'cloud', version: '0' })
  const watch = dependencyWatch({ memory, metrics, before: await memory.load() })
  await watch.look(checked)
  expect(watch.known()).toEqual(checked)
  expect(await memory.load()).toEqual(checked)
  const exposed = await metrics.expose()
  for (const line of [
    'countersign_dependency_up{dependency="redis",of="drafter",service="health",zone="cloud"} 1',
    'countersign_dependency_up{dependency="odoo",of="drafter",service="health",zone="cloud"} 0',
    `countersign_certificate_expiry_timestamp_seconds{of="mailbox-work",service="health",zone="cloud"} ${Date.parse(ENDS) / 1000}`,
    'countersign_clock_skew_seconds{of="hub",service="health",zone="cloud"} -61.5',
  ])
    expect(exposed).toContain(`${line}\n`)
  expect(exposed).not.toMatch(/dependency_up\{dependency="model"/)
})

test('it is written down when something changes, and not at each look', async () => {
  let saves = 0
  const metrics = { set: () => {} }
  const watch = dependencyWatch({ memory: { save: async () => void saves++ }, metrics, before: [] })
  await watch.look(checked)
  await watch.look(checked.map((one) => ({ ...one, ...(one.detail && { detail: `${one.detail} still` }) })))
  expect(saves).toBe(1)
})
