import type { TaskJob } from '#core/jobs.ts'
import type { Oid, RefusedCause } from '#core/ports/repo.ts'
import type { Oddity } from '#core/ports/work-tree.ts'
import type { HubRestored } from './hub/restore-hub.ts'
import type { Refusal } from './hub/verify-hub.ts'

export type CycleOutcome =
  /** Vault and hub agree, but for what is held back. */
  | { readonly kind: 'synced'; readonly report: CycleReport }
  /** Nothing had changed here, and nobody had asked for a look at the hub. */
  | { readonly kind: 'idle' }
  /** Files were being written while we looked. */
  | { readonly kind: 'unsettled' }
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** The gate refused something at the hub. What stands before it was applied, nothing was pushed. */
  | ({ readonly kind: 'refused'; readonly report: CycleReport } & Refusal)
  /** The hub's hook refused our push: its gate and ours disagree. Or its disk did not take it. */
  | { readonly kind: 'push-refused'; readonly cause: RefusedCause; readonly reason: string }
  /** The hub had lost its newest history, and has it again. */
  | HubRestored
  /** The hub was restored a moment ago: others may know more of its history and go first. */
  | { readonly kind: 'waiting'; readonly forMs: number }
  /** Others pushed first, time and again. */
  | { readonly kind: 'contended' }

export interface CycleReport {
  readonly head: Oid | null
  readonly pushed: boolean
  /** Files changed in the work tree. */
  readonly appliedCount: number
  readonly claims: readonly TaskJob[]
  /** Of the claims that this round tried: how many others had made first, and how many pushes were not heard of. */
  readonly claimsTried: { readonly lost: number; readonly unknown: number }
  /** Conflict copies kept by this cycle. */
  readonly newConflicts: number
  /** All conflict copies in the vault. */
  readonly conflicts: readonly string[]
  readonly held: readonly Oddity[]
  readonly ledgerProblems: readonly string[]
  readonly isPartial: boolean
}
