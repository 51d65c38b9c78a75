import { join } from 'node:path'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHANNELS, mailChannel } from '#tests/support/doomed-channels.ts'
import { type Doom, type Ending, makeDoom } from '#tests/support/doomed-executor.ts'
import { mayAttachStrace, type Place } from '#tests/support/strace.ts'

// An executor is killed at the n-th system call of an execution, for every n that is chosen, and another is started:
// what was approved happened once, or the person is asked. COUNTERSIGN_TEST_EVERY_CALL=1 chooses all of them, =changing
// all that can change anything.
const EVERY_CALL = process.env.COUNTERSIGN_TEST_EVERY_CALL
const SPREAD = EVERY_CALL ? Number.POSITIVE_INFINITY : 4
const MATTERS = (place: Place) => EVERY_CALL !== 'changing' || place.isChange
const LIMIT_MS = EVERY_CALL ? 7_200_000 : 900_000

let redis: StartedTestContainer
beforeAll(async () => {
  redis = await new GenericContainer('redis:8').withExposedPorts(6379).start()
})
afterAll(() => redis?.stop())
const redisUrl = () => `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`

// In continuous integration its absence would hide that nothing of this was tested.
test.runIf(process.env.CI)('strace may attach to a process of this machine', () => {
  expect(mayAttachStrace, 'install strace, and run as root or with ptrace_scope 0').toBe(true)
})

async function killedEverywhere(doom: Doom): Promise<Ending[]> {
  const endings: Ending[] = []
  const places = await doom.places(SPREAD, MATTERS)
  for (const place of places) {
    endings.push(await doom.killAt(place))
    if (EVERY_CALL && endings.length % 25 === 0) console.log(`${endings.length} of ${places.length}`)
  }
  const hit = endings.filter((one) => one.isHit).length
  const asked = endings.filter((one) => one.end === 'asked').length
  console.log(`killed at ${hit} of ${endings.length} calls; ${asked} times the person was asked`)
  return endings
}

describe.skipIf(!mayAttachStrace)('an executor killed at any system call', () => {
  test.each(CHANNELS.map((channel) => [channel.name, channel] as const))(
    'does it once or asks (%s)',
    async (_name, channel) => {
      await using doom = await makeDoom(channel, redisUrl())
      const endings = await killedEverywhere(doom)
      expect(endings.filter((one) => one.effects > 1 || (one.end === 'done' && one.effects !== 1))).toEqual([])
      expect(endings.filter((one) => one.end === 'done' && !one.ledger.includes('execution.done'))).toEqual([])
      // Among them is one at which the server has done it and the executor has not heard so.
      expect(endings.some((one) => one.end === 'asked' && one.effects === 1)).toBe(!channel.isFoundAfterwards)
      expect(endings.filter((one) => one.isHit).length).toBeGreaterThan(endings.length / 2)
    },
    LIMIT_MS,
  )

  test(
    'is found out where it sends first and tidies up afterwards: the control',
    async () => {
      const naive = join(import.meta.dirname, '../support/naive-executor-main.ts')
      const programs = { first: naive, second: naive, isCountersigned: false }
      await using doom = await makeDoom(mailChannel, redisUrl(), programs)
      const endings = await killedEverywhere(doom)
      expect(endings.some((one) => one.effects === 2)).toBe(true)
    },
    LIMIT_MS,
  )
})
