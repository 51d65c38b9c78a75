import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type MergeResult, mergeVault } from './merge.ts'
import { foldedPath, isConflictCopy, type VaultPath, vaultPath } from './vault-path.ts'

type Files = Record<string, string>
interface Sides {
  readonly base?: Files
  readonly ours?: Files
  readonly theirs?: Files
}
const tree = (files: Files) => new Map(Object.entries(files).map(([path, blob]) => [vaultPath(path), blob]))

/** The hub's versions are of time 100 by cloud-b, ours of time 50 unless said otherwise. */
function merge({ base = {}, ours = {}, theirs = {} }: Sides, oursAtMs = 50): MergeResult {
  return mergeVault({
    agent: 'local',
    zone: 'local',
    base: tree(base),
    ours: tree(ours),
    theirs: tree(theirs),
    oursAt: () => ({ ms: oursAtMs, counter: 0, agent: 'local' }),
    theirsAt: () => ({ ms: 100, counter: 0, agent: 'cloud-b' }),
    isThePersons: () => false,
    domainOf: () => 'general',
    generationOf: () => 0,
  })
}

/** Conflict copies shown as `copy of <stem>`. */
const shown = ({ tree: files }: MergeResult): Files =>
  Object.fromEntries([...files].map(([path, blob]) => [path.replace(/^.*\/(.*)\.conflict-.*$/, 'copy of $1'), blob]))

const [UPPER, LOWER, LOUD] = ['Plans/Trip.md', 'Plans/trip.md', 'Plans/TRIP.md']

describe('a note', () => {
  it.each<[string, Sides, Files]>([
    [
      'renamed here in case only is renamed',
      { base: { [UPPER]: 'a' }, ours: { [LOWER]: 'a' }, theirs: { [UPPER]: 'a' } },
      { [LOWER]: 'a' },
    ],
    [
      'renamed in case only at the hub is renamed',
      { base: { [UPPER]: 'a' }, ours: { [UPPER]: 'a' }, theirs: { [LOWER]: 'a' } },
      { [LOWER]: 'a' },
    ],
    [
      'renamed here and edited at the hub is both',
      { base: { [UPPER]: 'a' }, ours: { [LOWER]: 'a' }, theirs: { [UPPER]: 'b' } },
      { [LOWER]: 'b' },
    ],
    [
      'edited here and renamed at the hub is both',
      { base: { [UPPER]: 'a' }, ours: { [UPPER]: 'b' }, theirs: { [LOWER]: 'a' } },
      { [LOWER]: 'b' },
    ],
    [
      'renamed by both is spelled as at the hub',
      { base: { [UPPER]: 'a' }, ours: { [LOWER]: 'a' }, theirs: { [LOUD]: 'a' } },
      { [LOUD]: 'a' },
    ],
    [
      'made by two clones in two spellings is one file and a copy',
      { ours: { [LOWER]: 'b' }, theirs: { [UPPER]: 'c' } },
      { [UPPER]: 'c', 'copy of Trip': 'b' },
    ],
    [
      'made by two clones in two spellings of the same words is one file',
      { ours: { [LOWER]: 'b' }, theirs: { [UPPER]: 'b' } },
      { [UPPER]: 'b' },
    ],
    [
      'that stands here in two spellings is one file and a copy',
      { base: { [UPPER]: 'a' }, ours: { [UPPER]: 'a', [LOWER]: 'b' }, theirs: { [UPPER]: 'a' } },
      { [UPPER]: 'a', 'copy of Trip': 'b' },
    ],
    [
      'that stands here in two spellings keeps the one that is known',
      { base: { [LOWER]: 'a' }, ours: { [UPPER]: 'b', [LOWER]: 'a' }, theirs: { [LOWER]: 'a' } },
      { [LOWER]: 'a', 'copy of trip': 'b' },
    ],
    [
      'made here beside one that was renamed to its name at the hub is a copy of it or has one',
      { base: { [UPPER]: 'a' }, ours: { [UPPER]: 'a', [LOWER]: 'b' }, theirs: { [LOWER]: 'a' } },
      { [LOWER]: 'a', 'copy of trip': 'b' },
    ],
    [
      'that stands in two spellings of the same words is one file',
      { base: { [UPPER]: 'a' }, ours: { [UPPER]: 'a', [LOWER]: 'a' }, theirs: { [UPPER]: 'a' } },
      { [UPPER]: 'a' },
    ],
    [
      'whose former spelling is still here, untouched, is only the new one',
      {
        base: { [UPPER]: 'b', [LOWER]: 'a' },
        ours: { [UPPER]: 'b', [LOWER]: 'a' },
        theirs: { [UPPER]: 'b' },
      },
      { [UPPER]: 'b' },
    ],
    [
      'that the hub shows in two spellings is one file and a copy',
      { theirs: { [UPPER]: 'a', [LOWER]: 'b' } },
      { [UPPER]: 'a', 'copy of Trip': 'b' },
    ],
    ['removed here and untouched there goes', { base: { [UPPER]: 'a' }, theirs: { [UPPER]: 'a' } }, {}],
    [
      'removed here but renamed at the hub stays',
      { base: { [UPPER]: 'a' }, theirs: { [LOWER]: 'a' } },
      { [LOWER]: 'a' },
    ],
    ['edited here but removed at the hub stays', { base: { [UPPER]: 'a' }, ours: { [UPPER]: 'b' } }, { [UPPER]: 'b' }],
    [
      'edited here in two spellings and removed at the hub is one file and a copy',
      { base: { [UPPER]: 'a' }, ours: { [UPPER]: 'b', [LOWER]: 'c' } },
      { [UPPER]: 'b', 'copy of Trip': 'c' },
    ],
  ])('%s', (_, sides, expected) => {
    expect(shown(merge(sides))).toEqual(expected)
  })

  it('made by two clones has the later one’s words under the hub’s name', () => {
    expect(shown(merge({ ours: { [LOWER]: 'b' }, theirs: { [UPPER]: 'c' } }, 101))).toEqual({
      [UPPER]: 'b',
      'copy of Trip': 'c',
    })
  })

  it('with the longest name keeps its losing side', () => {
    for (const path of [`Inbox/${'x'.repeat(151)}.md`, `Inbox/${'名'.repeat(80)}.md`]) {
      const { tree: files } = merge({ base: { [path]: 'a' }, ours: { [path]: 'b' }, theirs: { [path]: 'c' } })
      expect([...files.values()].sort()).toEqual(['b', 'c'])
    }
  })

  it('that the person wrote into a conflict copy is not written over when the conflict comes again', () => {
    const sides = { base: { [UPPER]: 'a' }, ours: { [UPPER]: 'b' }, theirs: { [UPPER]: 'c' } }
    const [copy] = merge(sides).copies
    const path = copy?.path ?? ''
    const again = merge({
      base: { ...sides.base, [path]: 'b' },
      ours: { ...sides.ours, [path]: 'edited' },
      theirs: { ...sides.theirs, [path]: 'b' },
    })
    expect(again.tree.get(vaultPath(path))).toBe('edited')
  })
})

