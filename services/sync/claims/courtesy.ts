import type { SignedCommit } from '#core/ports/repo.ts'
import type { Zone } from '#core/zone-policy.ts'

/**
 * Lets far agents have their share: whoever is near the hub would win every race against them. After a claim has landed,
 * an agent lets a random time pass before it claims again, as long as the slowest of the others needs for a try.
 */
export interface Courtesy extends Disposable {
  /** False while it is the others' turn; `onTurn` is called when that is over. */
  mayClaim(): boolean
  /** Begins a try: a look at the hub, and what is pushed on what was seen. */
  start(): { landed(withClaims: boolean): void }
  /** How long this agent's last try took that landed, ms: another's push in that time would have defeated it. */
  took(): number | undefined
  /** What others say in their commits of how long they need. */
  hear(commits: readonly Pick<SignedCommit, 'signature' | 'trailers'>[]): void
}

export interface CourtesyOptions {
  readonly agent: string
  readonly agents: ReadonlyMap<string, Zone>
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Monotonic, ms. */
  readonly now: () => number
  readonly onTurn: () => void
}

/** Nobody waits longer for an agent, whatever it says of itself. */
const SLOWEST_MS = 5_000
/** Of an agent that has not said anything yet. */
const UNKNOWN_MS = 1_000

export function createCourtesy({ agent, agents, random, now, onTurn }: CourtesyOptions): Courtesy {
  const others = [...agents.keys()].filter((name) => name !== agent && agents.get(name) === agents.get(agent))
  const needed = new Map<string, number>()
  let own: number | undefined
  let notBefore = 0
  let turn: NodeJS.Timeout | undefined
  const giveWay = () => {
    const slowest = Math.max(...others.map((name) => needed.get(name) ?? UNKNOWN_MS))
    const waitMs = Math.ceil(random() * 2 * slowest)
    notBefore = now() + waitMs
    clearTimeout(turn)
    turn = setTimeout(onTurn, waitMs)
  }
  return {
    mayClaim: () => now() >= notBefore,
    start() {
      const startedAt = now()
      return {
        landed(withClaims) {
          own = Math.min(SLOWEST_MS, Math.ceil(now() - startedAt))
          if (withClaims && others.length > 0) giveWay()
        },
      }
    },
    took: () => own,
    hear(commits) {
      for (const { signature, trailers } of commits) {
        const took = /^\d{1,6}$/.exec(trailers.Took ?? '')
        if (took && signature.state === 'good') needed.set(signature.agent, Math.min(SLOWEST_MS, Number(took[0])))
      }
    },
    [Symbol.dispose]: () => clearTimeout(turn),
  }
}
