import { expect, it } from 'vitest'
import { makeSlots } from './slots.ts'

it('lets so many in at once, the next in the order they came', async () => {
  const slots = makeSlots(2)
  const [first, second] = await Promise.all([slots.take(undefined), slots.take(undefined)])
  const order: string[] = []
  const enter = async (name: string) => {
    const giveBack = await slots.take(undefined)
    order.push(name)
    return giveBack
  }
  const third = enter('third')
  const fourth = enter('fourth')
  await Promise.resolve()
  expect(order).toEqual([])
  second()
  second()
  await third
  expect(order).toEqual(['third'])
  first()
  await fourth
  expect(order).toEqual(['third', 'fourth'])
})

it('whoever gives up leaves the line, and takes nobody else’s place', async () => {
  const slots = makeSlots(1)
  const first = await slots.take(undefined)
  const stop = new AbortController()
  const second = slots.take(stop.signal)
  const third = slots.take(undefined)
  stop.abort(new Error('stopped'))
  await expect(second).rejects.toThrow('stopped')
  first()
  const giveBack = await third
  giveBack()
  await expect(slots.take(stop.signal)).rejects.toThrow('stopped')
  await slots.take(undefined)
})

it('one that was given its slot keeps it when it is aborted after', async () => {
  const slots = makeSlots(1)
  const first = await slots.take(undefined)
  const stop = new AbortController()
  const second = slots.take(stop.signal)
  const third = slots.take(undefined)
  first()
  stop.abort(new Error('stopped'))
  const giveBack = await second
  giveBack()
  await third
})
