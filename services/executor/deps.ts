import type { KeyObject } from 'node:crypto'
import type { Action } from '#core/action.ts'
import type { Receipt } from '#core/countersignature.ts'
import type { DashboardFacts } from '#core/dashboard-facts.ts'
import type { DashboardSources } from '#core/gather-dashboard.ts'
import type { TaskJob } from '#core/jobs.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { JournalPort } from '#core/ports/journal.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import type { OutgoingMail } from '#core/ports/mail.ts'
import type { ReceivedPort } from '#core/ports/received.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import type { Zone } from '#core/zone-policy.ts'
import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'
import type { PatientSent } from './patient-sent.ts'
import type { IsQuiet } from './quiet-files.ts'
import type { SenderWatch } from './sender-watch.ts'

/** What the executor's use cases work with. They run one at a time (`runPasses`), so none of them races another. */
export interface ExecutorDeps {
  readonly vault: VaultPort
  readonly ledger: LedgerPort
  readonly journal: JournalPort
  /** What sync received: by it a file is known to be the one that was shown. */
  readonly received: Pick<ReceivedPort, 'count'>
  /** Required before a file that the person may be saving is replaced or judged unfit. */
  readonly isQuiet: IsQuiet
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'count'>
  /** What the dashboard shows, as vault and journal stand now. */
  readonly gather: (sources: DashboardSources) => Promise<DashboardFacts>
  readonly zone: Zone
  readonly agent: string
  /** The address this machine sends from. */
  readonly account: string
  readonly maxRecipients: number
  readonly undoMs: number
  /** How long a countersignature may be used after it was made. */
  readonly receiptMs: number
  /** How long a mail may take to appear in Sent before its outcome counts as unknown. */
  readonly lookUpGraceMs: number
  readonly signingKey: KeyObject
  /** This machine, as receipts name it (`audienceOf`). */
  readonly audience: string
  /** 32 hex digits nobody can guess. */
  nonce(): string
  ring(job: TaskJob, delayMs: number): Promise<void>
  readonly sender: SenderWatch
  readonly sent: PatientSent
  /** Calls the tool `send_email`: its structured answer. Rejects when the call failed: then nothing is known. */
  sendEmail(action: Action, receipt: Receipt): Promise<unknown>
  /** The bytes that the tool sent for this action, again. */
  compose(action: Action, message: { messageId: string; sentAt: number }): Promise<OutgoingMail>
}

/** Everything but what the running of passes brings. */
export type WiredDeps = Omit<ExecutorDeps, 'isQuiet'>

/** A task that stands still, and why, in words for the person. */
export interface Held {
  readonly path: string
  readonly say: string
}
