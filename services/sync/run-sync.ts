import { CountersignError } from '#core/errors.ts'
import { isScanRule } from '#core/scan-changes.ts'
import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { lastCheck } from './care/check-everything.ts'
import { asDiskFault } from './care/disk-fault.ts'
import type { CycleOutcome } from './cycle-outcome.ts'
import { lastRestore } from './hub/restore-hub.ts'
import { signsOfLife } from './hub/signs-of-life.ts'
import { syncCycle, type Wake } from './sync-cycle.ts'
import type { SyncDeps } from './sync-deps.ts'
import { syncFlow } from './sync-flow.ts'
import { type LoopAnswer, type SyncLoop, startLoop } from './sync-loop.ts'
import { FIRST_STATUS, type SyncStatus, statusAfter, statusAfterError } from './sync-status.ts'

export interface RunOptions {
  readonly log: Log
  readonly metrics: Pick<Metrics, 'count' | 'set' | 'since' | 'observe'>
  readonly writeStatus: (status: SyncStatus) => Promise<void>
  /** Called after every round: sync is alive whether or not the hub is. */
  readonly onProgress: () => void
  readonly onFault: (error: unknown) => void
  /** Repairs the clone: called between two looks at it when git fails time and again. */
  readonly repair: () => Promise<unknown>
  readonly random: () => number
  readonly monotonic: () => number
}

export interface RunningSync extends SyncLoop {
  /** Does something while no round runs, and has a round follow it. Rejects with what it throws. */
  exclusive<T>(act: () => Promise<T>): Promise<T>
  /** For the status: what a check of everything found wrong. */
  noteCheck(check: NonNullable<SyncStatus['check']>): void
  /** For `/readyz`: true, or what is wrong. */
  hubState(): true | string
  gateState(): true | string
  vaultState(): true | string
}

/** This many errors in a row that git or the disk made: a new process opens and repairs everything from the start. */
const GIVE_UP_AFTER = 8

/** So many errors of git in a row are no bad moment but a damaged clone; it is repaired once, until a round succeeds. */
const REPAIR_AFTER = 2

