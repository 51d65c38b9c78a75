import { describe, expect, it } from 'vitest'
import { canonicalAddress, isEightBit, readableDomain } from './mail-address.ts'

describe('canonicalAddress', () => {
  it.each([
    ['ana@acme.example', 'ana@acme.example'],
    ['Ana.B+x@ACME.Example', 'Ana.B+x@acme.example'],
    ['kunde@bücher.example', 'kunde@xn--bcher-kva.example'],
    ['kunde@xn--bcher-kva.example', 'kunde@xn--bcher-kva.example'],
    ['jörg@BÜCHER.example', 'jörg@xn--bcher-kva.example'],
    ['用户@例子.example', '用户@xn--fsqu00a.example'],
  ])('reads %s', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical)
    expect(canonicalAddress(canonical)).toBe(canonical)
  })

  it.each([
    '',
    'ana',
    '@acme.example',
    'ana@',
    'ana@localhost',
    'ana@@acme.example',
    '"a b"@acme.example',
    'a b@acme.example',
    '.ana@acme.example',
    'an..a@acme.example',
    'Ana <ana@acme.example>',
    'ana@acme.example, eve@evil.example',
    'ana\u202e@acme.example',
    'an\u200ba@acme.example',
    'jo\u0308rg@acme.example',
    'ana@acme.example\n',
    'ana@acme.exa\u0000mple',
    'ana@[127.0.0.1]',
    'ana@acme.exa\u00admple',
    'ana@acme.example/evil.example',
    'ana@acme%2eexample',
    'ana@acme.example:25',
    `${'a'.repeat(65)}@acme.example`,
    `ana@${'a.'.repeat(130)}example`,
  ])('refuses %j', (text) => {
    expect(canonicalAddress(text)).toBeUndefined()
  })
})

it('tells which addresses need more than ASCII', () => {
  expect([isEightBit('jörg@acme.example'), isEightBit('ana@xn--bcher-kva.example')]).toEqual([true, false])
})

it('shows a domain as people read it', () => {
  expect(readableDomain('kunde@xn--bcher-kva.example')).toBe('bücher.example')
  expect(readableDomain('ana@acme.example')).toBeUndefined()
})
