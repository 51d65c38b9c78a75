import { messageOf } from '#core/errors.ts'

export type ServiceState = 'starting' | 'ready' | 'draining' | 'stopped' | 'failed'

/** What a check of readiness found: true, or what is wrong in a few words. */
export type CheckResult = true | string
export type Check = () => CheckResult | Promise<CheckResult>

export interface NamedResult {
  readonly ok: boolean
  readonly detail?: string
}

const CHECK_LIMIT_MS = 2_000

/** What the health endpoints tell: the state, the named checks of readiness, the probes of progress. */
export class HealthState {
  state: ServiceState = 'starting'
  /** Why a start is being retried. */
  startFault: string | undefined
  readonly #checks = new Map<string, Check>()
  readonly #probes = new Map<string, { readonly maxAgeMs: number; beatAt: number }>()
  readonly #monotonic: () => number
  readonly #onBeat: () => void
  readonly #checkLimitMs: number

  constructor(options: { onBeat?: () => void; monotonic?: () => number; checkLimitMs?: number } = {}) {
    this.#onBeat = options.onBeat ?? (() => {})
    this.#monotonic = options.monotonic ?? (() => performance.now())
    this.#checkLimitMs = options.checkLimitMs ?? CHECK_LIMIT_MS
  }

  addCheck(name: string, check: Check): void {
    this.#checks.set(name, check)
  }

  /** Registers work that must show progress at least every `maxAgeMs`; the returned function reports some. */
  addProgress(name: string, maxAgeMs: number): () => void {
    const probe = { maxAgeMs, beatAt: this.#monotonic() }
    this.#probes.set(name, probe)
    return () => {
      probe.beatAt = this.#monotonic()
      this.#onBeat()
    }
  }

  /** Forgets what a start that failed had registered. */
  reset(): void {
    this.#checks.clear()
    this.#probes.clear()
  }

  /** Alive while everything that must progress does. A service that waits for its start to succeed is alive. */
  live(): { readonly ok: boolean; readonly progress: Record<string, NamedResult> } {
    const progress: Record<string, NamedResult> = {}
    for (const [name, probe] of this.#probes) {
      const ageMs = Math.round(this.#monotonic() - probe.beatAt)
      progress[name] =
        ageMs <= probe.maxAgeMs
          ? { ok: true }
          : { ok: false, detail: `no progress for ${ageMs} ms, limit ${probe.maxAgeMs} ms` }
    }
    return { ok: Object.values(progress).every(({ ok }) => ok), progress }
  }

  async ready(): Promise<{
    readonly ok: boolean
    readonly state: ServiceState
    readonly checks: Record<string, NamedResult>
  }> {
    const found = await Promise.all(
      [...this.#checks].map(async ([name, check]) => [name, await outcomeOf(check, this.#checkLimitMs)] as const),
    )
    const checks: Record<string, NamedResult> = Object.fromEntries(found)
    if (this.startFault !== undefined) checks.start = { ok: false, detail: this.startFault }
    const ok = this.state === 'ready' && Object.values(checks).every((result) => result.ok)
    return { ok, state: this.state, checks }
  }
}

async function outcomeOf(check: Check, limitMs: number): Promise<NamedResult> {
  const limit = Promise.withResolvers<CheckResult>()
  const timer = setTimeout(() => limit.resolve(`no answer within ${limitMs} ms`), limitMs)
  try {
    const result = await Promise.race([check(), limit.promise])
    return result === true ? { ok: true } : { ok: false, detail: result }
  } catch (error) {
    return { ok: false, detail: messageOf(error).slice(0, 300) }
  } finally {
    clearTimeout(timer)
  }
}
