import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { sendAsClient } from '../demo/client-mail.ts'
import { draftedBy } from '../demo/evidence.ts'
import { WORLD_PREFIX } from '../demo/reaper.ts'
import { REDIS_SOURCES } from '../demo/redis.ts'
import { SCRIPTED, type ScriptedModel, scriptedModelSettings, startScriptedModel } from '../demo/scripted-model.ts'
import { stopSignals } from '../demo/stop-signals.ts'
import { openWorld, type World } from '../demo/world.ts'
import { hubHas } from './hub-has.ts'
import { machine } from './machine.ts'
import { quantile, shown, table, whole } from './sync/statistics.ts'
import { load, memoryMb } from './sync/usage.ts'

// Measures the cloud zone alone, as when the local machine is off: from the moment the SMTP server accepted a mail until
// the hub's branch has its draft in Pending_Approval/, mail by mail; once with the template and once with a model that
// takes a second to answer, in a world of its own each. And what triage and drafter hold in memory, idle and at work. Both
// marks are taken outside the services. They run from their sources, with the flags of the images.

const { values } = parseArgs({
  options: {
    mails: { type: 'string', default: '200' },
    'model-ms': { type: 'string', default: '1000' },
    mailbox: { type: 'string', default: 'auto' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log('bench/drafting [--mails 200] [--model-ms 1000] [--mailbox auto|container|dev] [--json]')
  process.exit(0)
}
const MAILS = Number(values.mails)
const MODEL_MS = Number(values['model-ms'])
const LIMIT_MS = 60_000
const SERVICES = ['triage', 'drafter'] as const
/** Between two looks at the memory. */
const SAMPLE_MS = 250
const IDLE_SAMPLES = 20

using stop = stopSignals()

interface Held {
  readonly rss: number[]
  readonly pss: number[]
}
type Memory = Record<(typeof SERVICES)[number], Held>
interface Run {
  readonly by: string
  readonly facts: readonly string[]
  readonly ms: number[]
  readonly idle: Memory
  readonly busy: Memory
  readonly load: number
}

const runs = [await run('template', undefined)]
{
  await using model = await startScriptedModel({ delayMs: MODEL_MS })
  runs.push(await run(`openai:${SCRIPTED}`, model))
}
report(runs)

async function run(by: string, model: ScriptedModel | undefined): Promise<Run> {
  await using world = await openWorld({
    root: await mkdtemp(join(tmpdir(), WORLD_PREFIX)),
    isTemporary: true,
    undoMs: 0,
    redis: REDIS_SOURCES,
    mailbox: values.mailbox as 'auto' | 'container' | 'dev',
    env: process.env,
    cloudSettings: model ? scriptedModelSettings(model) : {},
    say: (line) => console.error(line),
    signal: stop.signal,
  })
  await world.startZone('cloud')
  // What starting took is let go of.
  await delay(10_000, undefined, { signal: stop.signal })
  const idle = noMemory()
  for (let look = 0; look < IDLE_SAMPLES; look++) {
    lookAt(world, idle)
    await delay(SAMPLE_MS, undefined, { signal: stop.signal })
  }
  const busy = noMemory()
  const sampler = setInterval(() => lookAt(world, busy), SAMPLE_MS)
  const ms: number[] = []
  try {
    // The first mail warms caches and connections up and does not count.
    for (let mail = 0; mail <= MAILS; mail++) {
      const one = await draft(world, mail, by)
      if (mail > 0) ms.push(one)
      if (mail % 20 === 0) console.error(`${by}: ${mail} of ${MAILS}, ${one} ms`)
    }
  } finally {
    clearInterval(sampler)
  }
  return { by, facts: world.facts, ms, idle, busy, load: load() }
}

async function draft(world: World, mail: number, by: string): Promise<number> {
  const { smtp, imap, accounts } = world.mailbox
  const letter = {
    subject: `Question number ${mail}`,
    text: 'Hello,\n\nwhen are you in the office next week?\n\nClara',
  }
  await sendAsClient({ smtp, imap, client: accounts.client }, { to: accounts.owner.address, ...letter })
  const acceptedAt = performance.now()
  const file = await hubHas(world.hub, 'Pending_Approval', `question-number-${mail}_`, LIMIT_MS)
  const ms = Math.round(performance.now() - acceptedAt)
  const found = await draftedBy(world.hub, `Pending_Approval/${file}`)
  if (found !== by) throw new Error(`mail ${mail} was drafted by ${found}, not by ${by}`)
  return ms
}

function noMemory(): Memory {
  return { triage: { rss: [], pss: [] }, drafter: { rss: [], pss: [] } }
}

function lookAt(world: World, memory: Memory): void {
  for (const service of SERVICES) {
    const pid = world.supervisor.state().find(({ name }) => name === `cloud/${service}`)?.pid
    if (pid === undefined) continue
    const { rss, pss } = memoryMb([pid])
    memory[service].rss.push(rss)
    memory[service].pss.push(pss)
  }
}

function report(all: readonly Run[]): void {
  const where = `${machine()}, Node ${process.version}`
  if (values.json) {
    console.log(JSON.stringify({ machine: where, modelMs: MODEL_MS, runs: all }))
    return
  }
  const loads = all.map((one) => one.load).join(' and ')
  console.log(`${MAILS} mails one after the other with each; ${where}; ${all[0]?.facts.join('; ')}; load ${loads}\n`)
  const names = (one: Run) => (one.by === 'template' ? 'the template' : `a scripted model that takes ${MODEL_MS} ms`)
  const times = all.map((one) => {
    const sorted = one.ms.toSorted((a, b) => a - b)
    return [names(one), ...[0.5, 0.99, 0, 1].map((share) => `${whole(quantile(sorted, share))} ms`)]
  })
  console.log(table(['mail accepted → draft at the hub, with', 'p50', 'p99', 'min', 'max'], times))
  const held = all.flatMap((one) =>
    SERVICES.flatMap((service) =>
      (['idle', 'busy'] as const).map((when) => {
        const { rss, pss } = one[when][service]
        return [`${service}, ${when}, ${names(one)}`, `${shown(rss)} MB`, `${shown(pss)} MB`]
      }),
    ),
  )
  console.log(`\n${table(['median (min to max)', 'resident (RSS)', 'proportional (PSS)'], held)}`)
}
