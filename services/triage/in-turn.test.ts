import { expect, it } from 'vitest'
import { inTurn } from './in-turn.ts'

it('does one after the other, whatever becomes of the one before', async () => {
  const done: string[] = []
  const run = inTurn()
  const first = Promise.withResolvers<void>()
  const slow = run(async () => {
    done.push('first begins')
    await first.promise
    done.push('first ends')
    throw new Error('first fails')
  })
  const quick = run(async () => {
    done.push('second')
    return 2
  })
  await Promise.resolve()
  first.resolve()
  await expect(slow).rejects.toThrow('first fails')
  expect(await quick).toBe(2)
  expect(done).toEqual(['first begins', 'first ends', 'second'])
})
