import { Crash, type SyncZone } from '#tests/support/sync-world.ts'
import type { Gate } from './gates.ts'
import type { Random } from './random.ts'

/** What all agents of a schedule are exposed to. */
export interface Weather {
  readonly random: Random
  /** How often a process stops at a gate, and dies at one: some schedules are busy, some are deadly. */
  readonly density: number
  readonly deadliness: number
  readonly isCalm: () => boolean
  readonly tell: (what: string) => void
  readonly blame: (what: string) => void
}

interface Waiting {
  readonly where: string
  readonly goOn: () => void
}

/** The process of one agent, and the one after it when it dies. Once dead, nothing that it began goes on. */
export class Agent {
  readonly zone: SyncZone
  readonly #weather: Weather
  /** Paths that its watcher has not told it of yet. */
  readonly events: string[] = []
  isCut = false
  isBusy = false
  #life = { isDead: false }
  #waiting: Waiting[] = []

  constructor(zone: SyncZone, weather: Weather) {
    this.zone = zone
    this.#weather = weather
  }

  get name(): string {
    return this.zone.agent
  }

  /** The gate of a new process. */
  gate(): Gate {
    const { random, density, deadliness, isCalm } = this.#weather
    const life = { isDead: false }
    this.#life = life
    const isOver = (where: string) => {
      if (!life.isDead && !isCalm() && random.chance(deadliness)) this.die(`dies ${where}`)
      return life.isDead
    }
    return {
      isConnected: () => !this.isCut,
      pass: (where) => {
        if (isOver(where)) return new Promise(() => {})
        if (isCalm() || !random.chance(density)) return Promise.resolve()
        return new Promise((goOn) => this.#waiting.push({ where, goOn }))
      },
      passNow: (where) => {
        if (isOver(where)) throw new Crash(where)
      },
    }
  }

  /** Takes some steps of the round that it is in, or begins one. */
  async goOn(): Promise<void> {
    const { random, tell } = this.#weather
    if (!this.isBusy) this.#begin()
    for (let steps = 1 + random.upTo(30); steps > 0 && this.isBusy; steps--) {
      await turn()
      const next = random.pick(this.#waiting)
      if (!next) continue
      this.#waiting = this.#waiting.filter((one) => one !== next)
      tell(`${this.name} passes ${next.where}`)
      next.goOn()
    }
    await turn()
  }

  #begin(): void {
    const { random, tell, blame } = this.#weather
    const wake = random.chance(0.5) ? 'vault' : 'hub'
    const life = this.#life
    tell(`${this.name} begins a round (${wake})`)
    this.isBusy = true
    this.zone.sync(wake).then(
      (outcome) => {
        if (life.isDead) return
        this.isBusy = false
        tell(`${this.name} ends its round: ${outcome.kind}`)
        if (['refused', 'push-refused'].includes(outcome.kind)) blame(`a round ended as ${outcome.kind}`)
      },
      (error: unknown) => {
        if (error instanceof Crash || life.isDead) return
        blame(`a round failed: ${error instanceof Error ? error.message : String(error)}`)
        this.die('failed')
      },
    )
  }

  die(how: string): void {
    this.#weather.tell(`${this.name} ${how}, and starts anew`)
    this.#life.isDead = true
    this.isBusy = false
    this.events.length = 0
    this.#waiting = []
    this.zone.restart()
  }

  /** The round that it is in ends; the weather is calm. */
  async finish(): Promise<void> {
    for (const one of this.#waiting.splice(0)) one.goOn()
    for (let turns = 0; this.isBusy; turns++) {
      if (turns === MOST_TURNS) throw new Error(`the round of ${this.name} never ends`)
      await turn()
    }
  }
}

const MOST_TURNS = 10_000

/** All that can happen without anybody going on has happened. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
