import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { trustHost } from '#adapters/keys/trust-files.ts'
import { freePorts } from '../../demo/free-ports.ts'
import { until } from '../../demo/until.ts'
import { carry, writeWhole } from './carry.ts'
import type { Figures } from './figures.ts'
import type { Lab } from './lab.ts'
import { BURST_FILES, FAR_DELAY_MS, FAR_SAMPLES, isLate, type Part, type Plan, TRACED_CHANGES } from './plan.ts'
import { plumbing } from './plumbing.ts'
import { sample } from './record.ts'
import { whole } from './statistics.ts'
import { type SyncService, startSync } from './sync-service.ts'
import { traced } from './traced.ts'
import { cpuSeconds, load, memoryMb } from './usage.ts'
import { TRAVELLER, travellerText } from './vault-content.ts'
import { describe, type VaultWorld, ZONE_NAMES } from './vault-world.ts'

interface Pair {
  readonly cloud: SyncService
  readonly local: SyncService
}

/** Everything that needs the two services running: first near the hub, then with a far one. */
export async function measureServices(lab: Lab, plan: Plan, world: VaultWorld, figures: Figures): Promise<void> {
  const { shape } = world
  const isFirstHistory = shape.commits === plan.commits[0]
  const isLargest = shape.files === plan.files.at(-1)
  const isMiddle = shape.files === (plan.files.includes(10_000) ? 10_000 : plan.files[0])
  const wants = (part: Part) => plan.parts.includes(part) && !isLate(plan)
  if (!(['carry', 'idle', 'forks', 'burst', 'far'] as const).some(wants)) return
  {
    await using cloud = await startSync(lab, world, 'cloud')
    await using local = await startSync(lab, world, 'local')
    const pair = { cloud, local }
    figures.starts.push({ shape, readyMs: [cloud.readyMs, local.readyMs] })
    lab.say(`  ready after ${whole(cloud.readyMs)} and ${whole(local.readyMs)} ms`)
    if (wants('carry')) await measureCarry(lab, world, pair, figures, 'countersign', plan.samples)
    if (wants('idle') && isFirstHistory) await measureIdle(lab, plan, world, pair, figures)
    if (wants('burst') && isFirstHistory) await measureBurst(lab, world, pair, figures)
    if (wants('forks') && isFirstHistory && isMiddle) await measureForks(lab, world, pair, figures)
  }
  if (wants('far') && isFirstHistory && isLargest) await measureFar(lab, plan, world, figures)
}

/** Changes at random moments, so that none keeps step with a poll. */
async function measureCarry(
  lab: Lab,
  world: VaultWorld,
  { cloud, local }: Pair,
  figures: Figures,
  contender: 'countersign' | 'countersign, far',
  samples: number,
): Promise<void> {
  const options = { signal: lab.signal, hub: world.hub }
  const once = (mark: string) => carry(cloud.vault, local.vault, TRAVELLER, travellerText(mark), options)
  await sample(lab, figures, { shape: world.shape, contender, samples, once, pause: () => pause(lab) })
}

async function pause({ signal }: Lab): Promise<void> {
  await delay(300 + Math.random() * 1_200, undefined, { signal })
}

async function measureIdle(lab: Lab, plan: Plan, world: VaultWorld, { cloud, local }: Pair, figures: Figures) {
  const used = () => ({
    cloud: cpuSeconds([cloud.pid], connectionOf(cloud)),
    local: cpuSeconds([local.pid], connectionOf(local)),
    hub: cpuSeconds([world.ssh.pid], [lab.programs.gate]),
  })
  // What the last change left to be done is done by then.
  await delay(10_000, undefined, { signal: lab.signal })
  const [before, startedAt] = [used(), performance.now()]
  await delay(plan.idleMs, undefined, { signal: lab.signal })
  const [after, seconds] = [used(), (performance.now() - startedAt) / 1000]
  const share = (name: keyof typeof after) => ((after[name] - before[name]) / seconds) * 100
  const [cloudCpu, localCpu, hubCpu] = [share('cloud'), share('local'), share('hub')]
  const memory = memoryMb([local.pid], connectionOf(local))
  figures.idle.push({ shape: world.shape, seconds, cloudCpu, localCpu, hubCpu, memory, load: load() })
  lab.say(
    `  idle: ${cloudCpu.toFixed(2)} and ${localCpu.toFixed(2)} % of a core, hub ${hubCpu.toFixed(2)} %, ${memory.rss} MB`,
  )
}

