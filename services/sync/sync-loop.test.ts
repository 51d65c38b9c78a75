import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { backOffMs, type LoopAnswer, startLoop } from './sync-loop.ts'

const FAKED = ['setTimeout', 'clearTimeout', 'performance'] as const
beforeEach(() => void vi.useFakeTimers({ toFake: [...FAKED] }))
afterEach(() => void vi.useRealTimers())

/** A loop whose rounds take 10 ms and answer as told. */
function loopOf(...answers: (Exclude<LoopAnswer['kind'], 'later'> | LoopAnswer)[]) {
  const startedAt: number[] = []
  const wakes: string[] = []
  const began = performance.now()
  let inside = 0
  let most = 0
  const loop = startLoop({
    async round(wake) {
      wakes.push(wake)
      startedAt.push(performance.now() - began)
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setTimeout(resolve, 10))
      inside--
      const answer = answers.shift() ?? 'rest'
      return typeof answer === 'string' ? { kind: answer } : answer
    },
    onFault: () => {},
    random: () => 1,
    now: () => performance.now(),
  })
  return { loop, startedAt, wakes, most: () => most }
}

describe('the loop', () => {
  it('gathers a burst of requests into one round, 25 ms after the last', async () => {
    const { loop, startedAt } = loopOf()
    for (let i = 0; i < 5; i++) {
      loop.request()
      await vi.advanceTimersByTimeAsync(20)
    }
    await vi.advanceTimersByTimeAsync(1_000)
    expect(startedAt).toEqual([105])
  })

  it('does not wait longer than half a second for requests to end', async () => {
    const { loop, startedAt } = loopOf()
    for (let i = 0; i < 30; i++) {
      loop.request()
      await vi.advanceTimersByTimeAsync(20)
    }
    expect(startedAt[0]).toBe(500)
  })

  it('runs one round at a time and another for what came meanwhile', async () => {
    const { loop, startedAt, most } = loopOf()
    loop.requestNow()
    await vi.advanceTimersByTimeAsync(5)
    loop.request()
    loop.requestNow()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(startedAt).toEqual([0, 11])
    expect(most()).toBe(1)
  })

  it('comes back when it was told to, and sooner for a request', async () => {
    const { loop, startedAt } = loopOf({ kind: 'later', afterMs: 5_000 }, { kind: 'later', afterMs: 5_000 })
    loop.requestNow()
    await vi.advanceTimersByTimeAsync(5_500)
    loop.request()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(startedAt).toEqual([0, 5_010, 5_525])
  })

  it('backs off after failures, longer each time, and requests do not shorten it', async () => {
    const { loop, startedAt } = loopOf('back-off', 'back-off', 'rest')
    loop.requestNow()
    await vi.advanceTimersByTimeAsync(20)
    loop.request()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(startedAt).toEqual([0, 1_010, 3_020])
  })

  it('starts at once for somebody who waits, in the middle of a back-off', async () => {
    const { loop, startedAt } = loopOf('back-off', 'rest')
    loop.requestNow()
    await vi.advanceTimersByTimeAsync(100)
    loop.requestNow()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(startedAt).toEqual([0, 100])
  })

  it('asks the hub only when told to, and again until a round came to its end', async () => {
    const { loop, wakes } = loopOf('rest', 'again', 'back-off', 'rest', 'rest')
    loop.request()
    await vi.advanceTimersByTimeAsync(100)
    loop.requestNow()
    await vi.advanceTimersByTimeAsync(5_000)
    loop.request()
    await vi.advanceTimersByTimeAsync(100)
    expect(wakes).toEqual(['vault', 'hub', 'hub', 'hub', 'vault'])
  })

  it('does not ask the hub for what the running round has learnt meanwhile', async () => {
    const { loop, wakes } = loopOf()
    let isNews = true
    loop.request()
    await vi.advanceTimersByTimeAsync(30)
    loop.requestNow(() => isNews)
    isNews = false
    await vi.advanceTimersByTimeAsync(100)
    loop.requestNow(() => true)
    await vi.advanceTimersByTimeAsync(100)
    expect(wakes).toEqual(['vault', 'vault', 'hub'])
  })

  it('looks again soon when there is more to do', async () => {
    const { loop, startedAt } = loopOf('again', 'rest')
    loop.requestNow()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(startedAt).toEqual([0, 210])
  })

  it('starts nothing after it was closed, and closing waits for the running round', async () => {
    const { loop, startedAt } = loopOf()
    loop.requestNow()
    await vi.advanceTimersByTimeAsync(1)
    let isClosed = false
    const closing = loop[Symbol.asyncDispose]().then(() => {
      isClosed = true
    })
    await vi.advanceTimersByTimeAsync(5)
    expect(isClosed).toBe(false)
    loop.request()
    await vi.advanceTimersByTimeAsync(1_000)
    await closing
    expect(startedAt).toHaveLength(1)
  })
})

it.each([
  [1, 0, 500],
  [1, 1, 1_000],
  [3, 1, 4_000],
  [50, 1, 60_000],
])('backs off after %d failures (random %d) for %d ms', (failures, random, ms) => {
  expect(backOffMs(failures, random)).toBe(ms)
})
