import { beforeEach, describe, expect, it } from 'vitest'
import { type Breaker, makeBreaker } from './breaker.ts'

let breaker: Breaker
let now = 0
beforeEach(() => {
  now = 1_000_000
  breaker = makeBreaker({ failures: 3, pauseMs: 100, longestPauseMs: 350 })
})
const fail = (times: number) => {
  for (let i = 0; i < times; i++) {
    expect(breaker.admit(now)).toBe(true)
    breaker.failed(now)
  }
}

describe('a breaker', () => {
  it('stays closed while failures are fewer or not in a row', () => {
    fail(2)
    breaker.succeeded()
    fail(2)
    expect(breaker.state(now)).toBe('closed')
  })

  it('opens after enough in a row, and admits nobody until the pause is over', () => {
    fail(3)
    expect([breaker.state(now), breaker.admit(now), breaker.until]).toEqual(['open', false, now + 100])
    now += 99
    expect(breaker.admit(now)).toBe(false)
  })

  it('then lets one attempt through at a time; its success closes it', () => {
    fail(3)
    now += 100
    expect(breaker.state(now)).toBe('half-open')
    expect([breaker.admit(now), breaker.admit(now)]).toEqual([true, false])
    breaker.succeeded()
    expect(breaker.state(now)).toBe('closed')
    fail(2)
    expect(breaker.state(now)).toBe('closed')
  })

  it('pauses twice as long after each failed attempt, up to a limit', () => {
    fail(3)
    const pauses = []
    for (let i = 0; i < 4; i++) {
      pauses.push(breaker.until - now)
      now = breaker.until
      fail(1)
    }
    expect(pauses).toEqual([100, 200, 350, 350])
  })

  it('is not held shut by an attempt that was given up', () => {
    fail(3)
    now += 100
    expect(breaker.admit(now)).toBe(true)
    breaker.released()
    expect(breaker.admit(now)).toBe(true)
  })

  it('can be told how long, and is not told less by what was under way', () => {
    breaker.openUntil(now + 5_000)
    breaker.failed(now)
    expect(breaker.until).toBe(now + 5_000)
    now += 5_000
    expect(breaker.admit(now)).toBe(true)
  })
})
