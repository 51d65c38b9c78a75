import type { KeyObject } from 'node:crypto'
import type { GateContext } from '#core/gate.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { ContentScan } from '#core/ports/content-scan.ts'
import type { Doorbell } from '#core/ports/doorbell.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import type { ReceivedPort } from '#core/ports/received.ts'
import type { Oid, RepoPort } from '#core/ports/repo.ts'
import type { RequestsPort } from '#core/ports/requests.ts'
import type { SyncStore } from '#core/ports/sync-store.ts'
import type { WorkTreePort } from '#core/ports/work-tree.ts'
import type { Zone } from '#core/zone-policy.ts'
import type { Attention } from './attention.ts'
import type { Courtesy } from './claims/courtesy.ts'
import type { Scanner } from './work-tree/scan-work-tree.ts'

/** What a sync cycle works with. */
export interface SyncDeps {
  readonly zone: Zone
  readonly agent: string
  /** Whose signatures count, read anew each time: a revocation takes effect at once. */
  readonly trust: () => Promise<Pick<GateContext, 'agents' | 'revoked'>>
  readonly repo: RepoPort
  readonly workTree: WorkTreePort
  readonly scanner: Scanner
  /** What may not leave this machine. */
  readonly scan: ContentScan
  readonly attention: Attention
  /** In the local zone: whether tasks of its own domains go to the hub like all others. */
  readonly carriesPrivate: boolean
  readonly store: SyncStore
  readonly ledger: LedgerPort
  /**
   * Takes over the own ledger's days as the hub has them, from the first that differs; false when nothing in them is new.
   * `lastAt`: when the last of their entries was written (ms).
   */
  readonly takeOverLedger?: (
    days: readonly { readonly name: string; readonly text: string }[],
    lastAt: number,
  ) => Promise<boolean>
  /** What commands ask for. */
  readonly requests: RequestsPort
  readonly courtesy: Courtesy
  readonly claimsPerPush: number
  /** Open tasks, by their bytes, that this agent does not take up by itself. */
  readonly notOurs: Set<Oid>
  /** Told before the hub's bytes are written under a task's name; in the local zone. */
  readonly received: Pick<ReceivedPort, 'note'>
  readonly ledgerKey: KeyObject
  /** The public ledger keys of the other agents. */
  readonly ledgerKeys: ReadonlyMap<string, KeyObject>
  readonly doorbell: Doorbell
  readonly clock: Clock
  /** 128 random bits as hex: makes two claims of one second two commits. */
  readonly nonce: () => string
  /** Keeps the bytes of a file that sync is about to replace or remove. */
  readonly keepInTrash: (path: string, bytes: Uint8Array) => Promise<unknown>
  /** Before the next try after a lost race. */
  readonly pause: (attempt: number) => Promise<void>
  /** Called at every point where dying must do no harm; tests die there. */
  readonly at: (point: string) => void | Promise<void>
}

/** What it takes to settle matters with the hub; a command has this without the rest. */
export type HubDeps = Pick<
  SyncDeps,
  'repo' | 'store' | 'ledger' | 'clock' | 'agent' | 'trust' | 'scan' | 'nonce' | 'at'
> & { readonly scanner: Pick<Scanner, 'markAll'> }
