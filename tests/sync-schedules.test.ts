import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { MUTANTS } from '#tests/support/schedule/mutants.ts'
import { runSchedule } from '#tests/support/schedule/schedule.ts'

// Two to five engines on one hub: local and up to four agents of the cloud, each with a clock of its own. People,
// services and commands write at any moment; any call of any process may be its last; pushes and answers get lost or
// come late; watchers miss things; stores, clones and the hub's newest history are lost. What must hold is in
// tests/support/schedule/judge.ts. Each schedule follows from its seed alone:
//
//   COUNTERSIGN_TEST_SCHEDULES=20000 COUNTERSIGN_TEST_SEED=5000 npx vitest run --project unit tests/sync-schedules.test.ts
//   node tests/support/schedule/replay.ts --seed 17
//
// That it can fail is shown by making the engine wrong, one line at a time (tests/support/schedule/mutants.ts). Those
// that take many schedules to be noticed are tried when COUNTERSIGN_TEST_MUTANTS is set, or one by one:
//
//   node tests/support/schedule/replay.ts --seed 1 --count 600 --mutant 3
const SCHEDULES = Number(process.env.COUNTERSIGN_TEST_SCHEDULES ?? 1_000)
const FIRST = Number(process.env.COUNTERSIGN_TEST_SEED ?? 1)
const QUICK = 15
const PATIENT = 600
const REPLAY = 'tests/support/schedule/replay.ts'

describe('random schedules', () => {
  it(`lose nothing, keep one owner and one place per task and end alike (${SCHEDULES} of them)`, async () => {
    const failed: number[] = []
    for (let seed = FIRST; seed < FIRST + SCHEDULES; seed++)
      if ((await runSchedule(seed)).violations.length > 0) failed.push(seed)
    expect(await story(failed)).toBe('')
  }, 3_600_000)
})

/** All failing seeds with what went wrong, and the first one's whole trace. */
async function story(failed: readonly number[]): Promise<string> {
  const runs = await Promise.all(failed.slice(0, 20).map((seed) => runSchedule(seed, true)))
  const lines = runs.map(({ seed, violations }) => `node ${REPLAY} --seed ${seed}\n  ${violations.join('\n  ')}`)
  return [...lines, ...(runs[0]?.trace ?? [])].join('\n')
}

describe('the schedules notice that', () => {
  const tried = MUTANTS.map((mutant, number) => ({ ...mutant, number })).filter(
    ({ isQuick }) => isQuick || process.env.COUNTERSIGN_TEST_MUTANTS,
  )
  it.each(tried)('$what', { timeout: 1_200_000 }, async ({ number, isQuick }) => {
    const args = [REPLAY, '--seed', '1', '--count', `${isQuick ? QUICK : PATIENT}`, '--mutant', `${number}`]
    const found = promisify(execFile)(process.execPath, args)
    await expect(found).rejects.toMatchObject({ code: 1, stdout: expect.stringMatching(/^seed \d+: /) })
  })

  it.each(MUTANTS)('each change still has its line: $what', ({ file, from, to }) => {
    const source = readFileSync(file, 'utf8')
    expect(source.split(from)).toHaveLength(2)
    expect(source.replace(from, to)).not.toBe(source)
  })
})
