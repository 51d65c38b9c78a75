import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ComparedLine } from '#core/ports/compare.ts'
import { compareTexts } from './compare-texts.ts'

const side = (lines: readonly ComparedLine[], without: 'removed' | 'added') =>
  lines
    .filter(({ kind }) => kind !== without)
    .map(({ parts }) =>
      parts
        .filter(({ kind }) => kind !== without)
        .map(({ text }) => text)
        .join(''),
    )
    .join('\n')

test('words that changed in a line that stayed, lines that came and went', () => {
  expect(
    compareTexts('Dear Clara,\nsee you on Monday.\nBye', 'Dear Clara,\nsee you on Tuesday.\nBring it.\nBye'),
  ).toEqual([
    { kind: 'same', parts: [{ kind: 'same', text: 'Dear Clara,' }] },
    {
      kind: 'changed',
      parts: [
        { kind: 'same', text: 'see you on ' },
        { kind: 'removed', text: 'Monday' },
        { kind: 'added', text: 'Tuesday' },
        { kind: 'same', text: '.' },
      ],
    },
    { kind: 'added', parts: [{ kind: 'added', text: 'Bring it.' }] },
    { kind: 'same', parts: [{ kind: 'same', text: 'Bye' }] },
  ])
})

test('lines with nothing in common are one gone and one new', () => {
  expect(compareTexts('The invoice follows on Monday.', 'We are closed.').map(({ kind }) => kind)).toEqual([
    'removed',
    'added',
  ])
})

test('a last line counts the same with and without its break', () => {
  expect(compareTexts('a', 'a\nb').map(({ kind }) => kind)).toEqual(['same', 'added'])
})

test('whatever the texts hold, each side reads back from the comparison', () => {
  const text = fc.array(fc.constantFrom('', 'a', 'b c', 'see you on Monday', 'see you on Tuesday'), { maxLength: 8 })
  fc.assert(
    fc.property(text, text, (one, other) => {
      const [before, after] = [one.join('\n'), other.join('\n')]
      const lines = compareTexts(before, after)
      expect([side(lines, 'added'), side(lines, 'removed')]).toEqual([before, after])
    }),
  )
})

test('texts that have nothing in common cost little', () => {
  const noise = (seed: number) =>
    Array.from({ length: 5_000 }, (_, at) => `${seed} ${(at * 7919 * seed) % 104_729}`).join('\n')
  const lines = compareTexts(noise(1), noise(2))
  expect(lines.filter(({ kind }) => kind === 'same')).toEqual([])
  const long = (word: string) => `${word} `.repeat(20_000)
  expect(compareTexts(long('a'), long('b')).map(({ kind }) => kind)).toEqual(['removed', 'added'])
})
