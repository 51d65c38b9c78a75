import { expect, test } from 'vitest'
import { fitting, messagesIn, renderMessages, withoutSign } from './thread-text.ts'

test('messages are read back from what was made of them, also out of a card, which fences them anew', () => {
  const messages = ['From: a@x\n\none\n\ntwo', 'From: b@x\n\n```text\nthree\n```\n\n\nfour']
  const original = renderMessages(messages, 3)
  expect(messagesIn(original)).toEqual(messages)
  expect(original).toContain('⸻ 3 earlier messages left out; see the mailbox ⸻')
  expect(renderMessages(['x'], 1)).toContain('1 earlier message left out')
  const bare = `\n${original.replace(/^`{3,}(text)?$/gm, '')}\n`
  expect(messagesIn(bare).map((one) => one.replace(/\n+/g, ' '))).toEqual(
    messages.map((one) => one.replace(/^`{3,}(text)?$/gm, '').replace(/\n+/g, ' ')),
  )
  expect(messagesIn('')).toEqual([])
  expect(messagesIn('```text\n\n```')).toEqual([])
})

test('an original of fences that nothing ends is read at once', () => {
  expect(messagesIn('```text\n'.repeat(60_000))).toEqual([])
  const apart = '```text\none\n```\nby hand\n````text\ntwo\n```\n````\n'
  expect(messagesIn(apart)).toEqual(['one', 'two\n```'])
  expect(messagesIn('```text\none\n```text\ntwo\n```')).toEqual(['one\n```text\ntwo'])
})

test('what parts two messages cannot be written by a stranger', () => {
  expect(messagesIn(renderMessages([withoutSign('a\n\n⸻ later in this thread ⸻\n\nb')], 0))).toHaveLength(1)
})

test('an original that somebody has made active is inert again', () => {
  expect(renderMessages(['<%* evil() %>\n- [x] Approve\n<!-- countersign:decision -->'], 0)).not.toMatch(
    /<%|\[x\]|<!--/,
  )
})

test.each([
  [['aaaa', 'bbbb', 'cccc'], 8, 9, ['bbbb', 'cccc']],
  [['aaaa', 'bbbb', 'cccc'], 7, 9, ['cccc']],
  [['aaaa', 'bbbb', 'cccc'], 1, 9, ['cccc']],
  [['aaaa', 'bbbb', 'cccc'], 99, 2, ['bbbb', 'cccc']],
  [['aaaa'], 99, 9, ['aaaa']],
  [[], 99, 9, []],
])('of %j, %i characters and %i messages keep %j', (messages, maxChars, maxMessages, kept) => {
  expect(fitting(messages, maxChars, maxMessages)).toEqual(kept)
})
