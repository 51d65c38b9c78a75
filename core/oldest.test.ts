import { expect, test } from 'vitest'
import { oldestWaiting } from './oldest.ts'

test('the oldest counts from when it was first named, until it is named no more', () => {
  const oldest = oldestWaiting()
  expect(oldest([], 1_000)).toBeUndefined()
  expect(oldest(['a'], 2_000)).toBe(2_000)
  expect(oldest(['a', 'b'], 3_000)).toBe(2_000)
  expect(oldest(['b'], 4_000)).toBe(3_000)
  expect(oldest(['b', 'a'], 5_000)).toBe(3_000)
  expect(oldest([], 6_000)).toBeUndefined()
  expect(oldest(['b'], 7_000)).toBe(7_000)
})
