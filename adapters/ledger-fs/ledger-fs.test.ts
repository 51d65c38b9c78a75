import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { verifyChain } from '#core/ledger.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { openLedger } from './ledger-fs.ts'

let home: string
const clock = { now: () => Date.parse('2026-11-20T10:00:00Z') }
const file = () => join(home, 'vault/Logs/cloud/2026-11-20.jsonl')
const open = (at = clock) =>
  openLedger({ vaultRoot: join(home, 'vault'), stateDir: join(home, 'state'), agent: 'cloud', clock: at })
const report = (...names: string[]) =>
  verifyChain(
    'cloud',
    (names.length ? names : ['2026-11-20.jsonl']).map((name) => ({
      name,
      text: readFileSync(join(home, 'vault/Logs/cloud', name), 'utf8'),
    })),
  )

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ledger-'))
})
afterEach(() => rmSync(home, { recursive: true }))

test('chains entries over days and re-opens', async () => {
  {
    using ledger = open()
    await ledger.append('task.created', { data: { subject_length: 3 } })
    await ledger.append('mail.skipped')
  }
  using ledger = open({ now: () => Date.parse('2026-11-21T00:00:01Z') })
  await ledger.append('task.claimed')
  const all = report('2026-11-20.jsonl', '2026-11-21.jsonl')
  expect(all.faults).toEqual([])
  expect(all.head?.seq).toBe(3)
  expect(ledger.head()?.seq).toBe(3)
})

test('a clock that was set back keeps the chain in order', async () => {
  using ledger = open()
  await ledger.append('task.created')
  using late = open({ now: () => Date.parse('2026-11-19T10:00:00Z') })
  await late.append('task.claimed')
  expect(report().faults).toEqual([])
})

test('cuts off a torn line and goes on', async () => {
  using ledger = open()
  await ledger.append('task.created')
  appendFileSync(file(), '{"seq":2,"at":"2026-')
  await ledger.append('task.claimed')
  expect(report()).toMatchObject({ faults: [], head: { seq: 2 } })
})

test('adopts the one entry that a crash left unremembered', async () => {
  using ledger = open()
  await ledger.append('task.created')
  const before = readFileSync(file(), 'utf8')
  await ledger.append('task.claimed')
  const both = readFileSync(file(), 'utf8')
  rmSync(join(home, 'state'), { recursive: true })
  writeFileSync(file(), before)
  using other = open()
  await other.append('mail.skipped')
  // The head now is another entry 2: the old entry 2 is refused, since it does not follow what is remembered.
  writeFileSync(file(), both)
  await expect(other.append('task.drafted')).rejects.toMatchObject({ code: 'ERR_LEDGER_BROKEN' })
})

test('refuses to go on after a cut tail', async () => {
  using ledger = open()
  await ledger.append('task.created')
  const before = readFileSync(file(), 'utf8')
  await ledger.append('task.claimed')
  await ledger.append('task.drafted')
  writeFileSync(file(), before)
  await expect(ledger.append('task.returned')).rejects.toMatchObject({ code: 'ERR_LEDGER_BROKEN' })
})

test('keeps one chain when several processes write at once', async () => {
  const code = `
    import { openLedger } from '${join(import.meta.dirname, 'ledger-fs.ts')}'
    using ledger = openLedger({ vaultRoot: process.argv[1] + '/vault', stateDir: process.argv[1] + '/state', agent: 'cloud', clock: { now: () => ${clock.now()} } })
    for (let i = 0; i < 25; i++) await ledger.append('mail.skipped', { data: { pid: process.pid } })`
  const writers = [1, 2, 3].map(() =>
    spawn(process.execPath, ['--input-type=module-typescript', '-e', code, home], { stdio: 'inherit' }),
  )
  const ends = await Promise.all(writers.map((writer) => once(writer, 'exit')))
  expect(ends.map(([exitCode]) => exitCode)).toEqual([0, 0, 0])
  expect(report()).toMatchObject({ faults: [], head: { seq: 75 } })
})

test('tells of each entry, and of none that was not written', async () => {
  const metrics = createMetrics({ service: 'triage', zone: 'cloud', version: '0' })
  using ledger = openLedger({
    ...{ vaultRoot: join(home, 'vault'), stateDir: join(home, 'state'), agent: 'cloud', clock },
    metrics,
  })
  await ledger.append('task.created')
  rmSync(join(home, 'vault/Logs/cloud'), { recursive: true })
  await expect(ledger.append('task.claimed')).rejects.toThrow()
  const text = await metrics.expose()
  expect(text).toMatch(/^countersign_ledger_entries_total\{.*type="task\.created".*\} 1$/m)
  expect(text).not.toMatch(/type="task\.claimed"/)
  expect(text).toMatch(/^countersign_ledger_append_seconds_count\{.*\} 1$/m)
})
