import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { watchMemory } from '#adapters/state-files/watch-memory.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import type { ServiceStatus } from '#core/status.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { watchComponents } from './watch-components.ts'

const START = Date.parse('2026-11-30T10:00:00Z')
const DRAFTER = { name: 'drafter', live: false, ready: false, detail: 'ECONNREFUSED' }
let root: string
let boots: number
let at: number

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'health-'))
  onTestFinished(() => rm(root, { recursive: true }))
  ;[boots, at] = [1, START]
})

const later = (ms: number) => {
  at += ms
  return at
}
const metrics = createMetrics({ service: 'health', zone: 'cloud', version: '0' })
const started = async () =>
  watchComponents({
    ...{ agent: 'cloud', metrics, log: { info: () => {}, warn: () => {} }, memory: watchMemory(root) },
    vault: await openVault(root, { isReader: true }),
    boots: () => boots,
  })
const notes = async () => {
  const folder = join(root, 'Updates/cloud')
  const names = await readdir(folder).catch(() => [])
  return Promise.all(names.sort().map((name) => readFile(join(folder, name), 'utf8')))
}
const up = { ...DRAFTER, live: true, ready: true } satisfies ServiceStatus

test('a service that keeps failing is told once, also when health itself is restarted, and once that it is back', async () => {
  const first = await started()
  for (boots = 1; boots <= 9; boots++) await first.look([DRAFTER], later(2_000))
  expect(await notes()).toEqual([
    'drafter keeps failing: 3 restarts did not help. It says: ECONNREFUSED. It is tried further; `docker compose logs drafter` says more.\n',
  ])
  const second = await started()
  await second.look([DRAFTER], later(2_000))
  await second.look([up], later(2_000))
  expect(await notes()).toHaveLength(1)
  boots = 0
  await second.look([up], later(60_000))
  await second.look([up], later(2_000))
  expect((await notes()).filter((note) => note === 'drafter is back and has stayed up.\n')).toHaveLength(1)
  expect(await notes()).toHaveLength(2)
})

test('who dies between the note and the memory of it writes the same note again', async () => {
  const dies = async () => {
    throw new Error('died')
  }
  const memory = { ...watchMemory(root), save: dies }
  boots = 4
  for (let times = 0; times < 2; times++) {
    const watch = await watchComponents({
      ...{ agent: 'cloud', metrics, log: { info: () => {}, warn: () => {} }, memory },
      vault: await openVault(root, { isReader: true }),
      boots: () => boots,
    })
    await expect(watch.look([DRAFTER], START)).rejects.toThrow('died')
  }
  expect(await notes()).toHaveLength(1)
})

test('a damaged memory is an empty one', async () => {
  await watchMemory(root).save({ drafter: { downSince: null, silentSince: null, isTold: true } })
  await writeFile(join(root, 'health.json'), '{"drafter":{"isTold":"yes"}}')
  expect(await watchMemory(root).load()).toEqual({})
})

test('tells what it sees as numbers', async () => {
  const watch = await started()
  boots = 3
  await watch.look([DRAFTER, { ...up, name: 'sync' }], START)
  const told = await metrics.expose()
  expect(told).toMatch(/countersign_component_failed_restarts\{.*component="drafter".*\} 2/)
  expect(told).toMatch(/countersign_component_ready\{.*component="sync".*\} 1/)
  boots = 0
  await watch.look([up], START + 9_000)
  expect(await metrics.expose()).toMatch(/countersign_component_recovery_seconds_bucket\{.*le="10".*\} 1/)
})
