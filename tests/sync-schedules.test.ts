import { describe, expect, it } from 'vitest'
import { runSchedule } from '#tests/support/schedule/schedule.ts'

const SCHEDULES = Number(process.env.COUNTERSIGN_TEST_SCHEDULES ?? 300)
const FIRST = Number(process.env.COUNTERSIGN_TEST_SEED ?? 1)

describe('random schedules', () => {
  it(`lose nothing, keep one owner and one place per task and end alike (${SCHEDULES} of them)`, async () => {
    const failed: unknown[] = []
    for (let seed = FIRST; seed < FIRST + SCHEDULES; seed++) {
      const { violations } = await runSchedule(seed)
      if (violations.length > 0) failed.push({ seed, violations })
    }
    expect(failed).toEqual([])
  }, 600_000)
})