describe('notes of random spellings', () => {
  const side = fc
    .uniqueArray(fc.constantFrom(UPPER, LOWER, LOUD, 'Inbox/Trip.md'), { maxLength: 3 })
    .chain((paths) =>
      fc.tuple(...paths.map((path) => fc.record({ path: fc.constant(path), blob: fc.nat({ max: 3 }) }))),
    )
    .map((files) => Object.fromEntries(files.map(({ path, blob }) => [path, `words-${blob}`])))

  const isOneSpelling = (files: Files) => new Set(Object.keys(files).map(foldedPath)).size === Object.keys(files).length
  const oneSpelling = side.filter(isOneSpelling)

  it('end in one spelling, lose no version that is new on a side, and merge again to the same', () => {
    fc.assert(
      fc.property(oneSpelling, side, oneSpelling, fc.constantFrom(50, 101), (base, ours, theirs, at) => {
        const merged = merge({ base, ours, theirs }, at)
        const plain = [...merged.tree.keys()].filter((path) => !isConflictCopy(path))
        expect(new Set(plain.map(foldedPath)).size).toBe(plain.length)
        for (const [path, blob] of [...Object.entries(ours), ...Object.entries(theirs)])
          if (!Object.values(base).includes(blob))
            expect([path, [...merged.tree.values()]]).toEqual([path, expect.arrayContaining([blob])])
        // The same words may get a second copy under the other side's name, but no more words and no other place.
        const again = merge({ base, ours, theirs: files(merged.tree) }, at)
        expect(wordsAndPlaces(again)).toEqual(wordsAndPlaces(merged))
        const rest = files(merged.tree)
        expect(files(merge({ base: rest, ours: rest, theirs: rest }, at).tree)).toEqual(rest)
      }),
      { numRuns: 2_000 },
    )
  })

  const wordsAndPlaces = ({ tree: all }: MergeResult) => [
    [...new Set(all.values())].sort(),
    [...all.keys()].filter((path) => !isConflictCopy(path)).sort(),
  ]
  const files = (map: ReadonlyMap<VaultPath, string>): Files => Object.fromEntries([...map].toSorted())
})
