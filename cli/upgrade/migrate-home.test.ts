import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openJournal } from '#adapters/journal/journal.ts'
import { openSeenMail } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { readHomeRecord, refuseOtherHome } from '#runtime/home-version.ts'
import { VERSION } from '#runtime/version.ts'
import { upgradeHomes } from '#tests/support/upgrade-home.ts'
import { upgradeStores } from '#tests/support/upgrade-stores.ts'
import { openZoneHome, type ZoneHome } from '../zone-home.ts'
import { type Progress, upgradeFiles } from './migrate-home.ts'

const SCRIPT = join(import.meta.dirname, '../../tests/support/upgrade-main.ts')
const BEGUN: Progress = { to: '0.2.0', at: '2026-12-01T00:00:00.000Z', stage: 'stopping', services: [] }
const BROKEN = 'UPDATE nowhere SET a = 1'

let homes: Awaited<ReturnType<typeof upgradeHomes>>
beforeAll(async () => {
  homes = await upgradeHomes()
})
afterAll(() => homes[Symbol.asyncDispose]())
const filledHome = () => homes.next()

async function copyOf(root: string): Promise<string> {
  await cp(root, `${root}-twin`, { recursive: true })
  return `${root}-twin`
}

const filesOf = (home: ZoneHome, journalSql?: string) =>
  upgradeFiles(
    home,
    upgradeStores(() => {}, journalSql),
    '0.2.0',
    Date.now,
  )

/** That the program of now works with all of it, as it was. */
function expectOld(home: ZoneHome) {
  refuseOtherHome(home.state)
  expect(readHomeRecord(home.state)?.program).toBe(VERSION)
  using seen = openSeenMail(join(home.state, 'triage.sqlite'))
  expect(seen.has('a')).toBe(true)
  using journal = openJournal(join(home.state, 'journal.sqlite'), { epoch: 'join' })
  expect(journal.recipients()).toEqual(['you@example.org'])
}

function expectNew(home: ZoneHome) {
  expect(filesOf(home).due()).toEqual([])
  expect(readHomeRecord(home.state)).toMatchObject({ program: '0.2.0' })
  expect(readHomeRecord(home.state)?.unfinished).toBeUndefined()
  expect(() => openSeenMail(join(home.state, 'triage.sqlite'))).toThrow(/newer program/)
  expect(existsSync(join(home.root, 'before-upgrade'))).toBe(false)
}

const code = (code: string) => expect.objectContaining({ code })

test('what is to be migrated is said by file, and nothing is touched by asking', async () => {
  const home = await filledHome()
  const before = readFileSync(join(home.state, 'triage.sqlite'))
  expect(filesOf(home).due()).toEqual([
    { store: 'triage.sqlite', steps: ['remembers subjects', 'calls its messages taken'] },
    { store: 'journal.sqlite', steps: ['notes of intents'] },
  ])
  expect(readFileSync(join(home.state, 'triage.sqlite'))).toEqual(before)
})

test('while a home is migrated nobody else may work on it; afterwards it belongs to the new program', async () => {
  const home = await filledHome()
  const files = filesOf(home)
  files.save(BEGUN)
  const migrated = await files.migrate(BEGUN)
  expect(migrated.map(({ store }) => store)).toEqual(['triage.sqlite', 'journal.sqlite'])
  expect(() => refuseOtherHome(home.state)).toThrow(code('ERR_STATE_OUTDATED'))
  expect(files.progress()?.stage).toBe('migrated')
  files.release()
  files.finish()
  expectNew(home)
})

test('a step that fails puts every file back, those that were migrated before it, too', async () => {
  const home = await filledHome()
  const files = filesOf(home, BROKEN)
  files.save(BEGUN)
  await expect(files.migrate(BEGUN)).rejects.toThrow(code('ERR_MIGRATION_FAILED'))
  expectOld(home)
  expect(files.progress()).toBeUndefined()
})

test('a home from before versions were kept is as it was, too, after a step that fails', async () => {
  const home = await filledHome()
  await rm(join(home.state, 'program.json'))
  await expect(filesOf(home, BROKEN).migrate(BEGUN)).rejects.toThrow(code('ERR_MIGRATION_FAILED'))
  expect(readHomeRecord(home.state)).toBeUndefined()
})

test('killed anywhere, it is done by the next run; or all is put back where that one fails', async () => {
  const left: string[] = []
  for (let place = 0; ; place++) {
    const home = await filledHome()
    const script = [SCRIPT, home.root, String(place)]
    const { signal, status, stderr } = spawnSync(process.execPath, script, { encoding: 'utf8' })
    if (signal === null) {
      expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('Error') })
      expectNew(home)
      break
    }
    const stage = filesOf(home).progress()?.stage
    left.push(stage ?? 'forgotten')
    const twin = await openZoneHome(await copyOf(home.root))
    const failing = filesOf(twin, BROKEN)
    if (failing.due().some(({ store }) => store === 'journal.sqlite')) {
      await expect(failing.migrate({ ...BEGUN, stage: stage ?? 'stopping' })).rejects.toThrow(
        code('ERR_MIGRATION_FAILED'),
      )
      expectOld(twin)
    }
    const files = filesOf(home)
    if (stage !== 'migrated') await files.migrate({ ...BEGUN, stage: stage ?? 'stopping' })
    files.release()
    files.finish()
    expectNew(home)
  }
  // When it says that it begins, in triage's seven places and the journal's two, and twice at the end.
  expect(left).toEqual(['stopping', ...Array(9).fill('migrating'), 'migrated', 'migrated'])
}, 120_000)

test('a store that a newer program wrote is refused before anything is touched', async () => {
  const home = await filledHome()
  const files = filesOf(home)
  await files.migrate(BEGUN)
  files.release()
  files.finish()
  expect(() => upgradeFiles(home, { 'triage.sqlite': { first: '', migrations: [] } }, '0.1.0', Date.now).due()).toThrow(
    code('ERR_STATE_NEWER'),
  )
})
