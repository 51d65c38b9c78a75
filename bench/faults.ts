import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { prepareZones } from '#tests/support/compose.ts'
import { stopSignals } from '../demo/stop-signals.ts'
import { inject, type Target, target } from './faults/containers.ts'
import { type PoisonedStart, poisonedStart } from './faults/poisoned-start.ts'
import { machine } from './machine.ts'
import { spreadOf, table } from './sync/statistics.ts'

// Both zones in containers. Every service is killed, stopped, made to turn in a loop that never ends, and made to use more
// memory than it may; measured is the time until another process of it answers that it is ready. Several services at once,
// so that they come back beside each other. At last one cannot start for a while, and what its owner is told of it is gathered.
// Needs root: it ends processes of containers from outside, as the kernel would.

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    hangs: { type: 'string', default: '10' },
    loops: { type: 'string', default: '10' },
    leaks: { type: 'string', default: '3' },
    poisons: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(
    'npm run bench:faults -- [--kills 20] [--hangs 10] [--loops 10] [--leaks 3] [--poisons 1] [--json]\n\nNeeds root and Docker.',
  )
  process.exit(0)
}
/** Docker waits longer each time before it starts a container again, until one has run for ten seconds. */
const APART_MS = 12_000
const GIVE_UP_MS = 180_000

interface Fault {
  readonly name: string
  readonly times: number
  /** Of how many services at a time: one in a loop takes a whole core. */
  readonly atOnce: number
  readonly to: (pid: number) => Promise<void>
}

const FAULTS: readonly Fault[] = [
  { name: 'killed', times: Number(values.kills), atOnce: 8, to: async (pid) => void process.kill(pid, 'SIGKILL') },
  { name: 'stopped', times: Number(values.hangs), atOnce: 8, to: async (pid) => void process.kill(pid, 'SIGSTOP') },
  { name: 'in a loop', times: Number(values.loops), atOnce: 4, to: (pid) => inject(pid, 'for (;;);') },
  {
    name: 'out of memory',
    times: Number(values.leaks),
    atOnce: 8,
    to: (pid) => inject(pid, 'globalThis.leak = []; setInterval(() => leak.push(Buffer.alloc(8e6, 1)), 20)'),
  },
]

using stop = stopSignals()
await using zones = await prepareZones()
const targets = [
  ...['triage', 'drafter', 'sync', 'health'].map((name) => target(zones.cloud, name)),
  ...['drafter', 'executor', 'sync', 'health'].map((name) => target(zones.local, name)),
]

/** What a zone at rest holds. */
const REST_MS = 60_000
const memory = new Map<string, number>()
const results: { service: string; fault: string; ms: number }[] = []
const poisoned: PoisonedStart[] = []
try {
  for (const zone of ['cloud', 'local'] as const) {
    console.error(`bringing up the ${zone} zone …`)
    await zones.up(zone)
  }
  await delay(REST_MS, undefined, { signal: stop.signal })
  for (const one of targets) memory.set(one.name, await one.memory())
  for (const fault of FAULTS) {
    if (fault.times === 0) continue
    console.error(`${fault.name}, ${fault.times} times each …`)
    const left = [...targets]
    const one = async () => {
      for (let next = left.pop(); next; next = left.pop()) await suffer(next, fault)
    }
    await Promise.all(Array.from({ length: fault.atOnce }, one))
  }
  for (let time = 0; time < Number(values.poisons); time++) {
    console.error('a start that cannot succeed …')
    // Until then it has stayed up long enough to count as sound.
    await delay(REST_MS + APART_MS, undefined, { signal: stop.signal })
    poisoned.push(await poisonedStart(zones.cloud, target(zones.cloud, 'sync'), stop.signal))
  }
} catch (error) {
  if (!stop.signal.aborted) throw error
  console.error('stopped; what was measured until now:')
}
report()
process.exitCode = stop.exitCode()

/** The time until it is back, for each time; Infinity where it was not back in time. */
async function suffer(one: Target, fault: Fault): Promise<void> {
  for (let time = 0; time < fault.times; time++) {
    await delay(APART_MS, undefined, { signal: stop.signal })
    const pid = await untilSome(() => one.pid())
    if (pid === undefined) throw new Error(`${one.name} does not run`)
    const began = performance.now()
    await fault.to(pid)
    const isBack = await untilSome(async () => {
      const now = await one.pid().catch(() => undefined)
      return now !== undefined && now !== pid && (await one.isReady())
    })
    const ms = isBack ? performance.now() - began : Number.POSITIVE_INFINITY
    if (!isBack) console.error(`not back within ${GIVE_UP_MS / 1000} s: ${one.name}, ${fault.name}`)
    results.push({ service: one.name, fault: fault.name, ms })
  }
}

async function untilSome<T>(look: () => Promise<T | false | undefined>): Promise<T | undefined> {
  const deadline = performance.now() + GIVE_UP_MS
  while (performance.now() < deadline) {
    const found = await look()
    if (found) return found
    await delay(100, undefined, { signal: stop.signal })
  }
  return undefined
}

function report(): void {
  if (values.json)
    return void console.log(
      JSON.stringify({ machine: machine(), memory: Object.fromEntries(memory), results, poisoned }),
    )
  const rows = FAULTS.flatMap(({ name, times }) =>
    times === 0
      ? []
      : targets.map((one) => {
          const seconds = results
            .filter(({ service, fault }) => service === one.name && fault === name)
            .map(({ ms }) => ms / 1000)
          const { count, median, max } = spreadOf(seconds)
          return [one.name, name, String(count), median.toFixed(1), max.toFixed(1)]
        }),
  )
  const held = [...memory].map(([name, mb]) => [name, mb.toFixed(0)])
  console.log(`Memory of the containers a minute after the start, MB.\n\n${table(['service', 'MB'], held)}\n`)
  const worst = Math.max(...results.map(({ ms }) => ms / 1000))
  if (results.length > 0) {
    console.log(`Back and ready, seconds. ${machine()}.\n`)
    console.log(table(['service', 'fault', 'times', 'median', 'max'], rows))
    console.log(`\n${results.length} faults, the slowest back after ${worst.toFixed(1)} s.`)
  }
  for (const { told, toldAfter, readyAfter } of poisoned)
    console.log(
      `\nA start that could not succeed: told after ${toldAfter.toFixed(0)} s, ready ${readyAfter.toFixed(0)} s after it was mended; all that was told:\n- ${told.join('\n- ')}`,
    )
}
