import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { canaryText, readCanary } from '#core/canary.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { canaries } from './canary.ts'

const START = Date.parse('2026-11-30T10:00:00Z')
const HOUR = 3_600_000
let root: string
let now: number
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'canary-'))
  onTestFinished(() => rm(root, { recursive: true }))
  now = START
})

const later = (ms: number) => {
  now += ms
  return now
}
const metrics = () => createMetrics({ service: 'health', zone: 'cloud', version: '0' }, () => now)
const flown = () => readdir(join(root, 'Updates/cloud')).catch(() => [])
const arrives = async () => {
  for (const name of await flown()) await rm(join(root, 'Updates/cloud', name))
}

test('one flies at once, the next an hour later, and never two at a time', async () => {
  const told = metrics()
  const look = await canaries({ agent: 'cloud', vault: await openVault(root), metrics: told }, now)
  await look(now)
  await look(later(HOUR * 5))
  const [name = ''] = await flown()
  expect(await flown()).toHaveLength(1)
  expect(readCanary(await readFile(join(root, 'Updates/cloud', name), 'utf8'))).toEqual({
    agent: 'cloud',
    sentAt: START,
  })
  expect(await told.expose()).toMatch(/countersign_canary_age_seconds\{[^}]*\} 18000/)
  await arrives()
  await look(later(2_000))
  expect(await flown()).toHaveLength(1)
  expect(await told.expose()).toMatch(/countersign_canary_age_seconds\{[^}]*\} 0/)
  await arrives()
  await look(later(2_000))
  await look(later(HOUR - 2_001))
  expect(await flown()).toHaveLength(0)
  await look(later(1))
  expect(await flown()).toHaveLength(1)
})

test('a restart sends no second one, and sees the first come back', async () => {
  const vault = await openVault(root)
  await (await canaries({ agent: 'cloud', vault, metrics: metrics() }, now))(now)
  now += 60_000
  const told = metrics()
  const look = await canaries({ agent: 'cloud', vault, metrics: told }, now)
  await look(now)
  expect(await flown()).toHaveLength(1)
  await arrives()
  await look(now)
  expect(await told.expose()).toMatch(/countersign_canary_round_seconds_bucket\{[^}]*le="60"[^}]*\} 1/)
})

test.each([
  'Canary of cloud, sent yesterday.\n',
  canaryText({ agent: 'Cloud', sentAt: START }),
  `${canaryText({ agent: 'cloud', sentAt: START })}More.\n`,
])('no canary: %j', (text) => {
  expect(readCanary(text)).toBeUndefined()
})