/** Runs sync cycles on request and reports each: status file, log, metrics. */
export function runSync(deps: SyncDeps, options: RunOptions): RunningSync {
  const { log, metrics } = options
  let status: SyncStatus = {
    ...FIRST_STATUS,
    hubRestored: lastRestore(deps),
    check: lastCheck(deps.store)?.status ?? null,
    at: new Date(deps.clock.now()).toISOString(),
  }
  /** What `/readyz` tells: never more than the status file. */
  let shown = status
  let errorsInARow = 0
  let isRepaired = false
  const tellFlow = syncFlow(deps, metrics)
  const between: (() => Promise<void>)[] = []

  const round = async (wake: Wake): Promise<LoopAnswer> => {
    for (const act of between.splice(0)) await act()
    const answer = await oneRound(wake)
    const isWritten = await tell()
    options.onProgress()
    return isWritten ? answer : { kind: 'back-off' }
  }
  /** Where the disk takes no status file, `/readyz` and the log still say what is wrong. */
  const tell = async (): Promise<boolean> => {
    try {
      status = { ...status, asked: (await deps.requests.open()).map((one) => one.file) }
      await options.writeStatus(status)
      return true
    } catch (cause) {
      const error = asDiskFault(cause)
      if (!(error instanceof CountersignError)) throw error
      if (status.state !== 'failed') {
        log.error({ err: error }, `the status could not be written: ${error.message}`)
        status = statusAfterError(status, error, deps.clock.now())
      }
      return false
    } finally {
      shown = status
    }
  }
  const oneRound = async (wake: Wake): Promise<LoopAnswer> => {
    try {
      const outcome = await syncCycle(deps, wake)
      errorsInARow = 0
      isRepaired = false
      const before = status
      status = { ...statusAfter(before, outcome, deps.clock.now()), ...(await othersAndHub()) }
      report(outcome, before)
      tellFlow(outcome, before, status)
      return answerTo(outcome)
    } catch (cause) {
      const error = asDiskFault(cause)
      if (!(error instanceof CountersignError)) throw error
      status = statusAfterError(status, error, deps.clock.now())
      metrics.count('countersign_sync_cycles_total', { outcome: 'error' })
      log.error({ err: error }, `a cycle failed: ${error.message}`)
      if (++errorsInARow >= GIVE_UP_AFTER) options.onFault(error)
      else if (error.code === 'ERR_GIT_FAILED' && errorsInARow >= REPAIR_AFTER && !isRepaired) await repairOnce()
      return { kind: 'back-off' }
    }
  }
  const othersAndHub = async () => {
    const { hubReachedAt, listenedAt } = deps.attention
    const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
    return {
      hubReachedAt: iso(hubReachedAt),
      listenedAt: iso(listenedAt),
      others: await signsOfLife(deps),
    }
  }
  const repairOnce = async () => {
    isRepaired = true
    await options.repair().catch((error: unknown) => log.error({ err: error }, 'the clone could not be repaired'))
  }

  const report = (outcome: CycleOutcome, before: SyncStatus) => {
    switch (outcome.kind) {
      case 'synced': {
        const { pushed, appliedCount, claims, newConflicts, head } = outcome.report
        const isNews = pushed || appliedCount > 0
        metrics.count('countersign_sync_cycles_total', { outcome: isNews ? 'success' : 'noop' })
        metrics.set('countersign_sync_last_success_timestamp_seconds', deps.clock.now() / 1000, {})
        metrics.set('countersign_sync_open_conflicts', outcome.report.conflicts.length, {})
        const secret = outcome.report.held.filter(({ rule }) => isScanRule(rule)).length
        metrics.set('countersign_sync_held_files', secret, { reason: 'secret' })
        metrics.set('countersign_sync_held_files', outcome.report.held.length - secret, { reason: 'other' })
        const { lost, unknown } = outcome.report.claimsTried
        if (lost > 0) metrics.count('countersign_claims_total', { outcome: 'lost' }, lost)
        if (unknown > 0) metrics.count('countersign_claims_total', { outcome: 'unknown' }, unknown)
        if (claims.length > 0) {
          metrics.count('countersign_claims_total', { outcome: 'won' }, claims.length)
          metrics.count('countersign_tasks_total', { outcome: 'claimed' }, claims.length)
        }
        if (newConflicts > 0) metrics.count('countersign_sync_conflicts_total', {}, newConflicts)
        if (isNews || before.state !== 'ok')
          log.info({ head, count: appliedCount, outcome: 'synced' }, 'vault and hub agree')
        for (const job of claims) log.info({ task: job.taskId, generation: job.generation }, 'claimed')
        for (const problem of outcome.report.ledgerProblems) log.error({ reason: problem }, 'a ledger does not verify')
        return
      }
      case 'refused':
        metrics.count('countersign_sync_cycles_total', { outcome: 'error' })
        if (before.state === status.state && before.quarantine?.head === outcome.head) return
        metrics.count('countersign_gate_refusals_total', { rule: outcome.faults[0]?.rule ?? 'unknown' })
        log.error(
          { head: outcome.head, rule: outcome.faults[0]?.rule, reason: status.lastError?.message },
          'the hub holds something that may not enter; it was not applied, nor anything after it',
        )
        return
      case 'unreachable':
      case 'push-refused':
        metrics.count('countersign_sync_cycles_total', { outcome: 'error' })
        if (before.state !== status.state) log.warn({ reason: outcome.reason }, status.state)
        return
      case 'restored': {
        const { from, to } = outcome
        metrics.count('countersign_hub_rollbacks_total', {})
        log.error({ head: to, reason: `it had come back with ${from ?? 'nothing'}` }, 'put back what the hub had lost')
        return
      }
      case 'idle':
        metrics.count('countersign_sync_cycles_total', { outcome: 'noop' })
        return
      case 'waiting':
      case 'unsettled':
      case 'contended':
        log.debug({ outcome: outcome.kind }, 'looking again soon')
    }
  }

  const loop = startLoop({ round, onFault: options.onFault, random: options.random, now: options.monotonic })
  const stateUnless = (bad: readonly string[]) => () =>
    bad.includes(shown.state) ? `${shown.state}: ${shown.lastError?.message ?? ''}`.slice(0, 300) : (true as const)
  return {
    request: loop.request,
    requestNow: loop.requestNow,
    isRunning: loop.isRunning,
    exclusive: (act) =>
      new Promise((resolve, reject) => {
        between.push(() => act().then(resolve, reject))
        loop.requestNow()
      }),
    noteCheck(check) {
      status = { ...status, check }
      loop.request()
    },
    hubState: stateUnless(['hub unreachable', 'push refused by the hub', 'starting']),
    gateState: stateUnless(['hub refused by the gate']),
    vaultState: stateUnless(['failed']),
    [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose](),
  }
}

function answerTo(outcome: CycleOutcome): LoopAnswer {
  switch (outcome.kind) {
    case 'synced':
      return { kind: outcome.report.isPartial ? 'again' : 'rest' }
    case 'idle':
      return { kind: 'rest' }
    case 'waiting':
      return { kind: 'later', afterMs: outcome.forMs }
    case 'restored':
    case 'unsettled':
    case 'contended':
      return { kind: 'again' }
    // For more of it, the hub has to change first; its watcher and the regular look tell.
    case 'refused':
      return { kind: outcome.report.isPartial ? 'again' : 'rest' }
    case 'unreachable':
    case 'push-refused':
      return { kind: 'back-off' }
  }
}
