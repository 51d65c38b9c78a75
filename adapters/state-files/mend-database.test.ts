import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mendDatabase } from './mend-database.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mend-'))
  file = join(folder, 'sync.sqlite')
  using database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE base (path TEXT PRIMARY KEY, oid TEXT) STRICT; BEGIN')
  const insert = database.prepare('INSERT INTO base VALUES (?, ?)')
  for (let row = 0; row < 2_000; row++) insert.run(`Plans/plan-${row}.md`, 'x'.repeat(40))
  database.exec('COMMIT')
})
afterEach(() => rmSync(folder, { recursive: true }))

const mend = () => mendDatabase(file, join(folder, 'aside'))

test('a sound database is left alone', () => {
  expect(mend()).toMatchObject({ result: 'ok', found: 'sound' })
  expect(readdirSync(folder)).toEqual(['sync.sqlite'])
})

test('one that is not there is no fault', () => {
  rmSync(file)
  expect(mend()).toMatchObject({ result: 'ok' })
})

test.each<[string, () => void]>([
  ['overwritten from the start', () => writeFileSync(file, 'not a database, however long it may be '.repeat(100))],
  ['cut in the middle', () => truncateSync(file, Math.floor(statSync(file).size / 2))],
  [
    'with pages of noise',
    () => {
      const handle = openSync(file, 'r+')
      writeSync(handle, Buffer.alloc(8_192, 0xa5), 0, 8_192, 4_096)
      closeSync(handle)
    },
  ],
])('a database %s is put aside whole', (_what, damage) => {
  damage()
  expect(mend()).toMatchObject({ check: 'sync.sqlite', result: 'repaired' })
  expect(readdirSync(folder)).toEqual(['aside'])
  expect(readdirSync(join(folder, 'aside'))).toContain('sync.sqlite')
})
