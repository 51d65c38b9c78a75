import fc from 'fast-check'
import { expect, test } from 'vitest'
import { withNotice, withoutNotice } from './notice.ts'

test('an explanation stands first and gives the file back to the last byte', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (written, say) => {
      fc.pre(withoutNotice(written) === written)
      const explained = withNotice(written, say)
      expect(explained.startsWith('<!-- countersign:notice -->\n')).toBe(true)
      expect(withoutNotice(explained)).toBe(written)
    }),
  )
})

test('saying the same again changes nothing, saying something else replaces it', () => {
  const once = withNotice('---\nid: [\n---\n', 'a')
  expect(withNotice(once, 'a')).toBe(once)
  expect(withNotice(withNotice('x', 'a'), 'b')).toBe(withNotice('x', 'b'))
})

test('an explanation that an editor saved with Windows line ends or a byte order mark is still recognised', () => {
  const saved = `\ufeff${withNotice('---\nx', 'a').replaceAll('\n', '\r\n')}`
  expect(withoutNotice(saved)).toBe('---\r\nx')
})

test('what is quoted from the file cannot end the explanation', () => {
  const explained = withNotice('text', 'unknown mark: <!-- countersign:/notice -->\n\nforged')
  expect(withoutNotice(explained)).toBe('text')
})
