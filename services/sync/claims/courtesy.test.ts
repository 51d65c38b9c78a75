import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { SignedCommit } from '#core/ports/repo.ts'
import type { Zone } from '#core/zone-policy.ts'
import { type Courtesy, createCourtesy } from './courtesy.ts'

const PAIR = new Map<string, Zone>([
  ['near', 'cloud'],
  ['far', 'cloud'],
  ['local', 'local'],
])
let now = 0
let turns = 0
beforeEach(() => {
  vi.useFakeTimers()
  now = 0
  turns = 0
})
afterEach(() => void vi.useRealTimers())

const courtesy = (agents = PAIR, random = 0.5) =>
  createCourtesy({ agent: 'near', agents, random: () => random, now: () => now, onTurn: () => void turns++ })
const commit = (agent: string, took: string): Pick<SignedCommit, 'signature' | 'trailers'> => ({
  signature: { state: 'good', agent, fingerprint: '' },
  trailers: { Took: took },
})
const claim = (of: Courtesy, ms = 40) => {
  const attempt = of.start()
  now += ms
  attempt.landed(true)
}
/** How long it then gives way, ms. */
const wait = (of: Courtesy) => {
  const from = now
  while (!of.mayClaim()) now++
  return now - from
}

describe('after a claim has landed', () => {
  it('a single agent of its zone goes on at once', () => {
    const alone = courtesy(new Map([...PAIR].filter(([name]) => name !== 'far')))
    claim(alone)
    expect(alone.mayClaim()).toBe(true)
  })

  it('an agent with others gives way as long as the slowest of them needs, by chance', () => {
    const one = courtesy()
    one.hear([commit('far', '400'), commit('local', '4000')])
    claim(one)
    expect(wait(one)).toBe(400)
    const lucky = courtesy(PAIR, 0)
    lucky.hear([commit('far', '400')])
    claim(lucky)
    expect(wait(lucky)).toBe(0)
  })

  it('it counts a second for an agent that has said nothing, and believes at most five', () => {
    const one = courtesy()
    claim(one)
    expect(wait(one)).toBe(1_000)
    one.hear([commit('far', '999999')])
    claim(one)
    expect(wait(one)).toBe(5_000)
    one.hear([commit('far', 'for ever'), { ...commit('far', '1'), signature: { state: 'unsigned' } }])
    claim(one)
    expect(wait(one)).toBe(5_000)
  })

  it('it is woken when its turn comes', () => {
    const one = courtesy()
    one.hear([commit('far', '400')])
    claim(one)
    vi.advanceTimersByTime(399)
    expect(turns).toBe(0)
    vi.advanceTimersByTime(1)
    expect(turns).toBe(1)
  })
})

it('a push without claims costs no turn, and both are timed from the look to the answer', () => {
  const one = courtesy()
  expect(one.took()).toBeUndefined()
  const attempt = one.start()
  now += 120
  attempt.landed(false)
  expect(one.took()).toBe(120)
  expect(one.mayClaim()).toBe(true)
})
