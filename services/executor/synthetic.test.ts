import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createMetrics } from '#runtime/metrics.ts'
import { executeSynthetic, tryOut } from './main-synthetic.ts'

const stateFolder = () => {
  const state = mkdtempSync(join(tmpdir(), 'synthetic-'))
  onTestFinished(() => rmSync(state, { recursive: true }))
  return state
}

test('a synthetic approval goes the whole way: shown, frozen, countersigned, done once, filed', async () => {
  const state = stateFolder()
  await executeSynthetic({ state, agent: 'laptop' })
  const root = join(state, 'synthetic', 'action')
  const [ledger = ''] = readdirSync(join(root, 'vault/Logs/laptop')).map((name) =>
    readFileSync(join(root, 'vault/Logs/laptop', name), 'utf8'),
  )
  const types = ledger
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type)
  expect(types).toEqual(['draft.presented', 'task.approved', 'execution.intended', 'execution.done'])
  const [month = ''] = readdirSync(join(root, 'vault/Done'))
  expect(readdirSync(join(root, 'vault/Done', month))).toHaveLength(1)
})

test('one that was not handed over once, whatever its file says, is told', async () => {
  const accepts = async () => ({ kind: 'accepted', response: '250', refusedRecipients: [] }) as const
  const mail = { verify: async () => {}, send: accepts, has: async () => false, append: async () => {}, taken: 2 }
  await expect(executeSynthetic({ state: stateFolder(), agent: 'local' }, mail)).rejects.toThrow('sent 2 times')
  const refuses = async () => ({ kind: 'refused', response: '550 no' }) as never
  await expect(
    executeSynthetic({ state: stateFolder(), agent: 'local' }, { ...mail, send: refuses, taken: 1 }),
  ).rejects.toThrow('stands in')
})

test('each leaves no more behind than the one before, and all of it in its own folder', async () => {
  const state = stateFolder()
  const files = () => readdirSync(state, { recursive: true, encoding: 'utf8' }).length
  await executeSynthetic({ state, agent: 'local' })
  const once = files()
  await executeSynthetic({ state, agent: 'local' })
  expect(files()).toBe(once)
  expect(readdirSync(state)).toEqual(['synthetic'])
})

test('its age is told: from the start until one comes through, and anew with each; a failure is said', async () => {
  const state = stateFolder()
  const metrics = createMetrics({ service: 'executor', zone: 'local', version: '0' }, () => Date.now() + 100_000)
  const warned: string[] = []
  const log = { debug() {}, info() {}, error() {}, warn: (fields: object) => void warned.push(JSON.stringify(fields)) }
  const age = async () =>
    Number(/countersign_synthetic_age_seconds\{[^}]*\} ([\d.]+)/.exec(await metrics.expose())?.[1])
  const work = tryOut({ state, agent: 'local' }, { metrics, log })
  expect(await age()).toBeGreaterThanOrEqual(100)
  await work()
  expect(warned).toEqual([])
  expect(existsSync(join(state, 'synthetic'))).toBe(true)
  // Once a minute, however often the queue's canary comes.
  rmSync(join(state, 'synthetic'), { recursive: true })
  await work()
  expect(existsSync(join(state, 'synthetic'))).toBe(false)
  await tryOut({ state: '/dev/null/nowhere', agent: 'local' }, { metrics, log })()
  expect(warned).toEqual([expect.stringContaining('ENOTDIR')])
})
