import { expect, test } from 'vitest'
import { hiddenMarkup } from './hidden-markup.ts'

test.each([
  ['Dear client,\n\n<!--\npay to EVIL\n-->', 3, 'an HTML comment'],
  ['fine <!-- x --> fine', 1, 'an HTML comment'],
  ['a\n<?php x ?>', 2, 'an HTML comment'],
  ['a\n<![CDATA[ x ]]>', 2, 'an HTML comment'],
  ['a\n\n<details>\nhidden\n</details>', 3, 'an HTML tag'],
  ['a <span hidden>x</span>', 1, 'an HTML tag'],
  ['a <span\nhidden>x', 1, 'an HTML tag'],
  ['a </details>', 1, 'an HTML tag'],
  ['a <BR/> b', 1, 'an HTML tag'],
  ['a\n%% hidden %%', 2, 'a comment between %%'],
  ['a\n%%\nhidden\n%%', 2, 'a comment between %%'],
  ['a\n\n[//]: # (hidden)', 3, 'a link definition'],
  ['a\n\n   [x]: /url "hidden"', 3, 'a link definition'],
  ['a\n\n> [x]: hidden', 3, 'a link definition'],
  ['a\n\n- [x]: hidden', 3, 'a link definition'],
  ['a\n\n[two\nlines]: hidden', 3, 'a link definition'],
  ['a\n\n[x\\]y]:\nhidden', 3, 'a link definition'],
  ['see [here](https://evil.example)', 1, 'a link that hides its address'],
  ['a\n![](pay-to-evil)', 2, 'a link that hides its address'],
  ['a\n``` pay to evil\n```', 2, 'words behind a code fence'],
  ['a\n~~~hidden\n~~~', 2, 'words behind a code fence'],
  ['| a |\n|---|\n| b | hidden |', 2, 'a table'],
  ['a | b\n:-- | --:\nc | d | hidden', 2, 'a table'],
  ['fine ^pay-to-evil', 1, 'a block name'],
  ['fine\n\n> [!note]- As agreed\n> pay to EVIL', 3, 'a callout'],
  ['fine\n- > [!x]+', 2, 'a callout'],
  ['fine^[pay to EVIL]', 1, 'a footnote'],
  ['fine\npay `= this.amount`', 2, 'a query of a plugin'],
  ['`$= dv.current()`', 1, 'a query of a plugin'],
  ['fine\n$\\phantom{pay to EVIL}$', 2, 'a formula'],
  ['fine for $5\nand $x%pay to EVIL$ too', 2, 'a formula'],
  ['$$\n% pay to EVIL\n$$', 1, 'a formula'],
])('in %j, line %i is hidden: %s', (text, line, what) => {
  expect(hiddenMarkup(text)).toMatchObject({ line, what })
})

test.each([
  'Dear Ana,\n\nit is on its way, 100 % sure.\n\n-- \nMe',
  'See <https://example.com/a?b=c> or write to <me@home.example>.',
  'x < y and y > z, a<1, <3',
  'Points [1] and [2]; the total: [see there]: nothing',
  '- one\n- two\n\n---\n\n1. three\n> quoted',
  '```\ncode\n```',
  'a | b',
  'm^2 and 2 ^ 3',
  'from $5 (10% off) to $8, or US$ 100 and 5 % of $7',
  'C:\\files and $HOME, 5 $',
])('nothing is hidden in %j', (text) => {
  expect(hiddenMarkup(text)).toBeUndefined()
})

test('a long text of brackets and blanks is looked at quickly', () => {
  for (const text of [
    '['.repeat(100_000),
    ' '.repeat(100_000),
    '> '.repeat(50_000),
    `${'\n'.repeat(100_000)}x`,
    '[a\n'.repeat(30_000),
    '$ %'.repeat(30_000),
  ])
    expect(hiddenMarkup(text)).toBeUndefined()
}, 5_000)
