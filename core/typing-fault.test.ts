import { expect, test } from 'vitest'
import { parseTaskFile } from './task-file.ts'
import { fenceFault, typingFault } from './typing-fault.ts'

test.each([
  ['id: x\ntitle: “a: b”', 'line 3, counted from the opening ---, has a typographic quote (“ U+201C): use " instead'],
  ['domain: ‘email’', "line 2, counted from the opening ---, has a typographic quote (‘ U+2018): use ' instead"],
  ['title： x', 'line 2, counted from the opening ---, has a wide colon (： U+FF1A): use : instead'],
  ['a:\n\u00a0\u00a0b: c', 'line 3, counted from the opening ---, has a blank that is none (U+00A0): use plain spaces'],
  ['a:\u00a0b', 'line 2, counted from the opening ---, has a blank that is none (U+00A0): use plain spaces'],
  ['a:\n  – b', 'line 3, counted from the opening ---, has a dash that is no hyphen (– U+2013): use - instead'],
  ['id: x\ntitle: "a: b"\nrange: 3–5\nsay: he said “no”', undefined],
])('in %j: %s', (front, say) => expect(typingFault(front)).toBe(say))

test.each([
  ['—\nid: x\n---\n', 'line 1 must be three plain hyphens and nothing else, and is written with — U+2014'],
  ['--- \nid: x\n---\n', 'line 1 must be three plain hyphens and nothing else, and is followed by blanks'],
  ['----\nid: x\n---\n', 'line 1 must be three plain hyphens and nothing else, and is 4 of them'],
  ['---\nid: x\n–-\nbody', 'line 3 must be three plain hyphens and nothing else, and is written with – U+2013'],
  ['---\nid: x\nbody', 'the line of three hyphens that ends the front matter is missing'],
  ['---\rid: x\r---\r', 'its lines end as on an old Mac; save it with plain line ends'],
  ['Hello', undefined],
])('%j: %s', (text, say) => expect(fenceFault(text)).toBe(say))

const FRONT = `id: 01J8Z3W6Q0ABCDEFGHJKMNPQRS
schema: 1
kind: EMAIL
domain: email
title: x
created: 2026-11-20T10:00:00Z
generation: 3
`
const problemOf = (text: string) => {
  const parsed = parseTaskFile(text)
  return parsed.ok ? 'none' : parsed.problem
}

test.each<[string, (text: string) => string, RegExp | 'none']>([
  ['nothing', (text) => text, 'none'],
  ['Windows line ends', (text) => text.replaceAll('\n', '\r\n'), 'none'],
  ['a byte order mark and Windows line ends', (text) => `\ufeff${text.replaceAll('\n', '\r\n')}`, 'none'],
  ['a typographic quote around a text', (text) => text.replace('title: x', 'title: “x”'), 'none'],
  ['a tab after a value', (text) => text.replace('title: x', 'title:\tx\t'), 'none'],
  ['a quoted colon', (text) => text.replace('title: x', 'title: “x: y”'), /^line 6.*colon too many.*typographic quote/],
  ['a quoted word', (text) => text.replace('domain: email', 'domain: “email”'), /^"domain".*line 5.*use " instead/],
  ['a quoted key', (text) => text.replace('schema', '“schema”'), /unusable key.*line 3.*use " instead/],
  [
    'a tab as indent',
    (text) => text.replace('generation: 3', '\tgeneration: 3'),
    /line 8.*begins with a tab; use spaces/,
  ],
  ['a dash for the hyphens', (text) => text.replace('---', '—'), /line 1 must be three plain hyphens.*U\+2014/],
  ['no front matter', () => 'Hello', /must begin with front matter between two lines of ---$/],
])('%s in a task file is read, or explained with its line', (_what, change, expected) => {
  const problem = problemOf(change(`---\n${FRONT}---\nbody\n`))
  if (expected === 'none') expect(problem).toBe('none')
  else expect(problem).toMatch(expected)
})

test('hostile text is looked through quickly', () => {
  for (const text of [
    '-'.repeat(200_000),
    ' '.repeat(200_000),
    `---\n${'- \n'.repeat(60_000)}`,
    '\r'.repeat(100_000),
  ]) {
    fenceFault(text)
    typingFault(text)
  }
}, 5_000)
