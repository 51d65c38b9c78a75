import { loadavg } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type ClaimWorld, openClaimWorld } from '#tests/support/claims/claim-world.ts'
import type { Told } from '#tests/support/claims/told.ts'
import { stopSignals } from '../demo/stop-signals.ts'
import { machine } from './machine.ts'
import { quantile, table, whole } from './sync/statistics.ts'

// Measures claims over ssh, with the real engine in a process for each agent and the hub's gate: how many a second when
// many stand open, by how many go in one push; how long one takes that comes by itself; and how a far agent fares
// beside a near one. A claim counts when its agent was told that it had won.

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '1000' },
    singles: { type: 'string', default: '60' },
    batches: { type: 'string', default: '1,10,50,200' },
    seconds: { type: 'string', default: '30' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(`npm run bench:claims -- [--tasks 1000] [--singles 60] [--batches 1,10,50,200] [--seconds 30] [--quick] [--json]

Needs Linux, git and an sshd. Prints tables in Markdown; progress goes to stderr.`)
  process.exit(0)
}
const [tasks, singles, seconds] = [values.tasks, values.singles, values.seconds].map((text) =>
  Math.ceil(Number(text) / (values.quick ? 10 : 1)),
) as [number, number, number]
const batches = values.batches.split(',').map(Number)
/** One way over the far line, ms: a round trip takes 50. */
const FAR_MS = 25
using stop = stopSignals()

const bursts: Awaited<ReturnType<typeof burst>>[] = []
for (const agents of [1, 2, 8]) for (const batch of batches) bursts.push(await burst(agents, batch))
const waits: Awaited<ReturnType<typeof oneByOne>>[] = []
for (const agents of [1, 2]) waits.push(await oneByOne(agents))
const shares: Awaited<ReturnType<typeof farAndNear>>[] = []
for (const isCourteous of [true, false]) shares.push(await farAndNear(isCourteous))
print()

async function withAgents<T>(
  count: number,
  options: Partial<Parameters<typeof openClaimWorld>[0]>,
  act: (world: ClaimWorld, agents: readonly string[]) => Promise<T>,
): Promise<T> {
  stop.signal.throwIfAborted()
  const agents = Array.from({ length: count }, (_, at) => `cloud-${String.fromCharCode(97 + at)}`)
  await using world = await openClaimWorld({ agents, engine: 'countersign', ...options })
  // Everybody is up and connected before anything counts.
  await world.seed(count)
  for (const agent of agents) world.start(agent)
  await until(async () => world.told().length >= count && agents.every((agent) => world.log(agent).includes('ready')))
  // Before the world goes.
  return await act(world, agents)
}

/** All tasks at once. The time runs from their landing at the hub to the last claim that was told. */
async function burst(agents: number, batch: number) {
  return withAgents(agents, { claimsPerPush: batch }, async (world) => {
    const count = batch === 1 ? Math.ceil(tasks / 10) : tasks
    const known = new Set(world.told().map((one) => one.taskId))
    await world.seed(count)
    const from = Date.now()
    await until(async () => world.told().length >= known.size + count)
    const told = world.told().filter((one) => !known.has(one.taskId))
    const perSecond = (count * 1000) / (Math.max(...told.map(({ at }) => at)) - from)
    const result = { agents, batch, count, perSecond, load: loadavg()[0] ?? 0 }
    console.error(`${JSON.stringify(result)}`)
    return result
  })
}

/** One task after the other: from its landing at the hub to the claim. */
async function oneByOne(agents: number) {
  return withAgents(agents, {}, async (world) => {
    const waited: number[] = []
    for (let at = 0; at < singles; at++) {
      const known = world.told().length
      await world.seed(1)
      const from = Date.now()
      await until(async () => world.told().length > known)
      waited.push(newest(world.told()).at - from)
      await delay(200)
    }
    const result = { agents, waited: waited.toSorted((a, b) => a - b), load: loadavg()[0] ?? 0 }
    console.error(JSON.stringify(result))
    return result
  })
}

/** One agent beside the hub and one behind a slow line, with always more open than both can claim. */
async function farAndNear(isCourteous: boolean) {
  const options = { isCourteous, claimsPerPush: 5, delayMs: (agent: string) => (agent === 'cloud-b' ? FAR_MS : 0) }
  return withAgents(2, options, async (world, [near = '', far = '']) => {
    await world.seed(2_000)
    const before = world.told()
    const until = Date.now() + seconds * 1000
    while (Date.now() < until) await delay(100)
    const told = world.told().filter((one) => !before.some((known) => known.taskId === one.taskId))
    const share = (agent: string) => told.filter((one) => one.agent === agent).length
    const result = { isCourteous, near: share(near), far: share(far), load: loadavg()[0] ?? 0 }
    console.error(JSON.stringify(result))
    return result
  })
}

function newest(told: readonly Told[]): Told {
  return told.reduce((a, b) => (b.at > a.at ? b : a))
}

async function until(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) {
    stop.signal.throwIfAborted()
    await delay(5)
  }
}

function print(): void {
  const where = `${machine()}, Node ${process.version}`
  if (values.json) {
    console.log(JSON.stringify({ machine: where, bursts, waits, shares }))
    return
  }
  const of = (waited: readonly number[], share: number) => `${quantile(waited, share)} ms`
  console.log(`Claims over ssh on loopback; ${where}\n`)
  console.log(
    table(
      ['agents', 'claims in one push, at most', 'claims', 'claims a second', 'load'],
      bursts.map((one) => [
        ...[`${one.agents}`, `${one.batch}`, `${one.count}`],
        ...[one.perSecond < 20 ? one.perSecond.toFixed(1) : whole(one.perSecond), one.load.toFixed(1)],
      ]),
    ),
  )
  console.log('')
  console.log(
    table(
      ['one task at a time, agents', 'p50', 'p99', 'longest', 'load'],
      waits.map(({ agents, waited, load }) => [
        ...[`${agents}`, of(waited, 0.5), of(waited, 0.99), of(waited, 1), load.toFixed(1)],
      ]),
    ),
  )
  console.log('')
  console.log(
    table(
      [`near and far (${2 * FAR_MS} ms round trip), ${seconds} s, 5 in a push`, 'near', 'far', 'far’s share', 'load'],
      shares.map(({ isCourteous, near, far, load }) => [
        isCourteous ? 'giving way' : 'without giving way',
        ...[`${near}`, `${far}`, `${Math.round((100 * far) / Math.max(1, near + far))} %`, load.toFixed(1)],
      ]),
    ),
  )
}
