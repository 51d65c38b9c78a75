import { expect, test } from 'vitest'
import { answeredNotes, openNotes, restoredNotes } from './notes-to-drafter.ts'

test.each([
  ['Shorter, please.', '~~Shorter, please.~~'],
  ['- shorter\n- offer Tuesday', '- ~~shorter~~\n- ~~offer Tuesday~~'],
  ['1. shorter\n\n> as I said', '1. ~~shorter~~\n\n> ~~as I said~~'],
  ['- [ ] offer Tuesday', '- ~~[ ] offer Tuesday~~'],
  ['-5 % is too much', '~~-5 % is too much~~'],
  ['~~done before~~\nnew', '~~done before~~\n~~new~~'],
  ['~~half~~ struck', '~~~~half~~ struck~~'],
  ['', ''],
])('%j is struck through once it is answered, and only once', (notes, struck) => {
  expect(answeredNotes(notes, '')).toBe(struck)
  expect(answeredNotes(struck, '')).toBe(struck)
  expect(openNotes(struck)).toBe('')
})

test('what is struck through is not asked for again; the rest is', () => {
  expect(openNotes('~~Shorter.~~\n\nOffer Tuesday.\n- ~~and a discount~~')).toBe('Offer Tuesday.')
})

test('what the person wrote is there again when it was lost on the way', () => {
  expect(answeredNotes('', 'Shorter.\n\nOffer Tuesday.')).toBe('~~Shorter.~~\n~~Offer Tuesday.~~')
  expect(answeredNotes('Shorter.\nforged', 'Shorter.\nOffer Tuesday.')).toBe(
    '~~Offer Tuesday.~~\n~~Shorter.~~\n~~forged~~',
  )
  expect(restoredNotes('~~old~~', 'Shorter.')).toBe('Shorter.\n~~old~~')
  expect(restoredNotes('Shorter.  ', 'Shorter.')).toBe('Shorter.')
})
