import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { verifyChain } from '#core/ledger.ts'
import { openLedger } from './ledger-fs.ts'

const DAY = '2026-11-20'

function scratch() {
  const home = mkdtempSync(join(tmpdir(), 'ledger-over-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  let now = Date.parse(`${DAY}T10:00:00Z`)
  const logs = join(home, 'vault/Logs/local')
  return {
    home,
    open: () =>
      openLedger({
        ...{ vaultRoot: join(home, 'vault'), stateDir: join(home, 'state'), agent: 'local' },
        clock: { now: () => (now += 1_000) },
      }),
    toDay: (day: string) => {
      now = Date.parse(`${day}T10:00:00Z`)
    },
    days: () => readdirSync(logs).map((name) => ({ name, text: readFileSync(join(logs, name), 'utf8') })),
    keep: () => cpSync(home, join(home, `../kept-${home.split('-').at(-1)}`), { recursive: true }),
    setBack: () => {
      const kept = join(home, `../kept-${home.split('-').at(-1)}`)
      rmSync(home, { recursive: true })
      cpSync(kept, home, { recursive: true })
      rmSync(kept, { recursive: true })
    },
    report: () =>
      verifyChain(
        'local',
        readdirSync(logs)
          .sort()
          .map((name) => ({ name, text: readFileSync(join(logs, name), 'utf8') })),
      ),
  }
}

test('a machine that was set back takes its newer ledger over, and what it wrote since comes behind it', async () => {
  const zone = scratch()
  {
    using ledger = zone.open()
    await ledger.append('task.created', { data: { n: 1 } })
    zone.keep()
    await ledger.append('execution.done', { data: { n: 2 } })
    zone.toDay('2026-11-21')
    await ledger.append('task.rejected', { data: { n: 3 } })
  }
  const atHub = zone.days()
  zone.setBack()
  zone.toDay('2026-11-22')
  using ledger = zone.open()
  await ledger.append('machine.restored', { data: { n: 4 } })
  await ledger.append('ledger.checkpoint', { data: { agent: 'local', seq: 2, hash: 'x', sig: 'y' } })
  const told: string[] = []
  expect(await ledger.takeOver(atHub, () => told.push('before'))).toBe(true)
  expect(told).toEqual(['before'])
  await ledger.append('task.approved', { data: { n: 5 } })
  const { faults, entries } = zone.report()
  expect(faults).toEqual([])
  expect(entries.map(({ data }) => data?.n)).toEqual([1, 2, 3, 4, 5])
  // Once it is here it is no news.
  expect(await ledger.takeOver(atHub, () => told.push('again'))).toBe(false)
  expect(told).toEqual(['before'])
})

test('a ledger that began anew comes behind the one that the hub has', async () => {
  const zone = scratch()
  {
    using ledger = zone.open()
    await ledger.append('task.created', { data: { n: 1 } })
  }
  const atHub = zone.days()
  rmSync(zone.home, { recursive: true })
  using ledger = zone.open()
  await ledger.append('file.refused', { data: { n: 2 } })
  expect(await ledger.takeOver(atHub, () => {})).toBe(true)
  expect(zone.report()).toMatchObject({ faults: [], head: { seq: 2 } })
})

test('a ledger that is ahead of the hub stays as it is', async () => {
  const zone = scratch()
  using ledger = zone.open()
  await ledger.append('task.created')
  const atHub = zone.days()
  await ledger.append('task.approved')
  const before = zone.days()
  expect(await ledger.takeOver(atHub, () => expect.unreachable())).toBe(false)
  expect(zone.days()).toEqual(before)
})
