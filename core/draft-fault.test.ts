import { expect, test } from 'vitest'
import { cleanDraft, draftFault } from './draft-fault.ts'
import { fenceUntrusted } from './prompt-fence.ts'

test('cleans what cannot be seen and how lines end', () => {
  expect(cleanDraft('\ufeffDear\u00a0Ana,\r\n\r\n\r\n\r\nfi\u00adne \u200b \r\n')).toBe('Dear Ana,\n\nfine')
})

test('cleans a text of blanks in no time', () => {
  const blanks = ' '.repeat(150_000)
  expect(cleanDraft(`a${blanks}b \t\nc  `)).toBe(`a${blanks}b\nc`)
})

test.each([
  ['nothing', '', 'empty'],
  ['too much', 'x'.repeat(101), '101 characters, and at most 100'],
  ['a mark of our sections', 'a\n<!-- countersign:draft -->', 'HTML'],
  ['HTML', 'a <img src=x>', 'HTML'],
  ['a link that hides where it leads', 'see [here](https://x.example)', 'markup'],
  ['a template’s place', 'Dear {{name}}', 'place to fill in'],
  ['a link of Obsidian', 'Dear [[name]]', 'place to fill in'],
  ['a place in single brackets', 'Dear [Your Name],', 'place to fill in'],
  ['an echoed fence', fenceUntrusted('mail', 'x'), 'marks around quoted'],
  ['a control character', 'a\u0007b', 'control'],
  ['half a character', 'a\ud800b', 'control'],
  ['a direction override', 'a\u202eb', 'invisible'],
  ['tag characters', 'a\u{e0041}b', 'invisible'],
  ['a secret', 'The password: hunter2-Xq9vTz81kLm', 'secret'],
])('refuses %s', (_what, text, problem) => {
  expect(draftFault(text, 100)).toContain(problem)
})

test('lets a plain letter through, brackets and amounts included', () => {
  expect(draftFault('Dear Ana,\n\n- 5 EUR [net], see https://x.example/a\n\nBest 👩‍💻\nO.', 100)).toBeUndefined()
})
