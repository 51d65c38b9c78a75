import { CountersignError, ERROR_CODES, type ErrorCode } from '#core/errors.ts'
import type { SignOfLife } from '#core/sign-of-life.ts'
import type { CycleOutcome, CycleReport } from './cycle-outcome.ts'

/** What a person has to know of a trouble: the code, what happened, what to do. */
export interface Trouble {
  readonly code: ErrorCode | 'ERR_UNEXPECTED'
  readonly message: string
  readonly hint: string
  readonly at: string
}

/**
 * `state/sync-status.json`: what sync last found. Times are ISO 8601 UTC. Read by `countersign sync`, by health and by
 * the dashboard; those know only `state` and `at`.
 */
export interface SyncStatus {
  /** `ok`, `hub unreachable`, `hub refused by the gate`, `push refused by the hub`, `failed`. */
  readonly state: string
  readonly at: string
  readonly lastSuccessAt: string | null
  /** When the hub last answered; null: not since this process began. */
  readonly hubReachedAt: string | null
  /** When the other agents' heartbeats were last read; null: not since this process began. */
  readonly listenedAt: string | null
  /** The last sign of life of each other agent. */
  readonly others: readonly SignOfLife[]
  /** As of the last success. */
  readonly hubHead: string | null
  /** Held back by the ownership table or not carried at all, with the rule. */
  readonly held: readonly { readonly path: string; readonly rule: string }[]
  readonly conflicts: readonly string[]
  /** Tasks of which something was asked (a claim, a giving back) that is not decided yet: their file names. */
  readonly asked: readonly string[]
  /** What the gate refused; null when nothing. */
  readonly quarantine: { readonly head: string | null; readonly faults: readonly string[] } | null
  readonly ledgerProblems: readonly string[]
  /** When the hub last came back with an older history, and what was put back; null: not since this process began. */
  readonly hubRestored: { readonly at: string; readonly from: string | null; readonly to: string } | null
  /** What the last check of everything found wrong; null before the first. */
  readonly check: { readonly at: string; readonly problems: readonly string[] } | null
  readonly lastError: Trouble | null
}

export const FIRST_STATUS: Omit<SyncStatus, 'at'> = {
  state: 'starting',
  lastSuccessAt: null,
  hubReachedAt: null,
  listenedAt: null,
  others: [],
  hubHead: null,
  held: [],
  conflicts: [],
  asked: [],
  quarantine: null,
  ledgerProblems: [],
  hubRestored: null,
  check: null,
  lastError: null,
}

const PUSH_REFUSED = { refused: 'ERR_GATE_REFUSED', unstored: 'ERR_HUB_WRITE_FAILED' } as const

/** The status after a cycle ended. What a failed cycle could not look at stays as it was known. */
export function statusAfter(before: Omit<SyncStatus, 'at'>, outcome: CycleOutcome, nowMs: number): SyncStatus {
  const at = new Date(nowMs).toISOString()
  const kept = { ...before, at }
  const trouble = (code: ErrorCode, message: string): Trouble => ({ code, message, hint: ERROR_CODES[code].hint, at })
  switch (outcome.kind) {
    case 'synced':
      return {
        ...{ ...FIRST_STATUS, hubRestored: before.hubRestored, check: before.check, ...factsOf(outcome.report) },
        ...{ state: 'ok', at, lastSuccessAt: at },
      }
    case 'restored':
      return { ...kept, hubRestored: { at, from: outcome.from, to: outcome.to } }
    case 'waiting':
    case 'idle':
    case 'unsettled':
    case 'contended':
      return kept
    case 'unreachable':
      return { ...kept, state: 'hub unreachable', lastError: trouble('ERR_HUB_UNREACHABLE', outcome.reason) }
    case 'push-refused':
      return {
        ...kept,
        state: 'push refused by the hub',
        lastError: trouble(PUSH_REFUSED[outcome.cause], outcome.reason),
      }
    case 'refused': {
      const faults = outcome.faults.map(({ rule, detail }) => `${rule}: ${detail}`)
      return {
        ...kept,
        ...factsOf(outcome.report),
        state: 'hub refused by the gate',
        quarantine: { head: outcome.head, faults },
        lastError: trouble('ERR_GATE_REFUSED', faults[0] ?? ''),
      }
    }
  }
}

/** The status after a cycle that ended in an error. */
export function statusAfterError(before: Omit<SyncStatus, 'at'>, error: unknown, nowMs: number): SyncStatus {
  const at = new Date(nowMs).toISOString()
  const lastError: Trouble =
    error instanceof CountersignError
      ? { code: error.code, message: error.message, hint: error.hint, at }
      : { code: 'ERR_UNEXPECTED', message: String(error).slice(0, 300), hint: 'See the log of sync.', at }
  return { ...before, state: 'failed', at, lastError }
}

function factsOf({ head, held, conflicts, ledgerProblems }: CycleReport) {
  return { hubHead: head, held, conflicts, ledgerProblems }
}
