import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { costOf, parsePrice, parseUsd, renderUsd, spendDay, worstCaseOf } from './spend.ts'

const PLAIN = { read: 100, write: 100 }
const CACHING = { read: 10, write: 125 }

describe('money', () => {
  it.each([
    ['0', 0n],
    ['2', 2_000_000_000n],
    ['0.5', 500_000_000n],
    ['0.000000001', 1n],
    ['999999999.999999999', 999_999_999_999_999_999n],
  ])('reads %s', (text, nano) => expect(parseUsd(text)).toBe(nano))

  it.each(['', '-1', '1e3', '.5', '1.', '1,5', '0.0000000001', '1234567890', ' 1', '1\n'])('does not read %j', (text) =>
    expect(parseUsd(text)).toBeUndefined(),
  )

  it('comes back as it went in', () => {
    fc.assert(fc.property(fc.bigInt(0n, 10n ** 18n - 1n), (nano) => parseUsd(renderUsd(nano)) === nano))
  })

  it('is written without needless zeros', () => {
    expect([0n, 3_150_000n, 12_500_000_000n, 10n].map(renderUsd)).toEqual(['0', '0.00315', '12.5', '0.00000001'])
  })
})

describe('a price', () => {
  it('is what a million tokens cost, in and out', () => {
    expect(parsePrice('3/15')).toEqual({ input: 3_000_000_000n, output: 15_000_000_000n })
  })
  it.each(['3', '3/', '/15', '3/15/1', '3/-1', 'x/y'])('%j is none', (text) => expect(parsePrice(text)).toBeUndefined())
})

const PRICE = { input: 3_000_000_000n, output: 15_000_000_000n }

describe('what a call costs', () => {
  it('is the sum of its tokens, cached ones by their own share', () => {
    const usage = { input: 1_000, cacheRead: 10_000, cacheWrite: 100, output: 200 }
    expect(renderUsd(costOf(usage, PRICE, CACHING))).toBe('0.009375')
    expect(renderUsd(costOf(usage, PRICE, PLAIN))).toBe('0.0363')
  })

  it('is rounded up, never to nothing', () => {
    const usage = { input: 1, cacheRead: 0, cacheWrite: 0, output: 0 }
    expect(costOf(usage, { input: 1n, output: 0n }, PLAIN)).toBe(1n)
  })

  it('never exceeds the worst case, however the tokens fall', () => {
    const tokens = fc.nat(2_000)
    fc.assert(
      fc.property(
        fc.string({ maxLength: 3_000, unit: 'grapheme' }),
        tokens,
        tokens,
        tokens,
        fc.nat(500),
        (text, ...of) => {
          const [read, write, output] = [of[0] ?? 0, of[1] ?? 0, of[3] ?? 0]
          const bytes = Buffer.byteLength(text)
          const cacheRead = Math.min(read, bytes)
          const cacheWrite = Math.min(write, bytes - cacheRead)
          const usage = { cacheRead, cacheWrite, input: bytes - cacheRead - cacheWrite, output }
          for (const cache of [PLAIN, CACHING]) {
            expect(costOf(usage, PRICE, cache) <= worstCaseOf([text], 500, PRICE, cache)).toBe(true)
          }
        },
      ),
    )
  })

  it('counts a character of several bytes as several tokens at worst', () => {
    const free = { input: 1_000_000n, output: 0n }
    expect(worstCaseOf(['日本'], 0, free, PLAIN) - worstCaseOf([''], 0, free, PLAIN)).toBe(6n)
  })
})

it('a day ends at midnight UTC', () => {
  expect(spendDay(Date.parse('2026-11-30T23:59:59.999Z'))).toBe('2026-11-30')
  expect(spendDay(Date.parse('2026-12-01T00:30:00+01:00'))).toBe('2026-11-30')
  expect(spendDay(Date.parse('2026-12-01T00:00:00Z'))).toBe('2026-12-01')
})
