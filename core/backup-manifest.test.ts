import { expect, test } from 'vitest'
import { type BackupContents, compareContents, parseManifest } from './backup-manifest.ts'

const digest = (letter: string) => letter.repeat(64)
const MADE: BackupContents = {
  files: { 'vault/a.md': { bytes: 3, sha256: digest('a') }, 'state/seen.sqlite': { bytes: 9, sha256: digest('b') } },
  databases: { 'state/seen.sqlite': { seen: 5, gone: 0 } },
  repositories: { 'hub/vault.bundle': { 'refs/heads/main': 'c'.repeat(40) } },
}
const faults = (found: BackupContents) =>
  compareContents(MADE, found).flatMap(({ result, found }) => (result === 'failed' ? [found] : []))

test('what came back as it was is found whole', () => {
  expect(compareContents(MADE, structuredClone(MADE)).map(({ result }) => result)).toEqual(['ok', 'ok', 'ok'])
})

test.each<[what: string, harm: (found: BackupContents) => void, said: string]>([
  ['a file is missing', ({ files }) => delete files['vault/a.md'], 'vault/a.md: missing'],
  [
    'a file is shorter',
    ({ files }) => Object.assign(files, { 'vault/a.md': { bytes: 2, sha256: digest('d') } }),
    'vault/a.md: 2 bytes instead of 3',
  ],
  [
    'a file says something else',
    ({ files }) => Object.assign(files, { 'vault/a.md': { bytes: 3, sha256: digest('d') } }),
    'vault/a.md: other bytes than were backed up',
  ],
  [
    'a file is there too many',
    ({ files }) => Object.assign(files, { 'vault/Approved/x.md': { bytes: 3, sha256: digest('d') } }),
    'vault/Approved/x.md: was not backed up, and is there',
  ],
  [
    'a row is missing',
    ({ databases }) => Object.assign(databases['state/seen.sqlite'] ?? {}, { seen: 4 }),
    'state/seen.sqlite: seen 4 rows instead of 5 rows',
  ],
  [
    'a table that had no rows is missing',
    ({ databases }) => delete databases['state/seen.sqlite']?.gone,
    'state/seen.sqlite: gone is missing instead of 0 rows',
  ],
  [
    'a database cannot be read',
    ({ databases }) => delete databases['state/seen.sqlite'],
    'state/seen.sqlite: missing or unreadable',
  ],
  [
    'the hub stands elsewhere',
    ({ repositories }) => Object.assign(repositories['hub/vault.bundle'] ?? {}, { 'refs/heads/main': 'e'.repeat(40) }),
    'hub/vault.bundle: refs/heads/main at eeeeeeeeeeee instead of at cccccccccccc',
  ],
])('is found when %s', (_what, harm, said) => {
  const found = structuredClone(MADE)
  harm(found)
  expect(faults(found)).toEqual([said])
})

test('many faults are told shortly', () => {
  const files = Object.fromEntries(
    Array.from({ length: 40 }, (_one, index) => [`vault/${index}.md`, { bytes: 1, sha256: digest('a') }]),
  )
  const [first] = compareContents({ ...MADE, files }, { ...MADE, files: {} })
  expect(first?.found).toMatch(/; and 35 more$/)
})

test('what is no manifest is none', () => {
  for (const text of ['', '{}', '{"format": 2}', 'null']) expect(parseManifest(text)).toBeUndefined()
})
