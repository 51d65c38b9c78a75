import { expect, test } from 'vitest'
import { clockBounds } from './clock-bounds.ts'

test('a clock that says the right second may be right, however long its answer took', () => {
  expect(clockBounds(10_000, 10_200, 10_900)).toEqual({ leastMs: -900, mostMs: 800 })
  expect(clockBounds(10_000, 1_000, 90_000)).toEqual({ leastMs: -80_000, mostMs: 10_000 })
})

test('a clock that is wrong by more than the answer took is wrong for sure', () => {
  expect(clockBounds(100_000, 10_000, 11_000)).toEqual({ leastMs: 89_000, mostMs: 91_000 })
  expect(clockBounds(10_000, 100_000, 101_000)).toEqual({ leastMs: -91_000, mostMs: -89_000 })
})
