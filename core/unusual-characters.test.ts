import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { unusualCharacters } from './unusual-characters.ts'

describe('what a reader would not see, or would take for something else, is said', () => {
  test.each([
    [
      'a zero width space',
      'pay\u200bpal',
      'a character that cannot be seen (zero width space U+200B), first in “pay⟦U+200B⟧pal”',
    ],
    [
      'several of them',
      'so a\u200bb\u2060\u200b it is',
      '3 characters that cannot be seen (zero width space U+200B, word joiner U+2060), first in “a⟦U+200B⟧b⟦U+2060⟧⟦U+200B⟧”',
    ],
    ['one that stands alone', 'a \u00ad b', 'a character that cannot be seen (soft hyphen U+00AD)'],
    ['a tag', 'a\u{e0041}', 'a character that cannot be seen (tag U+E0041), first in “a⟦U+E0041⟧”'],
    ['a filler', 'a\u3164', 'a character that cannot be seen (Hangul filler U+3164), first in “a⟦U+3164⟧”'],
    [
      'a variation selector',
      'a\u{e0100}',
      'a character that cannot be seen (variation selector U+E0100), first in “a⟦U+E0100⟧”',
    ],
    [
      'a file name read backwards',
      'invoice\u202efdp.exe',
      'a character that turns the reading direction (right-to-left override U+202E), first in “invoice⟦U+202E⟧fdp.exe”',
    ],
    ['an escape', 'a\u001b[2J', 'a character that controls a program (escape U+001B), first in “a[2J”'],
    [
      'a lone joiner in a Latin word',
      'pay\u200dpal',
      'a character that cannot be seen (zero width joiner U+200D), first in “pay⟦U+200D⟧pal”',
    ],
    ['mixed scripts', 'p\u0430ypal', '“p\u0430ypal”, which mixes Latin and Cyrillic letters (\u0430 U+0430)'],
    [
      'three scripts',
      '\u03bfp\u0430l',
      '“\u03bfp\u0430l”, which mixes Latin, Cyrillic and Greek letters (\u03bf U+03BF, \u0430 U+0430)',
    ],
    [
      'a whole word of look-alikes among Latin ones',
      'Your \u0440\u0430\u0443 account',
      '“\u0440\u0430\u0443”, written in Cyrillic letters that look like Latin ones (\u0440 U+0440, \u0430 U+0430, \u0443 U+0443)',
    ],
    ['mathematical letters', '\u{1d429}ay', 'a character in another dress (\u{1d429} U+1D429), first in “\u{1d429}ay”'],
    ['full-width letters', '\uff50ay', 'a character in another dress (\uff50 U+FF50), first in “\uff50ay”'],
    ['phonetic letters', 'p\u0251ypal', 'a character in another dress (\u0251 U+0251), first in “p\u0251ypal”'],
  ])('%s', (_what, text, say) => expect(unusualCharacters(text)).toEqual([say]))

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

  test('a text full of it is told shortly and quickly', () => {
    const lines = Array.from({ length: 10_000 }, (_, index) => `p\u0430y${index}`)
    const found = unusualCharacters(`${lines.join('\n')}${'\u200b'.repeat(100_000)}`)
    expect(found).toHaveLength(7)
    expect(found.at(-1)).toBe('9995 more words of this kind')
    expect((unusualCharacters(`${'a'.repeat(200)}\u0430`)[0] ?? '').length).toBeLessThan(120)
  }, 5_000)

  test('whatever the text, the words are free of what they tell about', () => {
    const nasty = fc.constantFrom('\u202e', '\u200b', '\u{e0041}', '\u0000', 'p', '\u0430', '\ud800', '\n', ' ', '株')
    fc.assert(
      fc.property(fc.array(nasty, { maxLength: 40 }), (parts) => {
        for (const say of unusualCharacters(parts.join(''))) expect(say).not.toMatch(/[\p{Cf}\p{Cc}\p{Cs}]/u)
      }),
    )
  })
})
