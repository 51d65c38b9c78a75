import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  expect(store.base()).toEqual(
    new Map([
      [PATH, { oid: oid('a'), identity }],
      [OTHER, { oid: oid('b'), identity: null }],
    ]),
  )
  expect(store.stamp('Plans/a.md')).toBe('1-0-cloud')
  expect(store.stamp('Plans/b.md')).toBeUndefined()
  expect([...store.applying()]).toEqual([
    [PATH, oid('d')],
    [OTHER, null],
  ])
  expect(store.intents()).toEqual([intent])
  expect(store.fact('verified')).toBe(oid('e'))

  store.update({ base: [[PATH, null]], applying: [], removeIntents: [oid('c')], facts: { verified: null } })
  expect([...store.base().keys()]).toEqual([OTHER])
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
  expect(store.base().size).toBe(0)
  expect(store.fact('x')).toBeUndefined()
})
