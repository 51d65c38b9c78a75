import { afterAll, beforeAll, expect, test } from 'vitest'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import { readHomeRecord, refuseOtherHome } from '#runtime/home-version.ts'
import { VERSION } from '#runtime/version.ts'
import { upgradeHomes } from '#tests/support/upgrade-home.ts'
import { upgradeStores } from '#tests/support/upgrade-stores.ts'
import { upgradeFiles } from './migrate-home.ts'
import { runUpgrade, type UpgradeDeps } from './run-upgrade.ts'

let homes: Awaited<ReturnType<typeof upgradeHomes>>
beforeAll(async () => {
  homes = await upgradeHomes()
})
afterAll(() => homes[Symbol.asyncDispose]())

const SNAPSHOT = '4f2a91c0'.repeat(8)
const failing = () => {
  throw new CountersignError('ERR_UPGRADE_FAILED', 'as the test wants it')
}

/** A zone of which the machine is told here; `did` is what was asked of it, and of the others, in order. */
async function world(change: Partial<UpgradeDeps> = {}, journalSql?: string) {
  const home = await homes.next()
  const did: string[] = []
  let nowMs = Date.parse('2026-12-01T00:00:00Z')
  const machine = {
    broken: '',
    services: 'health sync executor ',
    async ask(word: string, args: readonly string[] = []) {
      did.push([word, ...args].join(' '))
      if (word === machine.broken) failing()
      if (word === 'services') return machine.services
      return word === 'backup' ? `building\n{"snapshot":"${SNAPSHOT}"}` : word === 'command' ? 'docker compose' : ''
    },
  }
  const files = upgradeFiles(
    home,
    upgradeStores(() => {}, journalSql),
    '0.2.0',
    () => nowMs,
  )
  const deps: UpgradeDeps = {
    ...{ zone: 'local', from: VERSION, to: '0.2.0', machine, files, hasTarget: false },
    clock: { now: () => nowMs },
    backUp: async () => {
      did.push('backup here')
      return SNAPSHOT
    },
    signOfUse: async () => void did.push(`in use? ${files.due().length}`),
    complete: async () => {
      did.push('init')
      return ['made something']
    },
    unwell: async () => [],
    doctor: async () => [],
    say: () => {},
    delay: async (ms) => {
      nowMs += ms
    },
    signal: new AbortController().signal,
    ...change,
  }
  const upgrade = (withBackup = true) => runUpgrade(deps, withBackup)
  return { home, did, deps, machine, files, upgrade, elapsed: () => nowMs }
}

const said = (error: unknown) => (error instanceof Error ? error.message : String(error))
const fails = (act: Promise<unknown>) => act.then(() => expect.unreachable(), said)

test('first the images and a backup while the zone runs, then it stops, is migrated and completed, and starts again', async () => {
  const { did, upgrade, home, files } = await world()
  const outcome = await upgrade()
  expect(did).toEqual([
    ...['services', 'prepare', 'backup', 'command', 'stop', 'in use? 2', 'init'],
    'start health sync executor',
  ])
  expect(outcome).toMatchObject({ backup: SNAPSHOT, started: true, made: ['made something'] })
  expect(outcome.migrated).toEqual([
    'triage.sqlite: remembers subjects; calls its messages taken',
    'journal.sqlite: notes of intents',
  ])
  expect(readHomeRecord(home.state)).toMatchObject({ program: '0.2.0' })
  expect(files.progress()).toBeUndefined()
})

test('without a backup nothing is stopped and nothing changed, unless it is said that none is wanted', async () => {
  const { machine, did, upgrade, home } = await world()
  machine.broken = 'backup'
  const text = await fails(upgrade())
  expect(text).toMatch(/no backup could be made: .* --without-backup\. Nothing was changed/)
  expect(did).toEqual(['services', 'prepare', 'backup'])
  refuseOtherHome(home.state)
  expect(readHomeRecord(home.state)?.program).toBe(VERSION)
  const outcome = await upgrade(false)
  expect(outcome.backup).toBeUndefined()
  expect(did.filter((word) => word.startsWith('backup'))).toHaveLength(1)
})

