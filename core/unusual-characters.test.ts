import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readableDomain, unusualCharacters } from './unusual-characters.ts'

describe('what a reader would not see, or would take for something else, is said', () => {
  test.each([
    ['a zero width space', 'pay\u200bpal', ['a character that cannot be seen (zero width space U+200B)']],
    [
      'several of them',
      'a\u200bb\u2060\u200b',
      ['3 characters that cannot be seen (zero width space U+200B, word joiner U+2060)'],
    ],
    ['a tag', 'a\u{e0041}', ['a character that cannot be seen (tag U+E0041)']],
    ['a filler', 'a\u3164', ['a character that cannot be seen (Hangul filler U+3164)']],
    ['a variation selector', 'a\u{e0100}', ['a character that cannot be seen (variation selector U+E0100)']],
    [
      'a file name read backwards',
      'invoice\u202efdp.exe',
      ['a character that turns the reading direction (right-to-left override U+202E)'],
    ],
    ['an escape', 'a\u001b[2J', ['a character that controls a terminal or program (escape U+001B)']],
    ['a lone joiner in a Latin word', 'pay\u200dpal', ['a character that cannot be seen (zero width joiner U+200D)']],
    ['mixed scripts', 'p\u0430ypal', ['“p\u0430ypal” mixes Latin and Cyrillic letters (\u0430 U+0430)']],
    [
      'three scripts',
      '\u03bfp\u0430l',
      ['“\u03bfp\u0430l” mixes Latin, Cyrillic and Greek letters (\u03bf U+03BF, \u0430 U+0430)'],
    ],
    [
      'a whole word of look-alikes among Latin ones',
      'Your \u0440\u0430\u0443 account',
      [
        '“\u0440\u0430\u0443” is written in Cyrillic letters that look like Latin ones (\u0440 U+0440, \u0430 U+0430, \u0443 U+0443)',
      ],
    ],
    ['mathematical letters', '\u{1d429}ay', ['a character in another dress (\u{1d429} U+1D429)']],
    ['full-width letters', '\uff50ay', ['a character in another dress (\uff50 U+FF50)']],
    ['phonetic letters', 'p\u0251ypal', ['a character in another dress (\u0251 U+0251)']],
    ['the line it is on', 'Dear Ana,\n\nit\u00ad is', ['line 3: a character that cannot be seen (soft hyphen U+00AD)']],
  ])('%s', (_what, text, words) => expect(unusualCharacters(text)).toEqual(words))

  test.each([
    'Straße naïve Łódź, 5 kΩ, 3 μm, β-carotene, 3 m²',
    'Привет, оса сидит. Hello',
    'Τηλέφωνο OK',
    '\uff21\uff22\uff23株式会社',
    'שלום, مرحبا',
    'می\u200cخواهم',
    '👨\u200d👩\u200d👧 👍🏽\u200d❤\ufe0f 1\ufe0f⃣',
    'line one\nline two\ttabbed',
    '',
  ])('honest writing is not: %s', (text) => expect(unusualCharacters(text)).toEqual([]))

  test('a text full of it is told shortly and quickly, and shows nothing unseen itself', () => {
    const words = unusualCharacters(`${'p\u0430y\n'.repeat(10_000)}${'\u200b'.repeat(100_000)}`)
    expect(words).toHaveLength(6)
    expect(words.at(-1)).toBe('and more of the kind further down')
    const long = unusualCharacters(`${'a'.repeat(200)}\u0430`)[0] ?? ''
    expect(long.length).toBeLessThan(120)
  })

  test('whatever the text, the words are free of what they tell about', () => {
    const nasty = fc.constantFrom('\u202e', '\u200b', '\u{e0041}', '\u0000', 'p', '\u0430', '\ud800', '\n', ' ', '株')
    fc.assert(
      fc.property(fc.array(nasty, { maxLength: 40 }), (parts) => {
        for (const words of unusualCharacters(parts.join(''))) expect(words).not.toMatch(/[\p{Cf}\p{Cc}\p{Cs}]/u)
      }),
    )
  })
})

test.each([
  ['xn--80ak6aa92e.com', '\u0430\u0440\u0440\u04cf\u0435.com'],
  ['mail.xn--mnchen-3ya.de', 'mail.münchen.de'],
  ['plain.example', undefined],
  ['xn--zz--zz', undefined],
])('the domain %s reads %s', (domain, reads) => expect(readableDomain(domain)).toBe(reads))
