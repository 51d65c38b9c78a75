import { expect, test } from 'vitest'
import { withOutcomeTick } from './problem-card.ts'

const CARD = '<!-- countersign:decision -->\n- [ ] It was done\n- [ ] It was not done\n<!-- countersign:/decision -->\n'

test.each([
  ['plain', CARD],
  ['Windows', CARD.replaceAll('\n', '\r\n')],
])('a box is ticked in a file with %s line ends', (_kind, text) => {
  expect(withOutcomeTick(text, 'done')).toBe(text.replace('[ ] It was done', '[x] It was done'))
  expect(withOutcomeTick(text, 'not-done')).toBe(text.replace('[ ] It was not done', '[x] It was not done'))
  expect(withOutcomeTick(text.replace('[ ] It was done', '[x] It was done'), 'done')).toBeUndefined()
})