test('images that cannot be built leave the zone running', async () => {
  const { machine, did, upgrade } = await world()
  machine.broken = 'prepare'
  expect(await fails(upgrade())).toContain('Nothing was changed: the zone is as it was.')
  expect(did).toEqual(['services', 'prepare'])
})

test('a zone that something still uses is not migrated', async () => {
  const { did, upgrade, home, files, elapsed } = await world({ signOfUse: async () => 'another process has it open' })
  const begun = elapsed()
  const text = await fails(upgrade())
  expect(text).toMatch(
    /does not stop: another process has it open\. The zone is stopped, and nothing of it was changed/,
  )
  expect(text).toContain('docker compose start')
  expect(elapsed() - begun).toBeGreaterThan(60_000)
  expect(did).not.toContain('init')
  expect(files.due()).toHaveLength(2)
  refuseOtherHome(home.state)
})

test('a migration that fails says that all stands as before, and how to start that', async () => {
  const { did, upgrade, home } = await world({}, 'UPDATE nowhere SET a = 1')
  const text = await fails(upgrade())
  expect(text).toMatch(/no such table: nowhere\. All files stand as before\. To go back: `git checkout v0\.1\.0`/)
  expect(did.at(-1)).toBe('in use? 2')
  refuseOtherHome(home.state)
})

test('a zone that does not come up says which backup leads back, and the next run makes no other but starts it', async () => {
  const { did, machine, upgrade } = await world()
  machine.broken = 'start'
  const text = await fails(upgrade())
  expect(text).toMatch(/`countersign --zone local restore --snapshot 4f2a91c0`, `git checkout v0\.1\.0`, start it/)
  machine.broken = ''
  did.length = 0
  expect(await upgrade()).toMatchObject({ backup: SNAPSHOT, started: true })
  expect(did).toEqual(['start health sync executor'])
})

test('what was not well before is no fault of the new program, and what became so is', async () => {
  const hub = { name: 'sync', why: 'the hub is away' }
  const executor = { name: 'executor', why: 'ERR_JOURNAL_FAILED' }
  const { upgrade } = await world({ unwell: async () => [hub] })
  expect(await upgrade()).toMatchObject({ started: true })
  let asked = 0
  const other = await world({ unwell: async () => (asked++ === 0 ? [hub] : [hub, executor]) })
  expect(await fails(other.upgrade())).toMatch(/not well: executor: ERR_JOURNAL_FAILED\. Mend what it says/)
})

test('a check of doctor that was good before and is not after is told', async () => {
  let asked = 0
  const git = (result: Finding['result'], found: string): Finding[] => [{ check: 'git', result, found }]
  const { upgrade } = await world({ doctor: async () => (asked++ === 0 ? git('ok', 'there') : git('failed', 'gone')) })
  expect(await fails(upgrade())).toMatch(/it runs, but git: gone\. Mend/)
})

test('interrupted between any two steps, it goes on and ends as it would have', async () => {
  const whole = await world()
  await whole.upgrade()
  for (const [at, word] of whole.did.entries()) {
    const { deps, did, upgrade, home } = await world()
    const stop = new AbortController()
    const push = did.push.bind(did)
    did.push = (...words) => {
      if (did.length === at) stop.abort()
      return push(...words)
    }
    const first = runUpgrade({ ...deps, signal: stop.signal }, true)
    if (at < whole.did.length - 1 && word !== 'command') expect(await fails(first), word).toMatch(/^interrupted\. /)
    await first.catch(() => {})
    await upgrade()
    expect(readHomeRecord(home.state), word).toMatchObject({ program: '0.2.0' })
    refuseOtherHome(home.state)
  }
})

test('a zone that nothing runs, or that has no containers, is migrated and left as it is', async () => {
  const stopped = await world()
  stopped.machine.services = ''
  expect(await stopped.upgrade()).toMatchObject({ started: false })
  expect(stopped.did).toEqual(['services', 'backup', 'command', 'in use? 2', 'init'])
  const plain = await world({ machine: undefined })
  expect(await plain.upgrade()).toMatchObject({ started: false, backup: SNAPSHOT })
  expect(plain.did).toEqual(['backup here', 'in use? 2', 'init'])
})
