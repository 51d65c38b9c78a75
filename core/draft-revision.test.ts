import { expect, test } from 'vitest'
import { keptText, MAX_KEPT_CHARS, revised } from './draft-revision.ts'
import type { TaskId } from './ids.ts'

const taskId = '01J8Z3W6Q0ABCDEFGHJKABCDEF' as TaskId
const arrived = (text: string, received = 1, generation = 1) => ({ taskId, text, received, generation })
const first = revised(undefined, arrived('one'))

test('the first draft is revision 1, and the person’s own changes make no other', () => {
  expect(first).toMatchObject({ revision: 1, drafted: 'one', shown: 'one', previous: undefined })
  expect(revised(first, arrived('one, edited'))).toMatchObject({ revision: 1, drafted: 'one', shown: 'one, edited' })
})

test('a draft that was asked for is compared with what was shown last, the person’s edits in it', () => {
  const edited = { ...revised(first, arrived('one, edited')), asked: 'shorter' }
  const second = revised(edited, arrived('two', 2, 2))
  expect(second).toEqual({
    ...{ taskId, revision: 2, received: 2, generation: 2, drafted: 'two', shown: 'two' },
    ...{ previous: 'one, edited', answers: 'shorter', isUnanswered: false, asked: undefined },
  })
  // Whoever died before its card was written makes the same card of it.
  expect(revised(second, arrived('two', 2, 2))).toEqual(second)
  expect(revised(second, arrived('two!', 2, 2))).toMatchObject({ revision: 2, drafted: 'two', previous: 'one, edited' })
})

test.each(['one', 'one, edited'])('a drafter that writes %j again has answered nothing', (text) => {
  const asked = { ...revised(first, arrived('one, edited')), asked: 'shorter' }
  expect(revised(asked, arrived(text, 2, 2))).toMatchObject({ revision: 2, answers: 'shorter', isUnanswered: true })
})

test('a draft that nobody asked for is a revision when it was received with another text', () => {
  expect(revised(first, arrived('two', 2))).toMatchObject({ revision: 2, previous: 'one', answers: undefined })
  expect(revised(first, arrived('one', 2))).toMatchObject({ revision: 1, previous: undefined, received: 2 })
})

test('a draft that was taken back before the drafter had it is no revision, and asks no more', () => {
  const back = revised({ ...first, asked: 'shorter' }, arrived('one'))
  expect(back).toEqual(first)
})

test('a long text is remembered in part, and yet known from any other', () => {
  const long = 'x'.repeat(MAX_KEPT_CHARS)
  expect(keptText(long)).toBe(long)
  expect(keptText(`${long}a`).length).toBeLessThan(MAX_KEPT_CHARS + 100)
  expect(keptText(`${long}a`)).not.toBe(keptText(`${long}b`))
})
