import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openJournal } from '#adapters/journal/journal.ts'
import { openSeenMail } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { readHomeRecord, refuseOtherHome } from '#runtime/home-version.ts'
import { VERSION } from '#runtime/version.ts'
import { upgradeStores } from '#tests/support/upgrade-stores.ts'
import { initZone } from '../init/init-zone.ts'
import { openZoneHome, type ZoneHome } from '../zone-home.ts'
import { type Progress, upgradeFiles } from './migrate-home.ts'

const SCRIPT = join(import.meta.dirname, '../../tests/support/upgrade-main.ts')
const BEGUN: Progress = { to: '0.2.0', at: '2026-12-01T00:00:00.000Z', stage: 'stopping', services: [] }
const BROKEN = 'UPDATE nowhere SET a = 1'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'upgrade-'))
  const { home } = await initZone({ root: join(folder, 'filled'), zone: 'local', settings: {}, secrets: {} })
  using seen = openSeenMail(join(home.state, 'triage.sqlite'))
  seen.add('a', { at: 1 })
  using journal = openJournal(join(home.state, 'journal.sqlite'), { epoch: 'take', now: 1 })
  journal.rememberRecipients(['you@example.org'], 1)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

let homes = 0
async function filledHome(): Promise<ZoneHome> {
  const root = join(folder, String(homes++))
  await cp(join(folder, 'filled'), root, { recursive: true })
  return openZoneHome(root)
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
    for (const next of ['succeeds', 'fails'] as const) {
      const home = await filledHome()
      const { signal, status, stderr } = spawnSync(process.execPath, [SCRIPT, home.root, String(place)], {
        encoding: 'utf8',
      })
      if (signal === null) {
        expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('Error') })
        expectNew(home)
        // Two for the records, seven in triage's statements, two around the journal's, one before the release and one in it.
        expect(left).toHaveLength(11)
        expect(new Set(left)).toEqual(new Set(['stopping', 'migrating', 'migrated']))
        return
      }
      const files = filesOf(home, next === 'fails' ? BROKEN : undefined)
      const progress = files.progress()
      if (!progress) throw new Error(`killed at ${place}: what it had begun is not remembered`)
      if (next === 'succeeds') left.push(progress.stage)
      const isMigrated = progress.stage === 'migrated'
      if (next === 'fails' && !isMigrated && files.due().some(({ store }) => store === 'journal.sqlite')) {
        await expect(files.migrate(progress)).rejects.toThrow(code('ERR_MIGRATION_FAILED'))
        expectOld(home)
        continue
      }
      if (!isMigrated) await files.migrate(progress)
      files.release()
      files.finish()
      expectNew(home)
    }
  }
})

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
