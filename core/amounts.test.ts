import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findAmounts, MAX_CENTS, readAmount, sayAmount } from './amounts.ts'

describe('money as people write it', () => {
  test.each([
    ['500 EUR', ['EUR', 500]],
    ['€500', ['EUR', 500]],
    ['500,50 €', ['EUR', 500.5]],
    ['EUR 1.234,56', ['EUR', 1234.56]],
    ['$1,234.56', ['USD', 1234.56]],
    ['US$ 99.9', ['USD', 99.9]],
    ['1.000 EUR', ['EUR', 1000]],
    ['1,000 EUR', ['EUR', 1000]],
    ['1’000.00 CHF', ['CHF', 1000]],
    ['1 234 567 sek', ['SEK', 1234567]],
    ['1 234,5 €', ['EUR', 1234.5]],
    ['5k €', ['EUR', 5000]],
    ['1.2 million dollars', ['USD', 1200000]],
    ['2,125 Mio. EUR', ['EUR', 2125000]],
    ['£3bn', ['GBP', 3e9]],
    ['250 euros', ['EUR', 250]],
    ['49,- €', ['EUR', 49]],
    ['0.5 BTC', ['BTC', 0.5]],
    ['５００ EUR', ['EUR', 500]],
  ])('%s', (text, [currency, value]) => {
    expect(findAmounts(`It is ${text}, as agreed.`)).toEqual([{ currency, cents: Number(value) * 100 }])
    expect(readAmount(text)).toEqual({ currency, cents: Number(value) * 100 })
  })

  test.each([
    '500',
    'room 12 Europe',
    'EUROPE 2026',
    '12:00',
    'version 1.2.3',
    '2026-11-20',
    'US 5',
    'five hundred euros',
  ])('not money: %s', (text) => {
    expect(findAmounts(text)).toEqual([])
  })

  test('a number that is too large counts as the largest, never as a small one', () => {
    expect(findAmounts('999999999999999 bn EUR')).toEqual([{ currency: 'EUR', cents: MAX_CENTS }])
    expect(sayAmount({ currency: 'EUR', cents: MAX_CENTS })).toBe('a huge amount of EUR')
  })

  test('whatever is written is read back as the same amount', () => {
    const separators = fc.constantFrom(['.', ','], [',', '.'], [' ', ','], ['’', '.'], ['', '.'])
    fc.assert(
      fc.property(fc.nat(10 ** 11), separators, (cents, [group = '', point = '']) => {
        const whole = String(Math.floor(cents / 100)).replace(/\B(?=(?:\d{3})+$)/g, group)
        const text = `${whole}${point}${String(cents % 100).padStart(2, '0')} EUR`
        expect(readAmount(text)).toEqual({ currency: 'EUR', cents })
        expect(readAmount(sayAmount({ currency: 'EUR', cents }))).toEqual({ currency: 'EUR', cents })
      }),
    )
  })

  test('long hostile texts are read in linear time', () => {
    const text = '1.'.repeat(50_000)
    expect(findAmounts(text)).toEqual([])
  })
})
