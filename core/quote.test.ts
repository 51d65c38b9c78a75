import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { oneLine, plainMarkdown, quoteInert, revealInvisible } from './quote.ts'

const quote = (text: string) => quoteInert(text, { maxChars: 5000 })
const inside = (text: string) => quote(text).split('\n').slice(1, -1).join('\n')

const HOSTILE = [
  '```',
  '````',
  '`````````````',
  '~~~',
  '```dataviewjs',
  '<!-- countersign:decision -->',
  '<!-- countersign:/original -->',
  '- [x] Approve',
  '* [ ] Approve',
  '> - [x] Approve',
  '---',
  '===',
  '\r\n',
  '\r',
  '\n',
  '\u2028',
  '\u0085',
  '\u000b',
  '\0',
  '\u001b[31m',
  '\u202e',
  '\u200b',
  '\u{e0041}\u{e0042}',
  '\ud800',
  '<%* tp.file.move() %>',
  '{{{',
  '%%%',
  '![[note]]',
  '![x](https://evil.test/a.png)',
  '<img src=x>',
  'key:: value',
  ':::',
  'https://evil.test',
  'obsidian://open',
  'javascript:alert(1)',
  ' ',
  '\t',
  'x',
]
const hostileText = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 6 })), { maxLength: 40 })
  .map((parts) => parts.join(''))

describe('quoteInert', () => {
  it.each([
    ['keeps plain words', 'Dear owner,\n\n  two spaces', 'Dear owner,\n\n  two spaces'],
    ['breaks our own marks', '<!-- countersign:decision -->', '‹!-- countersign:decision --›'],
    ['breaks Templater', '<%* evil() %>', '‹%* evil() %›'],
    ['breaks placeholders of any length', '{{{x}}}', '{ { {x} } }'],
    ['breaks comments of Obsidian', 'a %%hidden%% b', 'a % %hidden% % b'],
    ['breaks embeds and links', '![[a]] [[b]]', '! [ [a]] [ [b]]'],
    ['breaks remote images', '![](https://x.test/i.png)', '! [](hxxps[:]//x.test/i.png)'],
    ['breaks inline fields', 'due:: 2026', 'due: : 2026'],
    ['replaces rules', 'a\n---\n* * *\n====\nb', 'a\n⟦rule⟧\n⟦rule⟧\n⟦rule⟧\nb'],
    ['turns boxes round', '- [ ] a\n- [x] Approve\n> 1. [X] c', '- ( ) a\n- (x) Approve\n> 1. (X) c'],
    [
      'defangs addresses of any scheme',
      'HTTP://a obsidian://b javascript:c',
      'hxxp[:]//a obsidian[:]//b javascript[:]c',
    ],
    ['reads every line end as one', 'a\r\nb\rc\u2028d\u0085e', 'a\nb\nc\nd\ne'],
    ['drops control characters', 'a\0b\u001b[31mc', 'ab[31mc'],
    ['shows turned text', 'invoice\u202efdp.exe', 'invoice⟦U+202E⟧fdp.exe'],
    ['keeps emoji', '❤\ufe0f 👍', '❤ 👍'],
  ])('%s', (_name, text, expected) => {
    expect(inside(text)).toBe(expected)
  })

  it('uses a fence longer than any run of backticks inside', () => {
    expect(quote('a `````x')).toMatch(/^``````text\n/)
  })

  it('shortens with a plain note', () => {
    const quoted = quoteInert('x'.repeat(100), { maxChars: 10 })
    expect(quoted).toBe('```text\nxxxxxxxxxx\n[shortened: the original has 100 characters]\n```')
  })

  it('shortens runs of hidden text instead of growing', () => {
    expect(inside('\u{e0041}'.repeat(900)).length).toBeLessThan(100)
  })

  it('never lets hostile text leave the fence, look like a mark, or stay active', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const lines = quote(text).split('\n')
        const fence = /^`+/.exec(lines[0] ?? '')?.[0] ?? ''
        expect(lines[0]).toBe(`${fence}text`)
        expect(lines.at(-1)).toBe(fence)
        const content = lines.slice(1, -1).join('\n')
        for (const line of lines.slice(1, -1)) {
          expect(line).not.toMatch(new RegExp(`^\\s*\`{${fence.length},}`))
          expect(line).not.toMatch(/countersign:.*-->/)
          expect(line).not.toMatch(/^[\s>]*[-*+] \[/)
          expect(line).not.toMatch(/^-{3,}\s*$/)
        }
        expect(content).not.toMatch(/<!--|<%|\{\{|%%|!\[|\[\[|::|:\/\//)
        expect(content).not.toMatch(/[\p{Cf}\p{Cs}\r\0\u2028\u2029]/u)
        expect(quote(text).isWellFormed()).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('one-line texts', () => {
  it.each([
    ['collapses line breaks and blanks', 'a\r\n---\n\tb   c ', 'a --- b c'],
    ['shows hidden characters', 'pay\u200bpal', 'pay⟦U+200B⟧pal'],
    ['breaks templates', '<% x %> {{y}}', '‹% x %› { {y} }'],
  ])('%s', (_name, text, expected) => {
    expect(oneLine(text, 100)).toBe(expected)
  })

  it('keeps within the limit, whatever comes in, and on one line', () => {
    fc.assert(
      fc.property(hostileText, fc.integer({ min: 1, max: 60 }), (text, max) => {
        const line = oneLine(text, max)
        expect(line.length).toBeLessThanOrEqual(max)
        expect(line).not.toMatch(/[\n\r\p{Cc}\p{Cf}]/u)
      }),
    )
  })

  it('escapes what Markdown acts on', () => {
    expect(plainMarkdown('[a](b) <b> #x `c` *d*', 100)).toBe('\\[a\\](b) \\<b\\> \\#x \\`c\\` \\*d\\*')
  })

  it('reveals at most a few of a long run', () => {
    expect(revealInvisible(`a${'\u200b'.repeat(6)}b`)).toBe(
      'a⟦U+200B⟧⟦U+200B⟧⟦U+200B⟧⟦U+200B⟧⟦and 2 more invisible characters⟧b',
    )
  })
})

it('quotes a text of blanks quickly', () => {
  for (const one of [' ', '\t', ' \n', '\u00a0'])
    expect(quoteInert(`a${one.repeat(100_000 / one.length)}x`, { maxChars: 200_000 })).toMatch(/x\n```$/)
  expect(quoteInert(' a \n \n', { maxChars: 100 })).toBe('```text\n a\n```')
}, 5_000)
