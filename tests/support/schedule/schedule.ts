import type { MemoryHub } from '#adapters/memory/repo.ts'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import type { ContentScan } from '#core/ports/content-scan.ts'
import { makeSyncWorld, type SyncWorld, type SyncZone } from '#tests/support/sync-world.ts'
import { Agent, type Weather } from './agent.ts'
import { Deeds } from './deeds.ts'
import { gatedPorts } from './gates.ts'
import { Hands } from './hands.ts'
import { Judge } from './judge.ts'
import { type Random, randomOf } from './random.ts'

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
  #isCalm = false
  #isRestored = false
  /** Changes of files so far, by whomever. */
  #touches = 0
  readonly #weather: Weather

  constructor(seed: number, isTraced: boolean) {
    this.#seed = seed
    this.#isTraced = isTraced
    const random = randomOf(seed)
    this.#random = random
    const tell = (what: string) => this.#note(what)
    this.#weather = {
      ...{ random, tell },
      density: random.pick([0.02, 0.1, 0.4]) ?? 0,
      deadliness: random.pick([0, 0.002, 0.01, 0.03]) ?? 0,
      isCalm: () => this.#isCalm,
      blame: (what) => this.#judge.blame(what),
    }
    const more = ['cloud-b', 'cloud-c', 'cloud-d'].slice(0, random.pick([0, 0, 1, 1, 2, 3]))
    const skews = new Map(['cloud', 'local', ...more].map((agent) => [agent, this.#skew()]))
    this.#agents = []
    this.#world = makeSyncWorld({
      moreAgents: more.map((agent) => [agent, 'cloud']),
      skewMs: (agent) => skews.get(agent) ?? 0,
      between: (zone, ports) => ({ ...gatedPorts(ports, this.#agentOf(zone).gate()), scan: NO_SECRETS }),
      onTouch: (zone, path) => this.#touched(zone, path),
    })
    this.#judge = new Judge(this.#world)
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
    if (dice < 0.45) return agent.goOn()
    if (dice < 0.86) return this.#deeds.one(agent.zone)
    if (dice < 0.9) return this.#tell(agent)
    if (dice < 0.93) return agent.die('killed')
    if (dice < 0.97) return this.#cutOrMend(agent)
    if (dice < 0.98) return agent.zone.deps().scanner.markAll()
    if (dice < 0.985) return this.#lose(agent)
    if (dice < 0.99) return this.#restoreFromBackup()
    this.#deliver(this.#world.hub)
  }

  #cutOrMend(agent: Agent): void {
    const cut = this.#agents.find((one) => one.isCut)
    if (cut) cut.isCut = false
    else agent.isCut = true
    this.#note(cut ? `${cut.name} has the hub again` : `${agent.name} loses the hub`)
  }

  /** A process never outlives its memory: the store or the clone is lost between two of them. */
  #lose(agent: Agent): void {
    const what = this.#random.pick(['store', 'clone', 'store and clone']) ?? ''
    this.#note(`${agent.name} loses its ${what}`)
    if (what.includes('store')) this.#judge.forgot(agent.name)
    if (what.includes('store')) agent.zone.store = openSyncStore(':memory:')
    if (what.includes('clone')) agent.zone.repo.lose()
    agent.die('stopped')
  }

  /**
   * The hub comes back as it was some commits ago. Whoever had verified its last head meets it first: what nobody has
   * seen is lost with the hub, and what one has seen is put back before anybody builds on less.
   */
  async #restoreFromBackup(): Promise<void> {
    const { hub } = this.#world
    const heads = await Promise.all(this.#agents.map(({ zone }) => zone.repo.head()))
    const knowing = this.#agents.find(
      ({ zone, isBusy }, number) => !isBusy && heads[number] && zone.store.fact('verified') === hub.head,
    )
    if (!knowing || this.#isRestored) return
    this.#isRestored = true
    for (let back = this.#random.upTo(4); back >= 0; back--)
      hub.head = (hub.head && hub.commits.get(hub.head)?.parents[0]) ?? null
    hub.late.length = 0
    this.#note(`the hub is restored from a backup; ${knowing.name} meets it first`)
    const before = [this.#isCalm, knowing.isCut] as const
    ;[this.#isCalm, knowing.isCut] = [true, false]
    for (let round = 0; round < 3; round++) this.#note(`… ${(await knowing.zone.sync('hub')).kind}`)
    ;[this.#isCalm, knowing.isCut] = before
    this.#world.now += 60_000
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
    this.#touches++
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
      await agent.finish()
      agent.zone.deps().scanner.markAll()
    }
    for (let round = 0; round < ROUNDS_TO_REST; round++) {
      const before = `${this.#touches} ${this.#world.hub.head}`
      for (const { zone } of this.#agents) await this.#syncAtRest(zone)
      if (`${this.#touches} ${this.#world.hub.head}` === before) return
    }
    this.#judge.blame('the zones do not come to rest')
  }

  async #syncAtRest(zone: SyncZone): Promise<void> {
    this.#world.now += 1_000
    const outcome = await zone.sync('hub').catch((error: unknown) => ({ kind: `failed: ${error}` }) as const)
    this.#note(`${zone.agent} syncs: ${outcome.kind}`)
    this.#judge.look()
    const faults = 'faults' in outcome ? outcome.faults.map(({ rule, detail }) => `${rule}: ${detail}`).join() : ''
    if (!['synced', 'unsettled'].includes(outcome.kind)) this.#judge.blame(`at rest, ${outcome.kind} ${faults}`)
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
    const fresh = new Agent(zone, this.#weather)
    this.#agents.push(fresh)
    return fresh
  }

  #skew(): number {
    return this.#random.pick([0, 0, 2_000, -2_000, 10 * 60_000, -HOUR_MS]) ?? 0
  }

  #note(text: string): void {
    if (this.#isTraced) this.#trace.push(text)
  }
}

/** Runs one schedule; with `isTraced` it tells what happened. */
export function runSchedule(seed: number, isTraced = false): Promise<ScheduleResult> {
  return new Schedule(seed, isTraced).run()
}
