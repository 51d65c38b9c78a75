import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asksForCode, confirmationCode, isRightCode, isWholeCode, typedCode, withTypedCode } from './confirmation.ts'
import { newTaskFile, renderSection, section } from './task-file.ts'

const CARD = { digest: 'sha256:aa', at: 1_763_640_000_000 }
const taskWith = (decision: string) =>
  newTaskFile(
    {
      ...{ id: '01J8Z3W6Q0ABCDEFGHJKMNPQRS', schema: '1', kind: 'EMAIL', domain: 'email', title: 't' },
      ...{ created: '2026-11-20T10:00:00Z', generation: '1' },
    },
    `\nCode: outside\n\n${renderSection('decision', decision)}\n`,
  )

test('each card has a code of its own, always the same one', () => {
  expect(confirmationCode(CARD)).toBe(confirmationCode({ ...CARD }))
  expect(confirmationCode({ ...CARD, at: CARD.at + 1 })).not.toBe(confirmationCode(CARD))
  expect(confirmationCode({ ...CARD, digest: 'sha256:ab' })).not.toBe(confirmationCode(CARD))
})

test('a code has five signs that cannot be taken for one another', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), (digest, at) => {
      expect(confirmationCode({ digest, at })).toMatch(/^[ACDEFHJKMNPRTWXY3479]{5}$/)
    }),
  )
})

test('codes are spread over all there are', () => {
  const codes = new Set(Array.from({ length: 2_000 }, (_one, at) => confirmationCode({ ...CARD, at })))
  expect(codes.size).toBeGreaterThan(1_990)
})

test.each(['K7MXA', 'k7mxa', ' K7 MXA ', 'k7-mxa', '**K7MXA**', '`K7MXA`', '„K7MXA“', 'Ｋ7ＭＸＡ'])(
  '%s is taken for K7MXA',
  (typed) => {
    expect(isRightCode(typed, 'K7MXA')).toBe(true)
  },
)

test.each(['', 'K7MX', 'K7MXAA', 'K7MXB', 'K7MXÄ', 'KK7MXA', '7KMXA'])('%s is not', (typed) => {
  expect(isRightCode(typed, 'K7MXA')).toBe(false)
})

test.each([
  ['- [x] Approve\n\nCode: K7MXA', ' K7MXA'],
  ['Code:K7MXA\n- [x] Approve', 'K7MXA'],
  ['Code: k7 mxa', ' k7 mxa'],
  ['- **Code:** K7MXA', undefined],
  ['code: K7MXA', undefined],
  ['- [ ] Approve\n\nCode:', undefined],
  ['- [ ] Approve\n\nCode:  ', undefined],
  ['- [ ] Approve', undefined],
])('what was typed in %j is %j', (decision, typed) => {
  expect(typedCode(taskWith(decision))).toBe(typed)
})

test('a code is typed into the card that asks for one, and into no other', () => {
  const asking = taskWith('- [ ] Approve\n\nCode: old')
  const typed = withTypedCode(asking, 'k7-mxa')
  expect(typed && section(typed, 'decision')).toBe('- [ ] Approve\n\nCode: K7MXA')
  expect([asksForCode(asking), asksForCode(taskWith('- [ ] Approve'))]).toEqual([true, false])
  expect(withTypedCode(taskWith('- [ ] Approve'), 'K7MXA')).toBeUndefined()
})

test.each([
  ['K7', false],
  ['K7 MX', false],
  ['K7 MXA', true],
  ['K7MXAB', true],
])('%j is all of a code: %s', (typed, isWhole) => {
  expect(isWholeCode(typed)).toBe(isWhole)
})
