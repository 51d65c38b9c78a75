import { expect, test } from 'vitest'
import { sideBySide } from './side-by-side.ts'

const show = (left: string, right: string) => sideBySide(left, right, ['file', 'copy'], 63)
const column = (text: string) => text.padEnd(30)

test('lines that differ stand beside each other, with what only one side has marked', () => {
  expect(show('one\ntwo\nthree\n', 'one\n2\nthree\nfour\n').split('\n')).toEqual([
    `${column('file')}   copy`,
    `${'─'.repeat(30)}   ${'─'.repeat(30)}`,
    `${column('one')}   one`,
    `${column('two')} | 2`,
    `${column('three')}   three`,
    `${column('')} > four`,
  ])
})

test('a line that is gone on the other side is marked', () => {
  expect(show('one\ntwo\n', 'one\n')).toContain(`${column('two')} <`)
})

test('equal stretches are shortened to the neighbourhood of a difference', () => {
  const lines = (at: number, text: string) =>
    Array.from({ length: 20 }, (_, line) => `${line === at ? text : `line ${line}`}\n`).join('')
  const text = show(lines(10, 'mine'), lines(10, 'theirs'))
  expect(text).toContain('… 7 equal lines …')
  expect(text).toContain('… 6 equal lines …')
  expect(text).toContain(`${column('mine')} | theirs`)
  expect(text).not.toContain('line 6 ')
})

test('nothing in a text reaches the terminal as a command', () => {
  expect(show('a\u001b[31mred\u202e\n', 'b\n')).not.toMatch(/\u001b|\u202e/)
})
