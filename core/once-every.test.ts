import { expect, test } from 'vitest'
import { onceEvery } from './once-every.ts'

test('work is done at once, then not before its time, and again after it failed', async () => {
  let [now, done] = [0, 0]
  const faults: unknown[] = []
  const work = onceEvery(
    60,
    () => now,
    async () => {
      done++
      throw new Error('x')
    },
    (error) => void faults.push(error),
  )
  for (now of [0, 59, 60, 61, 119, 120]) await work()
  expect([done, faults.length]).toEqual([3, 3])
})
