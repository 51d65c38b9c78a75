import { describe, expect, test } from 'vitest'
import { readConflictMark, rivalPaths } from './conflict.ts'
import { conflictCopyPath, type VaultPath, vaultPath } from './vault-path.ts'

const OID = '0a1b2c3d4e5f60718293a4b5c6d7e8f901234567'
const AT = Date.parse('2026-11-20T10:01:02Z')

describe('the mark in the name of a conflict copy', () => {
  test('tells who wrote the version, and when', () => {
    const copy = conflictCopyPath(vaultPath('Plans/trip.md'), 'cloud-2', AT, OID)
    expect(readConflictMark(copy)).toEqual({
      agent: 'cloud-2',
      at: '2026-11-20T10:01:02Z',
      text: 'cloud-2-20261120T100102Z-0a1b2c3d',
    })
  })

  test.each([
    'Plans/trip.md',
    'Plans/trip.conflict-mine.md',
    'Plans/trip.conflict-cloud-20261120T100102Z-0a1b2c3d.txt',
  ])('is not read out of %s', (path) => {
    expect(readConflictMark(path)).toBeUndefined()
  })
})

describe('the file that a copy lost against', () => {
  const copyOf = (path: string) => conflictCopyPath(path as VaultPath, 'cloud', AT, OID)

  test.each([
    ['Plans/trip.md', ['Plans/trip.md']],
    ['Inbox/note.md', ['Inbox/note.md']],
    ['Plans/Company_Handbook.md', ['Plans/Company_Handbook.md', 'Company_Handbook.md']],
  ])('%s may stand at %j', (path, rivals) => {
    expect(rivalPaths(copyOf(path))).toEqual(rivals)
  })
})
