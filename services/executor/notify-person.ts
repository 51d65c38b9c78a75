import type { DashboardFacts } from '#core/dashboard-facts.ts'
import { CountersignError } from '#core/errors.ts'
import { noteworthy } from '#core/noteworthy.ts'
import { makeNotice, type NoticeDetail, planNotice } from '#core/notice-to-person.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { Notifier, NotifierName, Told, ToldMemory } from '#core/ports/notifier.ts'
import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'

export interface NotifyDeps {
  readonly notifiers: readonly Notifier[]
  readonly memory: ToldMemory
  readonly clock: Clock
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly metrics: Pick<Metrics, 'count'>
  /** At least so long between two notices of one way. */
  readonly everyMs: number
  /** What has waited for longer is told of. */
  readonly olderThanMs: number
  readonly detail: NoticeDetail
  /** Whether the person wants only what cannot wait now. */
  isQuiet(now: number): Promise<boolean>
}

/** How one way is doing. `fault`: why the last notice could not be handed over. */
export interface NotifierState {
  readonly name: NotifierName
  readonly isOptional: boolean
  readonly fault: string | undefined
}

export interface PersonNotifier extends AsyncDisposable {
  /** Looks whether the person is to be told of something. Returns at once and never throws: nothing waits for a notice. */
  consider(facts: DashboardFacts): void
  state(): NotifierState[]
  /** Resolves when nothing is being told. */
  settled(): Promise<void>
}

const FIRST_RETRY_MS = 60_000
const MAX_RETRY_MS = 3_600_000

interface Way {
  readonly notifier: Notifier
  fault: string | undefined
  attempts: number
  retryAt: number
}

/**
 * Tells the person of what is noteworthy, each way for itself: the first at once, then at most one notice every
 * `everyMs`, and nothing twice. It is remembered once it was handed over: who dies in between tells it again.
 */
export async function notifyPerson(deps: NotifyDeps): Promise<PersonNotifier> {
  const { clock, log, metrics } = deps
  const stopping = new AbortController()
  const told: Partial<Record<NotifierName, Told>> = await deps.memory.load()
  const ways = deps.notifiers.map((notifier): Way => ({ notifier, fault: undefined, attempts: 0, retryAt: 0 }))
  let running: Promise<unknown> | undefined
  let saved = Promise.resolve()

  const tell = async (way: Way, facts: DashboardFacts) => {
    const now = clock.now()
    const { name, isOutside } = way.notifier
    const items = noteworthy(facts, now, deps.olderThanMs)
    const plan = planNotice(items, told[name], { now, everyMs: deps.everyMs, isQuiet: await deps.isQuiet(now) })
    if (plan.kind === 'nothing' || now < way.retryAt) return
    try {
      await way.notifier.notify(makeNotice(plan.items, { now, isOutside, detail: deps.detail }), stopping.signal)
    } catch (error) {
      if (!stopping.signal.aborted) failed(way, error)
      return
    }
    told[name] = plan.told
    Object.assign(way, { fault: undefined, attempts: 0, retryAt: 0 })
    metrics.count('countersign_notifications_total', { way: name, outcome: 'sent' })
    await save()
    log.info({ name, count: plan.items.length }, 'told the person that something needs them')
  }
  const save = () => {
    saved = saved.catch(() => {}).then(() => deps.memory.save(told)) // One at a time; each failure is its caller's.
    return saved
  }
  const failed = (way: Way, error: unknown) => {
    const { name, isOptional } = way.notifier
    const fault =
      error instanceof CountersignError ? error.message : `a fault of the program (${String(error).slice(0, 200)})`
    way.retryAt = clock.now() + Math.min(FIRST_RETRY_MS * 2 ** way.attempts++, MAX_RETRY_MS)
    metrics.count('countersign_notifications_total', { way: name, outcome: isOptional ? 'absent' : 'failed' })
    if (way.fault !== fault) log[isOptional ? 'info' : 'warn']({ name, err: error }, 'the person could not be told')
    way.fault = fault
  }
  const all = async (facts: DashboardFacts) => {
    const outcomes = await Promise.allSettled(ways.map((way) => tell(way, facts)))
    for (const one of outcomes)
      if (one.status === 'rejected') log.warn({ err: one.reason }, 'a notice could not be decided on or remembered')
    running = undefined
  }
  return {
    consider(facts) {
      if (!stopping.signal.aborted) running ??= all(facts)
    },
    state: () => ways.map(({ notifier: { name, isOptional }, fault }) => ({ name, isOptional, fault })),
    async settled() {
      await running
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await running
    },
  }
}
