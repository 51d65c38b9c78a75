import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodedDomain, isOneLetterOff, KnownParties, registeredDomain, shownDomain, skeletonOf } from './look-alike.ts'

const known = new KnownParties({
  addresses: ['anna.meier@acme.example', 'owner@studio-nord.example', 'peter@gmail.com', 'client-1@client.test'],
  domains: ['bank.co.uk'],
})

describe('a domain that imitates a known one', () => {
  test.each([
    ['acrne.example', 'same-shape', 'acme.example'],
    ['аcme.example', 'same-shape', 'acme.example'],
    ['αcme.example', 'same-shape', 'acme.example'],
    ['acmé.example', 'same-shape', 'acme.example'],
    [new URL('http://аcme.example').hostname, 'same-shape', 'acme.example'],
    ['ａcme.example', undefined, ''],
    ['acne.example', 'one-letter', 'acme.example'],
    ['amce.example', 'one-letter', 'acme.example'],
    ['acmee.example', 'one-letter', 'acme.example'],
    ['studionord.example', 'hyphen', 'studio-nord.example'],
    ['studio-n0rd.example', 'same-shape', 'studio-nord.example'],
    ['acme-billing.example', 'inside', 'acme.example'],
    ['acme.example.evil.test', 'inside', 'acme.example'],
    ['studio-nord.evil.test', 'inside', 'studio-nord.example'],
    ['gmai1.com', 'same-shape', 'gmail.com'],
    ['gmail.com.evil.test', 'inside', 'gmail.com'],
    ['bank.uk', 'other-ending', 'bank.co.uk'],
    ['acme.test', 'other-ending', 'acme.example'],
    ['mail.acme.example', undefined, ''],
    ['www.bank.co.uk', undefined, ''],
    ['googlemail.com', undefined, ''],
    ['mail.com', undefined, ''],
    ['somebody-else.example', undefined, ''],
    ['client2.test', undefined, ''],
  ])('%s: %s', (domain, trick, imitated) => {
    expect(known.domainLookAlike(domain)).toEqual(trick && { known: imitated, trick })
  })
})

describe('an address that imitates a known one', () => {
  test.each([
    ['anna.meler@acme.example', 'same-shape'],
    ['anna.meyer@acme.example', 'one-letter'],
    ['annameier@acme.example', 'one-letter'],
    ['anna-meier@acme.example', 'one-letter'],
    ['Anna.Meier@ACME.example', undefined],
    ['client-2@client.test', undefined],
    ['client-l@client.test', 'same-shape'],
    ['anna.meier@acrne.example', 'same-shape'],
    ['bob@acme.example', undefined],
    ['pete@gmail.com', undefined],
  ])('%s: %s', (address, trick) => {
    expect(known.addressLookAlike(address)?.trick).toBe(trick)
  })
})

test('punycode reads as what it says; what is none stays', () => {
  const words = ['münchen', 'straße', 'пример', '例え', 'παράδειγμα', 'bücher-und-mehr', 'ü', 'mañana']
  for (const word of words) {
    const { hostname } = new URL(`http://${word}.example`)
    expect(decodedDomain(hostname)).toBe(`${word}.example`)
  }
  for (const label of ['xn--', 'xn--!', 'xn--a', 'xn--99999999999', 'plain']) expect(decodedDomain(label)).toBe(label)
  expect(shownDomain('xn--mnchen-3ya.example')).toBe('xn--mnchen-3ya.example (reads münchen.example)')
  expect(shownDomain('acme.example')).toBe('acme.example')
})

test('punycode of any letters reads back', () => {
  const letter = fc.constantFrom(...'aäbcßdéñжя中あ한')
  fc.assert(
    fc.property(fc.array(letter, { minLength: 1, maxLength: 15 }), (letters) => {
      const word = letters.join('')
      expect(decodedDomain(new URL(`http://${word}.example`).hostname)).toBe(`${word}.example`)
    }),
  )
})

test.each([
  ['shop.acme.co.uk', 'acme.co.uk'],
  ['a.b.acme.example.', 'acme.example'],
  ['localhost', 'localhost'],
])('the registered part of %s is %s', (domain, registered) => {
  expect(registeredDomain(domain)).toBe(registered)
})

test('one letter off is symmetric, and never a name itself', () => {
  const name = fc.stringMatching(/^[a-z]{2,12}$/)
  fc.assert(
    fc.property(name, name, (a, b) => {
      expect(isOneLetterOff(a, b)).toBe(isOneLetterOff(b, a))
      expect(isOneLetterOff(a, a)).toBe(false)
    }),
  )
  fc.assert(
    fc.property(name, fc.nat(11), fc.constantFrom(...'xyz'), (word, at, letter) => {
      const place = at % (word.length + 1)
      expect(isOneLetterOff(word, word.slice(0, place) + letter + word.slice(place))).toBe(true)
    }),
  )
})

test('a skeleton does not change when it is taken again, and nobody known imitates itself', () => {
  fc.assert(
    fc.property(fc.emailAddress(), (address) => {
      const one = new KnownParties({ addresses: [address] })
      expect(one.addressLookAlike(address)).toBeUndefined()
      expect(one.addressLookAlike(address.toUpperCase())).toBeUndefined()
    }),
  )
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => void skeletonOf(text)))
})
