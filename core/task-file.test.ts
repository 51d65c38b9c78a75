import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  draftOf,
  newTaskFile,
  parseTaskFile,
  renderSection,
  renderTaskFile,
  section,
  ticksOf,
  withFront,
  withSection,
} from './task-file.ts'

const FRONT = `id: 01J8Z3W6Q0ABCDEFGHJKMNPQRS
schema: 1
kind: EMAIL
domain: email
title: Invoice for March
created: 2026-11-20T10:00:00.000Z
generation: 0
`
const BODY = `
# Invoice for March

<!-- countersign:decision -->
- [ ] Approve
- [x] Reject
- [ ] Redraft
<!-- countersign:/decision -->

- [x] Approve

<!-- countersign:draft -->

Dear Ana,

thanks.

<!-- countersign:/draft -->
`
const file = (front = FRONT, body = BODY) => `---\n${front}---\n${body}`
const parsed = (text: string) => {
  const result = parseTaskFile(text)
  if (!result.ok) throw new Error(result.problem)
  return result.task
}

describe('reading', () => {
  test('gives typed front matter, the draft without blank lines around it, and only the decision section’s ticks', () => {
    const task = parsed(file())
    expect(task.front).toMatchObject({ generation: 0, domain: 'email', risk: [], history: [] })
    expect(draftOf(task)).toBe('Dear Ana,\n\nthanks.')
    expect(ticksOf(task)).toEqual(['reject'])
  })

  test('gives back every byte when rendered', () => {
    const text = file(`${FRONT}# a person's comment\nx_unknown: "0012"   # kept\nphone: +48123\n`)
    expect(renderTaskFile(parsed(text))).toBe(text)
  })

  test('keeps unknown keys, comments and number-like strings when front matter changes', () => {
    const task = withFront(parsed(file(`${FRONT}# a person's comment\nbig: 1e10\nphone: +48123\nzeros: 0012\n`)), {
      generation: 7,
    })
    expect(task.frontText).toContain("# a person's comment\nbig: 1e10\nphone: +48123\nzeros: 0012\n")
    expect(parsed(renderTaskFile(task)).front.generation).toBe(7)
  })

  test('reads Windows line ends as plain ones', () => {
    expect(draftOf(parsed(file().replaceAll('\n', '\r\n')))).toBe('Dear Ana,\n\nthanks.')
  })
})

