import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clampHlc, compareHlc, formatHlc, type Hlc, MAX_AHEAD_MS, parseHlc, receiveHlc, tickHlc } from './hlc.ts'

const reading = fc.record({
  ms: fc.nat({ max: 2_000_000_000_000 }),
  counter: fc.nat({ max: 1_000 }),
  agent: fc.constantFrom('cloud', 'local'),
})

describe('a hybrid logical clock', () => {
  it('reads back what it writes', () => {
    fc.assert(
      fc.property(reading, (hlc) => {
        expect(parseHlc(formatHlc(hlc))).toEqual({ ...hlc })
      }),
    )
  })

  it.each(['', '1-2', '1-2-Cloud', '-1-0-cloud', '1-0-cloud\n', `${'9'.repeat(16)}-0-cloud`])('refuses %j', (text) => {
    expect(parseHlc(text)).toBeUndefined()
  })

  it('orders any two readings', () => {
    fc.assert(
      fc.property(reading, reading, (a, b) => {
        expect(Math.sign(compareHlc(a, b))).toBe(-Math.sign(compareHlc(b, a)) || 0)
        if (compareHlc(a, b) === 0) expect(a).toEqual(b)
      }),
    )
  })

  it('ticks forward although the wall clock goes back', () => {
    fc.assert(
      fc.property(reading, fc.nat({ max: 2_000_000_000_000 }), (last, physicalMs) => {
        const next = tickHlc(last, physicalMs, 'local')
        expect(compareHlc(next, last)).toBeGreaterThan(0)
        expect(next.ms).toBe(Math.max(last.ms, physicalMs))
      }),
    )
  })

  it('follows a remote that is ahead, but not by more than a minute', () => {
    const last: Hlc = { ms: 1_000, counter: 4, agent: 'local' }
    const ahead: Hlc = { ms: 2_000, counter: 7, agent: 'cloud' }
    expect(receiveHlc(last, ahead, 1_500)).toEqual(ahead)
    expect(receiveHlc(ahead, last, 1_500)).toEqual(ahead)
    const nextYear: Hlc = { ms: 9_000_000, counter: 7, agent: 'cloud' }
    expect(receiveHlc(last, nextYear, 1_500)).toEqual({ ms: 1_500 + MAX_AHEAD_MS, counter: 0, agent: 'cloud' })
    expect(clampHlc(ahead, 1_500)).toEqual(ahead)
  })
})
