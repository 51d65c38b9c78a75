import type { KeyObject } from 'node:crypto'
import type { ActionLimits } from '#core/action.ts'
import type { DashboardFacts } from '#core/dashboard-facts.ts'
import type { DashboardSources } from '#core/gather-dashboard.ts'
import type { OpenWork } from '#core/gather-plans.ts'
import type { TaskId } from '#core/ids.ts'
import type { TaskJob } from '#core/jobs.ts'
import type { Channel } from '#core/ports/channel.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { CompareTexts } from '#core/ports/compare.ts'
import type { JournalPort } from '#core/ports/journal.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import type { ReceivedPort } from '#core/ports/received.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import type { Zone } from '#core/zone-policy.ts'
import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'
import type { BounceBox } from './bounces.ts'
import type { InHand } from './in-hand.ts'
import type { Knowledge } from './knowledge.ts'
import type { OwnAge } from './own-age.ts'
import type { IsQuiet } from './quiet-files.ts'
import type { PendingReader } from './read-pending.ts'

/**
 * What the executor's use cases work with. The passes over the vault run one at a time (`runPasses`), and so does the
 * loop of each channel; a task is in one hand at a time (`inHand`).
 */
export interface ExecutorDeps {
  readonly vault: VaultPort
  readonly ledger: LedgerPort
  readonly journal: JournalPort
  /** What sync received: by it a file is known to be the one that was shown. */
  readonly received: Pick<ReceivedPort, 'count'>
  /** Required before a file that the person may be saving is replaced or judged unfit. */
  readonly isQuiet: IsQuiet
  /** The same for a note in Inbox/, which somebody may be thinking about between two lines. */
  readonly isNoteQuiet: IsQuiet
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'count' | 'observe' | 'since'>
  readonly compare: CompareTexts
  /** What the dashboard shows, as vault and journal stand now. */
  readonly gather: (sources: DashboardSources) => Promise<DashboardFacts>
  /** Tasks that belong together or were handed over, as the vault stands now. */
  readonly gatherPlans: () => Promise<OpenWork>
  readonly zone: Zone
  readonly agent: string
  readonly limits: ActionLimits
  /** The handbook and whom this machine has written to, as they are now. */
  knowledge(): Promise<Knowledge>
  readonly undoMs: number
  /** How long a countersignature may be used after it was made. */
  readonly receiptMs: number
  /** How long a provider may take to show what was done before the outcome counts as unknown. */
  readonly lookUpGraceMs: number
  readonly signingKey: KeyObject
  /** This machine, as receipts name it (`audienceOf`). */
  readonly audience: string
  /** 32 hex digits nobody can guess. */
  nonce(): string
  ring(job: TaskJob, delayMs: number): Promise<void>
  /** Every way this machine can act. */
  readonly channels: readonly Channel[]
  readonly ownAge: OwnAge
  readonly inHand: InHand
  readonly pending: PendingReader
  /** Until when (ms) a frozen task waited by a rule of the person's: quiet hours, pace, order. For figures only. */
  readonly heldUntil: Map<TaskId, number>
  /** Mails that came back. */
  readonly bounces: BounceBox
}

/** Everything but what the running of passes brings. */
export type WiredDeps = Omit<ExecutorDeps, 'isQuiet' | 'isNoteQuiet' | 'inHand' | 'pending'>

/** Why a task stands still, in words for the person, and until when (ms) where that is known. */
export interface Stay {
  readonly say: string
  readonly until?: number | undefined
}

/** A task that stands still. */
export interface Held extends Stay {
  readonly path: string
}
