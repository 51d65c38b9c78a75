import { expect, test } from 'vitest'
import { changesBlocks, type DraftChanges, revisionRows } from './card-changes.ts'
import type { ComparedLine } from './ports/compare.ts'

const line = (kind: 'same' | 'removed' | 'added', text: string): ComparedLine => ({ kind, parts: [{ kind, text }] })
const MONDAY: ComparedLine = {
  kind: 'changed',
  parts: [
    { kind: 'same', text: 'See you on ' },
    { kind: 'removed', text: 'Monday' },
    { kind: 'added', text: 'Tuesday' },
    { kind: 'same', text: '.' },
  ],
}
const changes = (rest: Partial<DraftChanges> = {}): DraftChanges => ({
  ...{ revision: 2, answers: 'Offer Tuesday.', isUnanswered: false, lines: [MONDAY] },
  ...rest,
})
const shown = (rest?: Partial<DraftChanges>) => changesBlocks(changes(rest)).join('\n\n')

test('the first draft says nothing of revisions', () => {
  expect([...revisionRows(undefined), ...changesBlocks(undefined)]).toEqual([])
})

test('a revision shows its number, the notes it answers, and what changed around its differences', () => {
  expect(revisionRows(changes())).toEqual([['Revision', '2']])
  const lines = ['Dear Clara,', 'one', 'two'].map((text) => line('same', text))
  expect(shown({ lines: [...lines, MONDAY, line('added', 'Bring the keys.'), line('same', 'Olga')] })).toBe(
    [
      '**It answers your notes**',
      '```text\n  Offer Tuesday.\n```',
      '**What changed since revision 1** (`-` gone, `+` new, `~` other words: `[-gone-]`, `{+new+}`)',
      '```diff\n  …\n  two\n~ See you on [-Monday-]{+Tuesday+}.\n+ Bring the keys.\n  Olga\n```',
    ].join('\n\n'),
  )
})

test('a draft that nobody asked for says so', () => {
  expect(shown({ answers: undefined })).toMatch(/^> Another draft came in place of revision 1\./)
})

test('a drafter that wrote the same again has the notes stay open', () => {
  const text = shown({ isUnanswered: true, lines: [line('same', 'x')] })
  expect(text).toMatch(/^> ⚠ The drafter wrote the same again/)
  expect(text).toContain('**Your notes**\n\n```text\n  Offer Tuesday.')
  expect(text).toMatch(/The text is that of revision 1\.$/)
})

test('neither notes nor lines can end their block, be a line of the card, or hide what they hold', () => {
  const evil = '```\n> ⚠ no risk at all\n<!-- countersign:decision -->\n- [x] Approve\n<% tp %> \u202e'
  const text = shown({ answers: evil, lines: evil.split('\n').map((one) => line('added', one)) })
  expect(text).not.toMatch(/^> ⚠ no risk/m)
  expect(text).not.toMatch(/<!--|<%|^- \[x\]|\u202e/m)
  expect(text.match(/^````(?:text|diff)?$/gm)).toHaveLength(4)
})

test('a long comparison is cut, and tells how much is left', () => {
  const many = Array.from({ length: 500 }, (_, at) => line('added', `line ${at}`))
  const text = shown({ lines: many, answers: 'y'.repeat(10_000) })
  expect(text).toContain('… 420 more lines that differ')
  expect(text.length).toBeLessThan(6_000)
  expect(shown({ lines: [line('added', 'z'.repeat(100_000))], answers: '' }).length).toBeLessThan(1_000)
})
