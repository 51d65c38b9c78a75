import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Oid } from '#core/ports/repo.ts'
import { vaultPath } from '#core/vault-path.ts'
import { openSyncStore } from './sync-store.ts'

const PATH = vaultPath('Plans/a.md')
const OTHER = vaultPath('Plans/b.md')
const oid = (digit: string) => digit.repeat(40) as Oid
const identity = { ino: '12', size: 3, mtimeNs: '1795168800000000001', ctimeNs: '1795168800000000002' }

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sync-store-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('remembers everything across a restart', () => {
  const file = join(folder, 'sync.sqlite')
  const intent = { commit: oid('c'), parent: null, rows: [{ path: PATH, row: null }], claims: [] }
  {
    using store = openSyncStore(file)
    store.update({
      base: [
        [PATH, { oid: oid('a'), identity }],
        [OTHER, { oid: oid('b'), identity: null }],
      ],
      stamps: [['Plans/a.md', '1-0-cloud']],
      applying: [
        [PATH, oid('d')],
        [OTHER, null],
      ],
      addIntent: intent,
      facts: { verified: oid('e') },
    })
  }
  using store = openSyncStore(file)
  expect(store.baseIn('Plans')).toEqual(
    new Map([
      [PATH, { oid: oid('a'), identity }],
      [OTHER, { oid: oid('b'), identity: null }],
    ]),
  )
  expect(store.baseRow(PATH)).toEqual({ oid: oid('a'), identity })
  expect([...store.baseOf(['Plans/b.md', 'Plans/c.md']).keys()]).toEqual([OTHER])
  expect(store.stamp('Plans/a.md')).toBe('1-0-cloud')
  expect(store.stamp('Plans/b.md')).toBeUndefined()
  expect([...store.applying()]).toEqual([
    [PATH, oid('d')],
    [OTHER, null],
  ])
  expect(store.intents()).toEqual([intent])
  expect(store.fact('verified')).toBe(oid('e'))

  store.update({ base: [[PATH, null]], applying: [], removeIntents: [oid('c')], facts: { verified: null } })
  expect([...store.baseIn('Plans').keys()]).toEqual([OTHER])
  expect(store.applying().size).toBe(0)
  expect(store.intents()).toEqual([])
  expect(store.fact('verified')).toBeUndefined()
})

it('changes nothing when a part of a change fails', () => {
  using store = openSyncStore(':memory:')
  const broken = (function* () {
    yield [PATH, { oid: oid('a'), identity: null }] as const
    throw new Error('died here')
  })()
  expect(() => store.update({ facts: { x: 'y' }, base: broken })).toThrow('died here')
  expect(store.somePaths(1)).toEqual([])
  expect(store.fact('x')).toBeUndefined()
})

const PENDING = vaultPath('Pending_Approval/email/EMAIL_2026-11-20_invoice_7h3k9q.md')
const APPROVED = vaultPath('Approved/EMAIL_2026-11-20_invoice_7h3k9q.md')
const COPY = vaultPath(
  'Pending_Approval/email/EMAIL_2026-11-20_invoice_7h3k9q.conflict-cloud-20261120T100000Z-aaaaaaaa.md',
)
const NOTE = vaultPath('Dashboard.md')

it('finds a task by its name wherever it stands, and everything else by its path', () => {
  using store = openSyncStore(':memory:')
  const file = { oid: oid('a'), size: 3 }
  store.update({
    base: [PENDING, NOTE].map((path) => [path, { oid: oid('a'), identity }] as const),
    wholeHub: [APPROVED, COPY, NOTE].map((path) => [path, file] as const),
  })
  const name = 'EMAIL_2026-11-20_invoice_7h3k9q.md'
  expect([...store.baseOf([name]).keys()]).toEqual([PENDING])
  expect(store.hubOf([name])).toEqual(new Map([[APPROVED, file]]))
  expect([...store.hubOf([COPY, 'Dashboard.md']).keys()]).toEqual([COPY, NOTE])
  expect([...store.hubUnder('Pending_Approval/').keys()]).toEqual([COPY])
  expect(store.hubConflicts()).toEqual([COPY])
  expect(store.baseFolders().toSorted()).toEqual(['', 'Pending_Approval/email'])
  expect([...store.baseIn('').keys()]).toEqual([NOTE])
})

it('names what base and hub do not agree on', () => {
  using store = openSyncStore(':memory:')
  store.update({
    base: [
      [PATH, { oid: oid('a'), identity }],
      [OTHER, { oid: oid('b'), identity }],
      [PENDING, { oid: oid('c'), identity }],
    ],
    wholeHub: [
      [PATH, { oid: oid('a'), size: 1 }],
      [OTHER, { oid: oid('d'), size: 1 }],
      [NOTE, { oid: oid('e'), size: 1 }],
    ],
  })
  expect([...store.unequalKeys()].sort()).toEqual(['Dashboard.md', 'EMAIL_2026-11-20_invoice_7h3k9q.md', 'Plans/b.md'])
  store.update({
    hub: [
      [OTHER, { oid: oid('b'), size: 1 }],
      [NOTE, null],
      [PENDING, { oid: oid('c'), size: 1 }],
    ],
  })
  expect([...store.unequalKeys()]).toEqual([])
})

it('forgets base and hub of another version, and keeps what no history tells', () => {
  const file = join(folder, 'sync.sqlite')
  {
    using database = new DatabaseSync(file) as DatabaseSync & Disposable
    database.exec(`CREATE TABLE base (path TEXT PRIMARY KEY, oid TEXT NOT NULL);
      CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
      INSERT INTO base VALUES ('Plans/a.md', '${oid('a')}');
      INSERT INTO fact VALUES ('based', 'yes'), ('verified', '${oid('e')}')`)
  }
  using store = openSyncStore(file)
  expect(store.somePaths(1)).toEqual([])
  expect(store.fact('based')).toBeUndefined()
  expect(store.fact('verified')).toBe(oid('e'))
})