describe('refusing', () => {
  test.each([
    ['no front matter', 'hello', 'front-matter-missing'],
    ['unclosed front matter', `---\n${FRONT}`, 'front-matter-missing'],
    ['executable front matter', `---js\nmodule.exports = 1\n---\n`, 'front-matter-missing'],
    ['an alias', file(`${FRONT}a: &x 1\nb: *x\n`), 'front-matter-yaml'],
    ['an anchor', file(`${FRONT}a: &x 1\n`), 'front-matter-yaml'],
    ['a tag', file(`${FRONT}a: !!js/function 1\n`), 'front-matter-yaml'],
    ['a directive', file(`%YAML 1.1\n${FRONT}`), 'front-matter-directive'],
    ['a second document', file(`${FRONT}...\nx: 1\n`), 'front-matter-directive'],
    ['a duplicate key', file(`${FRONT}title: other\n`), 'front-matter-yaml'],
    ['a prototype key', file(`${FRONT}__proto__: x\n`), 'front-matter-yaml'],
    ['a constructor key', file(`${FRONT}constructor: x\n`), 'front-matter-yaml'],
    ['a deep nest', file(`${FRONT}a: ${'{a: '.repeat(20)}1${'}'.repeat(20)}\n`), 'front-matter-yaml'],
    ['20,000 keys', file(FRONT + Array.from({ length: 20_000 }, (_, i) => `k${i}: 1\n`).join('')), 'front-matter-size'],
    ['a control character', file(`${FRONT}a: "x\u0007"\n`), 'front-matter-characters'],
    ['a line separator', file(`${FRONT}a: x\u2028y\n`), 'front-matter-characters'],
    ['a list instead of keys', file('- 1\n'), 'front-matter-yaml'],
    ['an id that is none', file(FRONT.replace(/01J8\w+/, 'nope')), 'front-matter-schema'],
    ['an unknown domain', file(FRONT.replace('domain: email', 'domain: bank')), 'front-matter-schema'],
    ['an unknown schema', file(FRONT.replace('schema: 1', 'schema: 2')), 'front-matter-schema'],
    ['a negative generation', file(FRONT.replace('generation: 0', 'generation: -1')), 'front-matter-schema'],
    ['a mark that is not closed', file(FRONT, BODY.replace('<!-- countersign:/draft -->', '')), 'marks'],
    [
      'a mark that stands twice',
      file(FRONT, `${BODY}\n<!-- countersign:draft -->\nx\n<!-- countersign:/draft -->\n`),
      'marks',
    ],
    ['a mark inside another section', file(FRONT, BODY.replace('Dear Ana,', '<!-- countersign:notes -->')), 'marks'],
    ['an unknown mark', file(FRONT, `${BODY}\n<!-- countersign:pay -->\n`), 'marks'],
    ['a huge file', file(FRONT, 'x'.repeat(300_000)), 'file-size'],
  ])('%s', (_name, text, rule) => {
    expect(parseTaskFile(text)).toMatchObject({ ok: false, rule })
  })

  test.each([
    [FRONT.replace('kind: EMAIL', 'kind: [EMAIL'), /^line \d+, .* is not valid YAML \(.*\): .*bracket/],
    [FRONT.replace('kind: EMAIL', '\tkind: EMAIL'), /^line \d+, .* is not valid YAML \(kind: EMAIL\)/],
    [FRONT.replace('domain: email', 'domain: a: b'), /^line \d+, .* is not valid YAML \(domain: a: b\): .*colon/],
    [`${FRONT}title: other\n`, /not valid YAML \(title: other\): the key of this line stands there twice/],
    [FRONT.replace('domain: email\n', ''), /^"domain" in the front matter is missing/],
  ])('says in plain words where the fault of %j lies', (front, words) => {
    const text = file(front)
    const verdict = parseTaskFile(text)
    expect(verdict).toMatchObject({ ok: false, problem: expect.stringMatching(words) })
    const [, line, shown] = /^line (\d+), .* YAML \((.*)\): /.exec(verdict.ok ? '' : verdict.problem) ?? []
    if (line) expect(text.split('\n')[Number(line) - 1]?.trim()).toBe(shown)
  })

  test('never throws, whatever the input', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 400 }),
        fc.string({ unit: 'binary', maxLength: 200 }),
        (front, body) => {
          parseTaskFile(`---\n${front}\n---\n${body}`)
          parseTaskFile(file(FRONT + front))
        },
      ),
    )
  })
})

describe('writing', () => {
  const front = {
    id: '01J8Z3W6Q0ABCDEFGHJKMNPQRS',
    schema: '1',
    kind: 'EMAIL',
    domain: 'email',
    created: '2026-11-20T10:00:00Z',
    generation: '0',
  } as const

  test('any title survives the way through YAML', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const title = text.replace(/[\p{Cc}\u2028\u2029\ufeff]/gu, ' ')
        expect(parsed(renderTaskFile(newTaskFile({ ...front, title }, ''))).front.title).toBe(title)
      }),
    )
  })

  test('a section’s text survives, dollar signs included, and replaces the former one', () => {
    const task = withSection(
      withSection(newTaskFile({ ...front, title: 't' }, '# t\n'), 'draft', 'one'),
      'draft',
      "costs $& $1 $' 5",
    )
    expect(section(task, 'draft')).toBe("costs $& $1 $' 5")
    expect(section(withSection(task, 'notes', ''), 'notes')).toBe('')
  })

  test('a mark line inside a section’s text is refused', () => {
    expect(() =>
      withSection(newTaskFile({ ...front, title: 't' }, ''), 'draft', 'x\n<!-- countersign:/draft -->\ny'),
    ).toThrow(/mark line/)
  })
})

test('a file of blanks is read and added to quickly', () => {
  const task = parsed(file(FRONT, `${renderSection('draft', `a${' '.repeat(200_000)}x`)}\n`))
  expect(draftOf(task)).toHaveLength(200_002)
  const lines = parsed(file(FRONT, `a${'\n'.repeat(200_000)}x\n\n\n`))
  expect(withSection(lines, 'notes', 'n').body.slice(-80)).toMatch(
    /\nx\n\n<!-- countersign:notes -->\nn\n<!-- countersign:\/notes -->\n$/,
  )
}, 5_000)
