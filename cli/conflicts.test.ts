import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import { ticksOf } from '#core/task-file.ts'
import { conflictCopyPath, type VaultPath, vaultPath } from '#core/vault-path.ts'
import { type ExecutorHome, edit, makeHome, readTaskAt, tick, whereIs } from '#tests/support/executor.ts'
import { findConflict, listConflicting, readBoth, settle } from './conflicts.ts'
import { homeLayout, type ZoneHome } from './zone-home.ts'

const OID = '0a1b2c3d4e5f60718293a4b5c6d7e8f901234567'
const AT = Date.parse('2026-11-20T10:01:02Z')
const FILE = vaultPath('Plans/trip.md')
const copyBy = (agent: string, of: VaultPath = FILE) => conflictCopyPath(of, agent, AT, OID)

let root: string
let home: ZoneHome
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'conflicts-'))
  home = homeLayout(root, 'local')
  for (const folder of [home.vault, home.state]) mkdirSync(folder)
})
afterEach(() => rmSync(root, { recursive: true }))

const put = (path: string, text: string) => {
  mkdirSync(dirname(join(home.vault, path)), { recursive: true })
  writeFileSync(join(home.vault, path), text)
}
const read = (path: string) => readFileSync(join(home.vault, path), 'utf8')
const trashed = () =>
  readdirSync(join(home.state, 'trash')).map((name) => readFileSync(join(home.state, 'trash', name), 'utf8'))
const conflict = async () => (await listConflicting(home))[0] as Awaited<ReturnType<typeof findConflict>>

describe('a conflict', () => {
  test('is listed with what lost against what, who wrote both, and when', async () => {
    put(FILE, 'theirs\n')
    put(copyBy('local'), 'mine\n')
    using store = openSyncStore(join(home.state, 'sync.sqlite'))
    store.update({ stamps: [[FILE, `${AT + 60_000}-0-cloud`]] })
    expect(await listConflicting(home)).toEqual([
      {
        copy: copyBy('local'),
        copy_by: 'local',
        copy_at: '2026-11-20T10:01:02Z',
        lost: 'mine',
        file: FILE,
        file_by: 'cloud',
        file_at: '2026-11-20T10:02:02.000Z',
      },
    ])
  })

  test('of a task is listed with the task wherever that stands by now', async () => {
    const name = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
    put(`In_Progress/cloud/${name}`, 'x')
    put(copyBy('cloud', vaultPath(`Pending_Approval/email/${name}`)), 'y')
    expect((await conflict()).file).toBe(`In_Progress/cloud/${name}`)
  })

  test('of a note at the root is listed with that note', async () => {
    put('Company_Handbook.md', 'x')
    put(copyBy('cloud', 'Plans/Company_Handbook.md' as VaultPath), 'y')
    expect((await conflict()).file).toBe('Company_Handbook.md')
  })

  test('is found by path or name of the copy, and of the file while that has one copy', async () => {
    put(FILE, 'theirs\n')
    put(copyBy('local'), 'mine\n')
    for (const name of [copyBy('local'), copyBy('local').slice('Plans/'.length), FILE, 'trip.md'])
      expect(await findConflict(home, name)).toMatchObject({ copy: copyBy('local') })
    await expect(findConflict(home, 'other.md')).rejects.toMatchObject({ code: 'ERR_CONFLICT_NOT_FOUND' })
    put(copyBy('cloud'), 'older\n')
    await expect(findConflict(home, FILE)).rejects.toMatchObject({ code: 'ERR_USAGE' })
    expect(await readBoth(home, await findConflict(home, copyBy('cloud')))).toEqual({
      file: 'theirs\n',
      copy: 'older\n',
    })
  })
})

describe('settling a conflict', () => {
  test.each([
    ['local', 'mine', 'copy'],
    ['local', 'theirs', 'file'],
    ['cloud', 'mine', 'file'],
    ['cloud', 'theirs', 'copy'],
  ] as const)('whose copy %s wrote by keeping %s keeps the %s, and the other in the trash', async (by, side, kept) => {
    put(FILE, 'file\n')
    put(copyBy(by), 'copy\n')
    const settlement = await settle(home, await conflict(), side)
    expect(settlement).toMatchObject({ kept: FILE, shown_anew: false })
    expect(read(FILE)).toBe(`${kept}\n`)
    expect(readdirSync(join(home.vault, 'Plans'))).toEqual(['trip.md'])
    const other = kept === 'file' ? 'copy\n' : 'file\n'
    expect(trashed()).toContain(other)
    expect(readFileSync(settlement.trash ?? '', 'utf8')).toBe(other)
  })

  test('whose file is gone puts the copy in its place', async () => {
    put(copyBy('cloud'), 'copy\n')
    await expect(settle(home, await conflict(), 'mine')).rejects.toMatchObject({ code: 'ERR_CONFLICT_STATE' })
    expect(await settle(home, await conflict(), 'theirs')).toMatchObject({ kept: FILE, trash: null })
    expect(read(FILE)).toBe('copy\n')
  })

  test.each(['Approved', 'Rejected', 'In_Progress/local', 'In_Progress/cloud', 'Done/2026-11'])(
    'never puts anything over a task in %s',
    async (folder) => {
      const name = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
      put(`${folder}/${name}`, 'as it was decided\n')
      put(copyBy('cloud', vaultPath(`Pending_Approval/email/${name}`)), 'copy\n')
      await expect(settle(home, await conflict(), 'theirs')).rejects.toMatchObject({ code: 'ERR_CONFLICT_STATE' })
      expect(read(`${folder}/${name}`)).toBe('as it was decided\n')
      expect(await listConflicting(home)).toHaveLength(1)
    },
  )

  test('is the local person’s alone', async () => {
    put(FILE, 'file\n')
    put(copyBy('local'), 'copy\n')
    const cloud = { ...home, zone: 'cloud', agent: 'cloud' } as const
    await expect(settle(cloud, await conflict(), 'mine')).rejects.toMatchObject({ code: 'ERR_ZONE_FORBIDDEN' })
    expect(read(FILE)).toBe('file\n')
  })
})

describe('settling a conflict about a card', () => {
  let executor: ExecutorHome
  beforeEach(async () => {
    executor = await makeHome()
    home = { ...home, vault: executor.vaultRoot, state: join(executor.folder, 'state') }
  })
  afterEach(() => executor[Symbol.asyncDispose]())

  test.each(['mine', 'theirs'] as const)('by keeping %s approves nothing: it is shown anew', async (side) => {
    await using running = await executor.start()
    const { path, fileName } = await executor.put('Pending_Approval/email')
    await running.pass()
    const card = (await executor.vault.read(path)) ?? ''
    // Every mark of a shown card, with a ticked box and another text: as bad as a copy can be.
    put(
      copyBy(side === 'mine' ? 'local' : 'cloud', path),
      tick('Approve')(card.replace('it is on its way', 'pay to EVIL')),
    )
    await running.pass()
    expect(await settle(home, await conflict(), side)).toMatchObject({ kept: path, shown_anew: true })
    for (let index = 0; index < 3; index++) await running.pass()
    expect([await whereIs(executor, fileName), executor.mail.delivered]).toEqual(['Pending_Approval/email', []])
    expect(ticksOf(await readTaskAt(executor, path))).toEqual([])
    await edit(executor, path, tick('Approve'))
    await running.pass()
    await running.pass()
    expect(executor.mail.delivered).toHaveLength(1)
  })
})
