import { expect, test } from 'vitest'
import { answersFor, chooseSections } from './handbook-sections.ts'

const HANDBOOK = `# Company handbook

<!-- a remark of the owner's -->

## Tone

Warm.

## Signature

Olga

## Never

- Promise prices.

## Answers

### Opening hours

Monday to Friday, 9 to 17.

### Parking

Behind the house.

## Margins

We earn 40 percent.
`

test('a short handbook is given whole, without comments', () => {
  const { text, leftOut } = chooseSections(HANDBOOK, 'x', 10_000)
  expect(leftOut).toBe(0)
  expect(text).toContain('We earn 40 percent.')
  expect(text).not.toContain('a remark of the owner')
})

test('of one of 200 kB come tone, signature, rules and what must not be done, then what the mail is about', () => {
  const filler = Array.from({ length: 300 }, (_, n) => `## Topic ${n}\n\n${`filler${n} `.repeat(80)}`).join('\n\n')
  const long = `${filler}\n\n${HANDBOOK}\n\n## Rules\n\n- Quiet hours: 20:00-07:00\n\n## Delivery of bicycles\n\nBicycles come by train.`
  expect(long.length).toBeGreaterThan(200_000)
  const chosen = chooseSections(long, 'When will the bicycle be delivered?', 4_000)
  expect(chosen.text.length).toBeLessThanOrEqual(4_000)
  for (const kept of ['Warm.', 'Olga', 'Promise prices.', 'Quiet hours', 'Bicycles come by train.'])
    expect(chosen.text).toContain(kept)
  expect(chosen.text).not.toContain('filler')
  expect(chosen.leftOut).toBeGreaterThan(300)
  expect(chooseSections(long, 'When will the bicycle be delivered?', 4_000)).toEqual(chosen)
})

test('rules that do not fit are cut at a line, never dropped', () => {
  const long = `## Rules\n\n${'- one rule\n'.repeat(1_000)}\n## Other\n\nother`
  const { text } = chooseSections(long, '', 500)
  expect(text).toMatch(/^## Rules\n\n(- one rule\n)+\[shortened\]$/)
})

test.each([
  ['What are your opening hours?', ['Monday to Friday, 9 to 17.']],
  ['When is it open, and is there parking?', ['Behind the house.']],
  ['What are your margins?', []],
  ['Which hours?', []],
  ['', []],
])('%j is answered with %j', (asked, answers) => {
  expect(answersFor(HANDBOOK, asked)).toEqual(answers)
})

test('answers in other languages, and a section of that name itself', () => {
  expect(answersFor('# Öffnungszeiten\n\nMo-Fr 9-17', 'Wie sind Ihre Öffnungszeiten?')).toEqual(['Mo-Fr 9-17'])
  expect(answersFor('# Preise\n\n40', 'Wie sind Ihre Preise?')).toEqual([])
})

test('stays quick on a note of nothing but comments that are never closed', () => {
  const { text } = chooseSections('<!--'.repeat(50_000), 'x', 1_000)
  expect(text.length).toBeLessThanOrEqual(1_000)
})
