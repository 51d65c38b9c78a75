import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHANNELS } from '#tests/support/doomed-channels.ts'
import { makeDoom } from '#tests/support/doomed-executor.ts'
import { mayAttachStrace } from '#tests/support/strace.ts'

// An executor freezes in the middle of an execution, as in a machine that is suspended. Another takes over, and ends
// what it finds. Then the first wakes up, in the middle of what it was doing.
const SPREAD: Readonly<Record<string, number>> = { mail: 14, post: 4 }
const LIMIT_MS = 900_000

let redis: StartedTestContainer
beforeAll(async () => {
  redis = await new GenericContainer('redis:8').withExposedPorts(6379).start()
})
afterAll(() => redis?.stop())

// In continuous integration its absence would hide that nothing of this was tested.
test.runIf(process.env.CI)('strace may attach to a process of this machine', () => {
  expect(mayAttachStrace, 'install strace, and run as root or with ptrace_scope 0').toBe(true)
})

describe.skipIf(!mayAttachStrace)('an executor that wakes up after another has taken over', () => {
  // They wait more than they work.
  test.concurrent.each(CHANNELS.map((channel) => [channel.name, channel] as const))(
    'finds itself overtaken, and nothing is done twice (%s)',
    async (name, channel) => {
      await using doom = await makeDoom(channel, `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`)
      const wrong: string[] = []
      let hits = 0
      const places = await doom.places(SPREAD[name] ?? 4)
      for (const place of places) {
        const { zombie, ...ending } = await doom.freezeAt(place)
        if (ending.isHit) hits++
        const isRight = ending.effects === 1 || (ending.effects === 0 && ending.end === 'asked')
        const isFenced = zombie.child.exitCode === 1 && zombie.log().includes('ERR_FENCED')
        if (!isRight || !isFenced) wrong.push(`${JSON.stringify(ending)}, exit ${zombie.child.exitCode}`)
      }
      expect(wrong).toEqual([])
      expect(hits).toBeGreaterThan(places.length / 2)
    },
    LIMIT_MS,
  )
})
