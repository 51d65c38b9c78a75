import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  conflictCopyPath,
  foldedPath,
  isConflictCopy,
  isReviewPath,
  keptReviewPath,
  parseVaultPath,
  respelled,
  vaultPath,
  withoutConflictMark,
} from './vault-path.ts'

const rule = (path: string) => {
  const verdict = parseVaultPath(path)
  return verdict.ok ? 'ok' : verdict.rule
}
const LONGEST = `Inbox/${'x'.repeat(151)}.md`

describe('a name', () => {
  it.each([
    ['Plans/Café – no.md', 'path-unknown'],
    ['Plans/Café.md', 'ok'],
    ['Examples/anna at client.example.md', 'ok'],
    ['Examples/anna@client.example.md', 'path-unknown'],
    ['Examples/a/b.md', 'path-unknown'],
    ['Plans/Cafe\u0301.md', 'path-not-nfc'],
    [LONGEST, 'ok'],
    [`Inbox/${'x'.repeat(152)}.md`, 'path-length'],
    [`Inbox/${'名'.repeat(100)}.md`, 'path-length'],
    ['Inbox/con.md', 'path-reserved'],
    ['Inbox/Aux.backup.md', 'path-reserved'],
    ['Inbox/lpt¹ .md', 'path-reserved'],
    ['Inbox/COM1.md', 'path-reserved'],
    ['In_Progress/nul/EMAIL_2026-11-20_x_abcdef.md', 'path-reserved'],
    ['Inbox/console.md', 'ok'],
    ['Inbox/com10.md', 'ok'],
    ['Inbox/aux notes.md', 'ok'],
    ['Inbox/scan.pdf', 'path-unknown'],
  ])('%j is: %s', (path, expected) => {
    expect(rule(path)).toBe(expected)
  })

  it('in the Unicode form of macOS is carried in that of everybody else', () => {
    expect(respelled('Plans/Cafe\u0301.md')).toBe('Plans/Café.md')
    expect(respelled('Inbox/\u1112\u1161\u11ab.md')).toBe('Inbox/한.md')
  })

  it.each(['Plans/Café.md', 'Plans/.Cafe\u0301.md', 'Elsewhere/Cafe\u0301.md', 'Inbox/../Cafe\u0301.md'])(
    'with anything else wrong, or nothing, is not spelled anew: %j',
    (path) => {
      expect(respelled(path)).toBeUndefined()
    },
  )

  it.each([
    ['Plans/Trip.md', 'plans/trip.MD', true],
    ['Plans/Café.md', 'Plans/CAFE\u0301.md', true],
    ['Inbox/ΟΔΟΣ.md', 'Inbox/οδοσ.md', true],
    ['Inbox/οδος.md', 'Inbox/οδοσ.md', true],
    ['Inbox/Å.md', 'Inbox/å.md', true],
    ['Inbox/Maße.md', 'Inbox/Masse.md', false],
    ['Inbox/a b.md', 'Inbox/ab.md', false],
  ])('%j and %j are one on some disk: %s', (a, b, isOne) => {
    expect(foldedPath(a) === foldedPath(b)).toBe(isOne)
  })

  it('folded twice is folded once', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => foldedPath(foldedPath(text)) === foldedPath(text)))
  })
})

it.each([
  ['Review.md', true],
  [keptReviewPath(Date.parse('2026-11-20T10:00:00.123Z'), 0), true],
  [keptReviewPath(Date.parse('2026-11-20T10:00:00.123Z'), 12), true],
  ['review.md', false],
  ['Inbox/Review.md', false],
  ['Review.kept-x.md', false],
  ['Review.kept-20261120T100000Z.md/../HALT.md', false],
])('%j is a review sheet: %s, and never a path that is carried', (path, is) => {
  expect(isReviewPath(path)).toBe(is)
  if (is) expect(rule(path)).toBe('path-unknown')
})

describe('a conflict copy', () => {
  const letters = fc.constantFrom('a', 'Z', '7', 'é', '名', '𝒳', ' ', '.', '-')
  const notes = fc
    .array(letters, { maxLength: 150 })
    .map((rest) => `Plans/a${rest.join('')}z.md`)
    .filter((path) => parseVaultPath(path).ok)
  const agents = fc.constantFrom('local', 'cloud-b', `a${'b'.repeat(30)}`)

  it('has a name of the contract, however long the file’s own is, and names of its bytes', () => {
    fc.assert(
      fc.property(notes, agents, fc.integer({ min: 0, max: 4e12 }), (path, agent, at) => {
        const copies = ['11111111', '22222222'].map((blob) => conflictCopyPath(vaultPath(path), agent, at, blob))
        for (const copy of copies) expect([rule(copy), isConflictCopy(copy)]).toEqual(['ok', true])
        expect(copies[0]).not.toBe(copies[1])
      }),
      { numRuns: 2_000 },
    )
  })

  it('keeps the whole name where there is room', () => {
    const copy = conflictCopyPath(vaultPath(LONGEST), 'local', 0, 'deadbeefcafe')
    expect(copy).toBe(LONGEST.replace('.md', '.conflict-local-19700101T000000Z-deadbeef.md'))
    expect(withoutConflictMark(copy)).toBe(LONGEST)
    const wide = `Inbox/${'名'.repeat(80)}.md`
    expect(conflictCopyPath(vaultPath(wide), 'local', 0, 'deadbeefcafe')).toMatch(/^Inbox\/名{68}\.conflict-/)
  })
})
