import type { MemoryHub } from '#adapters/memory/repo.ts'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import type { ContentScan } from '#core/ports/content-scan.ts'
import { Crash, makeSyncWorld, type SyncWorld, type SyncZone } from '#tests/support/sync-world.ts'
import { Deeds } from './deeds.ts'
import { type Gate, gatedPorts } from './gates.ts'
import { Hands } from './hands.ts'
import { Judge } from './judge.ts'
import { type Random, randomOf } from './random.ts'

/** One process of an agent. Once dead, nothing that it began goes on. */
interface Life {
  isDead: boolean
}

interface Waiting {
  readonly agent: Agent
  readonly where: string
  readonly goOn: () => void
}

interface Agent {
  readonly zone: SyncZone
  life: Life
  isBusy: boolean
  isCut: boolean
  /** Paths that its watcher has not told it of yet. */
  readonly events: string[]
}

export interface ScheduleResult {
  readonly seed: number
  readonly violations: readonly string[]
  readonly trace: readonly string[]
}

const ROUNDS_TO_REST = 25
const HOUR_MS = 3_600_000
/** Nothing here is secret; what looks for secrets has its own tests, and takes its time. */
const NO_SECRETS: ContentScan = { scan: async () => [] }

/**
 * Several engines on one hub: which process goes on next, who writes what in between, who dies where, which push or
 * answer is lost and what a watcher misses follow from the seed alone.
 */
class Schedule {
  readonly #seed: number
  readonly #random: Random
  readonly #world: SyncWorld
  readonly #agents: Agent[]
  readonly #judge: Judge
  readonly #deeds: Deeds
  readonly #trace: string[] = []
  readonly #isTraced: boolean
  #waiting: Waiting[] = []
  #isCalm = false
  /** How often a process stops at a gate, and dies at one: some schedules are busy, some are deadly. */
  readonly #density: number
  readonly #deadliness: number