/** The ssh that stays open is nobody's child: it is known by its socket. */
function connectionOf({ gitDir }: SyncService): string[] {
  return [basename(readFileSync(join(gitDir, 'countersign-ssh-dir'), 'utf8'))]
}

async function measureBurst(lab: Lab, world: VaultWorld, { cloud, local }: Pair, figures: Figures): Promise<void> {
  await pause(lab)
  const [from, to] = [cloud, local].map(({ vault }) => join(vault, 'Plans')) as [string, string]
  mkdirSync(from, { recursive: true })
  const startedAt = performance.now()
  for (let file = 0; file < BURST_FILES; file++) writeWhole(join(from, `burst-${file}.md`), `# Burst ${file}\n`)
  const count = () => readdirSync(to).filter((name) => name.startsWith('burst-')).length
  await until('the burst to arrive', () => count() === BURST_FILES, { limitMs: 300_000, signal: lab.signal })
  const ms = performance.now() - startedAt
  figures.bursts.push({ shape: world.shape, files: BURST_FILES, ms, load: load() })
  lab.say(`  burst of ${BURST_FILES}: ${whole(ms)} ms`)
}

async function measureForks(lab: Lab, world: VaultWorld, pair: Pair, figures: Figures): Promise<void> {
  for (const zone of ZONE_NAMES) {
    const file = join(world.root, `strace-${zone}`)
    const trace = await traced(pair[zone].pid, file, async () => {
      for (let change = 0; change < TRACED_CHANGES; change++) {
        const text = travellerText(`traced ${zone} ${change}`)
        await carry(pair.cloud.vault, pair.local.vault, TRAVELLER, text, { signal: lab.signal })
        // The rest of the round, after the bytes have arrived.
        await delay(1_500, undefined, { signal: lab.signal })
      }
    })
    if (!trace) {
      figures.notes.push('no strace, or it may not look: processes and lock files were not counted')
      return
    }
    figures.traces.push({
      side: zone === 'cloud' ? 'A, which sends' : 'B, which receives',
      changes: TRACED_CHANGES,
      trace,
    })
    lab.say(`  ${zone}: ${JSON.stringify(trace)}`)
  }
}

/** The same with a hub that every packet takes 25 ms to. */
async function measureFar(lab: Lab, plan: Plan, world: VaultWorld, figures: Figures): Promise<void> {
  const [port = 0] = await freePorts(1)
  const hostKey = readFileSync(`${world.ssh.hostKeyFile}.pub`, 'utf8')
  for (const zone of ZONE_NAMES) await trustHost(join(world.home(zone), 'trust'), { host: '127.0.0.1', port, hostKey })
  await using proxy = await startProxy(lab, world, port)
  const hubUrl = world.ssh.url.replace(String(world.ssh.port), String(proxy.port))
  {
    await using cloud = await startSync(lab, world, 'cloud', { hubUrl })
    await using local = await startSync(lab, world, 'local', { hubUrl })
    lab.say(`  far hub: ready after ${whole(cloud.readyMs)} and ${whole(local.readyMs)} ms (${describe(world.shape)})`)
    await measureCarry(lab, world, { cloud, local }, figures, 'countersign, far', FAR_SAMPLES)
  }
  using floor = plumbing(world, { isSigned: true, url: hubUrl })
  const contender = 'plumbing with the gate, far'
  await sample(lab, figures, { shape: world.shape, contender, samples: plan.samples, once: floor.carry })
}

async function startProxy(
  lab: Lab,
  world: VaultWorld,
  port: number,
): Promise<{ readonly port: number } & AsyncDisposable> {
  const name = 'far-hub'
  const program = join(import.meta.dirname, 'delay-proxy.ts')
  await lab.supervisor.start({
    ...{ name, tier: 0, drainMs: 1_000, logFile: join(world.root, 'proxy.log'), env: lab.env },
    command: process.execPath,
    args: [program, '--listen', `${port}`, '--target', `${world.ssh.port}`, '--delay-ms', `${FAR_DELAY_MS}`],
  })
  return { port, [Symbol.asyncDispose]: () => lab.supervisor.stop(name) }
}
