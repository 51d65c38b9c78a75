import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type ClaimWorld, type FaultKind, openClaimWorld } from '#tests/support/claims/claim-world.ts'
import { randomOf } from '#tests/support/claims/faults.ts'
import { judgeEnd, judgeHistory, judgeTold } from '#tests/support/claims/judge.ts'
import { hasSshd } from '#tests/support/sshd.ts'

// Eight agents in processes of their own fight for the same tasks over ssh, while at random they, their git and ssh and
// the hub's end of their pushes are killed and their lines are cut. COUNTERSIGN_TEST_SEED repeats the order of faults.
const SEED = Number(process.env.COUNTERSIGN_TEST_SEED ?? Math.floor(Math.random() * 1e9))
const TASKS = Number(process.env.COUNTERSIGN_TEST_CLAIMS ?? 200)
const FAULTS = Math.floor(TASKS / 5)
const AGENTS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((letter) => `cloud-${letter}`)
const KINDS: readonly FaultKind[] = ['clone', 'git', 'receive-pack', 'cut']
const LIMIT_MS = 900_000

/** How far tasks and faults may be out of step. */
const SLACK = 10

/** Brings the tasks wave by wave, so that all of them are fought for, and beside that the faults in step with them. */
async function fight(world: ClaimWorld, tasks: number, faults: number, random: () => number) {
  const names: string[] = []
  const counts: Record<FaultKind, number> = { clone: 0, git: 0, 'receive-pack': 0, cut: 0 }
  const total = () => Object.values(counts).reduce((sum, one) => sum + one, 0)
  const due = () => Math.floor((names.length * faults) / tasks)
  const openNow = async () => (await world.paths()).filter((path) => path.startsWith('Needs_Action/')).length
  const bringTasks = async () => {
    while (names.length < tasks) {
      if (due() <= total() + SLACK && (await openNow()) < 15)
        names.push(...(await world.seed(Math.min(tasks - names.length, 20 + Math.floor(random() * 40)))))
      else await delay(100)
    }
  }
  const doHarm = async () => {
    while (total() < faults) {
      const kind = KINDS[Math.floor(random() * KINDS.length)] ?? 'cut'
      if (total() >= due() + SLACK) await delay(50)
      else if (await world.fault(kind, random)) counts[kind]++
    }
  }
  await Promise.all([bringTasks(), doHarm()])
  while ((await openNow()) > 0) await delay(100)
  return { names, counts }
}

describe.skipIf(!hasSshd)('eight clones under fire (needs an sshd on this machine)', () => {
  it(
    `each of ${TASKS} tasks has one owner, and exactly that one was told (seed ${SEED})`,
    async () => {
      const startedAt = Date.now()
      await using world = await openClaimWorld({ agents: AGENTS, engine: 'countersign', giveBackOneIn: 25 })
      const first = await world.seed(20)
      for (const agent of AGENTS) world.start(agent)
      const { names, counts } = await fight(world, TASKS - 20, FAULTS, randomOf(SEED))
      await world.finish()

      const commits = await world.repo.fetch().then(async (fetched) => {
        if (fetched.kind !== 'ok' || !fetched.head) throw new Error(`the hub does not answer: ${fetched.kind}`)
        return world.repo.commitsBetween(null, fetched.head)
      })
      const history = await judgeHistory(commits, world.repo)
      expect(history.faults).toEqual([])
      expect(judgeTold(history.claims, world.told())).toEqual([])
      expect(judgeEnd(await world.paths(), [...first, ...names], world.told())).toEqual([])
      expect(history.givenBack).toBeGreaterThan(0)
      expect(new Set(history.claims.map((one) => one.agent)).size).toBeGreaterThan(1)
      expect(Object.values(counts).every((count) => count > 0)).toBe(true)
      expect(world.git('fsck', '--strict', '--no-dangling')).toBe('')
      const seconds = Math.round((Date.now() - startedAt) / 1000)
      console.log(
        `seed ${SEED}: ${history.claims.length} claims and ${history.givenBack} givings back in ${seconds} s under ` +
          `${Object.entries(counts)
            .map(([kind, count]) => `${count} × ${kind}`)
            .join(', ')}`,
      )
    },
    LIMIT_MS,
  )

  it(
    `the same with a rename, a commit, pull --rebase and push gives tasks two owners (seed ${SEED})`,
    async () => {
      await using world = await openClaimWorld({ agents: AGENTS, engine: 'plain' })
      const names = await world.seed(20)
      for (const agent of AGENTS) world.start(agent)
      const fought = await fight(world, 40, 12, randomOf(SEED))
      await world.finish()
      const faults = judgeEnd(await world.paths(), [...names, ...fought.names], world.told())
      expect(faults.filter((one) => /^in \d places|^told to/.test(one)).length).toBeGreaterThan(0)
    },
    LIMIT_MS,
  )
})
