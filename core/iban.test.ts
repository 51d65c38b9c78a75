import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findIbans, shownIban } from './iban.ts'

const DE = 'DE89370400440532013000'
const GB = 'GB29NWBK60161331926819'

test.each([
  [`Pay to ${DE} today.`, [DE]],
  [`Pay to ${shownIban(DE)} and tell me.`, [DE]],
  ['de89 3704-0044.0532 0130 00', [DE]],
  ['DE89\u200b3704 0044\u00a00532 0130\n00', [DE]],
  [`${shownIban(DE)} ${shownIban(GB)}`, [DE, GB]],
  [`${DE}/${GB}`, [DE, GB]],
  [`IBAN:${GB}`, [GB]],
  ['NO9386011117947', ['NO9386011117947']],
  ['MT84MALT011000012345MTLCAST001S', ['MT84MALT011000012345MTLCAST001S']],
  ['no number here, RE12 and AB34 are rooms', []],
])('%s', (text, valid) => {
  expect(findIbans(text)).toEqual({ valid, broken: [] })
})

test('one that fails its check digits is told apart from none', () => {
  expect(findIbans('DE88 3704 0044 0532 0130 00')).toEqual({ valid: [], broken: ['DE88370400440532013000'] })
})

test('no single digit can change unnoticed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 4, max: DE.length - 1 }), fc.integer({ min: 1, max: 9 }), (at, step) => {
      const changed = DE.slice(0, at) + ((Number(DE[at]) + step) % 10) + DE.slice(at + 1)
      expect(findIbans(changed).valid).toEqual([])
    }),
  )
})

test('any text is read without a fault', () => {
  fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void findIbans(`DE8${text}`)))
  expect(findIbans('DE89 '.repeat(20_000)).valid).toEqual([])
})
