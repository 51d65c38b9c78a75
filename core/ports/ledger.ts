import type { TaskId } from '../ids.ts'
import type { LedgerData, LedgerEntry, LedgerType } from '../ledger.ts'

/** This agent's own append-only ledger. An entry is on disk (fsync) when `append` resolves; safe from several processes. */
export interface LedgerPort {
  append(type: LedgerType, entry?: { task?: TaskId; data?: LedgerData }): Promise<LedgerEntry>
}