  constructor(seed: number, isTraced: boolean) {
    this.#seed = seed
    this.#isTraced = isTraced
    const random = randomOf(seed)
    this.#random = random
    this.#density = random.pick([0.02, 0.1, 0.4]) ?? 0
    this.#deadliness = random.pick([0, 0.002, 0.01, 0.03]) ?? 0
    const more = ['cloud-b', 'cloud-c', 'cloud-d'].slice(0, random.pick([0, 0, 1, 1, 2, 3]))
    const skews = new Map(['cloud', 'local', ...more].map((agent) => [agent, this.#skew()]))
    this.#agents = []
    this.#world = makeSyncWorld({
      moreAgents: more.map((agent) => [agent, 'cloud']),
      skewMs: (agent) => skews.get(agent) ?? 0,
      between: (zone, ports) => ({ ...gatedPorts(ports, this.#gateOf(zone)), scan: NO_SECRETS }),
      onTouch: (zone, path) => this.#touched(zone, path),
    })
    for (const zone of this.#world.zones) this.#agentOf(zone)
    this.#judge = new Judge(this.#world)
    const tell = (what: string) => this.#note(what)
    this.#deeds = new Deeds(random, new Hands(random, this.#judge, tell), tell)
    this.#world.hub.pushFate = (agent) => this.#fate(agent)
  }

  async run(): Promise<ScheduleResult> {
    if (this.#random.chance(0.7)) await this.#settleIn()
    const moves = this.#random.pick([12, 24, 40, 80]) ?? 0
    for (let move = 0; move < moves; move++) {
      this.#world.now += this.#random.upTo(100)
      await this.#move()
      this.#judge.look()
    }
    await this.#rest()
    this.#judge.end(this.#held())
    return { seed: this.#seed, violations: this.#judge.violations(), trace: this.#trace }
  }

  /** A vault that everybody has already. */
  async #settleIn(): Promise<void> {
    this.#isCalm = true
    this.#deeds.begin(this.#world.local)
    for (const { zone } of [...this.#agents, ...this.#agents]) await zone.sync()
    this.#isCalm = false
    this.#note('everybody has the vault')
  }

  async #move(): Promise<void> {
    const agent = this.#random.pick(this.#agents)
    if (!agent) return
    const dice = this.#random.next()
    if (dice < 0.45) return this.#goOn(agent)
    if (dice < 0.86) return this.#deeds.one(agent.zone)
    if (dice < 0.9) return this.#tell(agent)
    if (dice < 0.93) return this.#die(agent, 'killed')
    if (dice < 0.97) return this.#cutOrMend(agent)
    if (dice < 0.98) return agent.zone.deps().scanner.markAll()
    if (dice < 0.985) return this.#lose(agent)
    this.#deliver(this.#world.hub)
  }

  /** Lets a process take some steps, or begin a round. */
  async #goOn(agent: Agent): Promise<void> {
    if (!agent.isBusy) this.#begin(agent)
    for (let steps = 1 + this.#random.upTo(30); steps > 0 && agent.isBusy; steps--) {
      await turn()
      const mine = this.#waiting.filter((one) => one.agent === agent)
      const next = this.#random.pick(mine)
      if (!next) continue
      this.#waiting = this.#waiting.filter((one) => one !== next)
      this.#note(`${agent.zone.agent} passes ${next.where}`)
      next.goOn()
    }
    await turn()
  }

  #begin(agent: Agent): void {
    const wake = this.#random.chance(0.5) ? 'vault' : 'hub'
    const { life } = agent
    this.#note(`${agent.zone.agent} begins a round (${wake})`)
    agent.isBusy = true
    agent.zone.sync(wake).then(
      (outcome) => {
        if (life.isDead) return
        agent.isBusy = false
        this.#note(`${agent.zone.agent} ends its round: ${outcome.kind}`)
        if (['refused', 'push-refused'].includes(outcome.kind)) this.#judge.blame(`a round ended as ${outcome.kind}`)
      },
      (error: unknown) => {
        if (error instanceof Crash || life.isDead) return
        this.#judge.blame(`a round failed: ${error instanceof Error ? error.message : String(error)}`)
        this.#die(agent, 'failed')
      },
    )
  }

  #die(agent: Agent, how: string): void {
    this.#note(`${agent.zone.agent} ${how}, and starts anew`)
    agent.life.isDead = true
    agent.isBusy = false
    agent.events.length = 0
    this.#waiting = this.#waiting.filter((one) => one.agent !== agent)
    agent.zone.restart()
  }

  #cutOrMend(agent: Agent): void {
    const cut = this.#agents.find((one) => one.isCut)
    if (cut) cut.isCut = false
    else agent.isCut = true
    this.#note(cut ? `${cut.zone.agent} has the hub again` : `${agent.zone.agent} loses the hub`)
  }

  /** A process never outlives its memory: the store or the clone is lost between two of them. */
  #lose(agent: Agent): void {
    const what = this.#random.pick(['store', 'clone', 'store and clone']) ?? ''
    this.#note(`${agent.zone.agent} loses its ${what}`)
    if (what.includes('store')) agent.zone.store = openSyncStore(':memory:')
    if (what.includes('clone')) agent.zone.repo.lose()
    this.#die(agent, 'stopped')
  }

  #deliver(hub: MemoryHub): void {
    const late = this.#random.pick(hub.late)
    if (!late) return
    this.#note(`a late push of ${late.commit.slice(0, 8)} arrives`)
    hub.deliver(late)
  }

  #fate(agent: string): ReturnType<MemoryHub['pushFate']> {
    if (this.#isCalm) return 'ok'
    const fate = this.#random.chance(0.7)
      ? 'ok'
      : (this.#random.pick(['lost-answer', 'lost-push', 'late'] as const) ?? 'ok')
    if (fate !== 'ok') this.#note(`the hub, to ${agent}: ${fate}`)
    return fate
  }

  #touched(zone: SyncZone, path: string): void {
    const agent = this.#agentOf(zone)
    const isSeen = this.#isCalm || this.#random.chance(0.8)
    if (isSeen) zone.deps().scanner.mark(path)
    else if (this.#random.chance(0.8)) agent.events.push(path)
    else this.#note(`${zone.agent}'s watcher misses ${path}`)
  }

  #tell(agent: Agent): void {
    for (const path of agent.events.splice(0)) agent.zone.deps().scanner.mark(path)
  }

  /** The weather clears: everybody goes on, meets the hub, looks at everything once, and comes to rest. */
  async #rest(): Promise<void> {
    this.#note('the weather clears')
    this.#isCalm = true
    while (this.#world.hub.late.length > 0) this.#deliver(this.#world.hub)
    for (const agent of this.#agents) {
      agent.isCut = false
      for (const one of this.#waiting.splice(0)) one.goOn()
      while (agent.isBusy) await turn()
      agent.zone.deps().scanner.markAll()
    }
    let quietRounds = 0
    for (let round = 0; round < ROUNDS_TO_REST; round++) {
      let isQuiet = true
      for (const { zone } of this.#agents) {
        this.#world.now += 1_000
        const outcome = await zone.sync('hub').catch((error: unknown) => ({ kind: `failed: ${error}` }) as const)
        this.#note(`${zone.agent} syncs: ${outcome.kind}`)
        this.#judge.look()
        isQuiet &&= 'report' in outcome && !outcome.report.pushed && outcome.report.appliedCount === 0
        const faults = 'faults' in outcome ? outcome.faults.map(({ rule, detail }) => `${rule}: ${detail}`).join() : ''
        if (!['synced', 'unsettled'].includes(outcome.kind)) this.#judge.blame(`at rest, ${outcome.kind} ${faults}`)
      }
      // What a round writes into its ledger at its end is carried by the next.
      quietRounds = isQuiet ? quietRounds + 1 : 0
      if (quietRounds === 2) return
    }
    this.#judge.blame('the zones do not come to rest')
  }

  /** What is not carried, and said to be so. */
  #held(): ReadonlySet<string> {
    const deps = this.#agents.map(({ zone }) => zone.deps())
    const held = deps.flatMap(({ attention }) => [...attention.held.values()].map(({ path }) => path))
    return new Set([...held, ...deps.flatMap(({ scanner }) => scanner.oddities().map(({ path }) => path))])
  }

  #agentOf(zone: SyncZone): Agent {
    const known = this.#agents.find((one) => one.zone === zone)
    if (known) return known
    const fresh = { zone, life: { isDead: false }, isBusy: false, isCut: false, events: [] }
    this.#agents.push(fresh)
    return fresh
  }

  #gateOf(zone: SyncZone): Gate {
    const agent = this.#agentOf(zone)
    const life = { isDead: false }
    agent.life = life
    const isOver = (where: string) => {
      if (!life.isDead && !this.#isCalm && this.#random.chance(this.#deadliness)) this.#die(agent, `dies ${where}`)
      return life.isDead
    }
    return {
      isConnected: () => !agent.isCut,
      pass: (where) => {
        if (isOver(where)) return new Promise(() => {})
        if (this.#isCalm || !this.#random.chance(this.#density)) return Promise.resolve()
        return new Promise((goOn) => this.#waiting.push({ agent, where, goOn }))
      },
      passNow: (where) => {
        if (isOver(where)) throw new Crash(where)
      },
    }
  }

  #skew(): number {
    return this.#random.pick([0, 0, 2_000, -2_000, 10 * 60_000, -HOUR_MS]) ?? 0
  }

  #note(text: string): void {
    if (this.#isTraced) this.#trace.push(text)
  }
}

/** All that can happen without anybody going on has happened. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Runs one schedule; with `isTraced` it tells what happened. */
export function runSchedule(seed: number, isTraced = false): Promise<ScheduleResult> {
  return new Schedule(seed, isTraced).run()
}
