import type { SyncAnswer, SyncRequest } from '../sync-request.ts'

/** What commands ask of the zone's sync: a file in `state/` for each, and one for its answer. */
export interface RequestsPort {
  /** Oldest first. */
  open(): Promise<readonly SyncRequest[]>
  /** The request ends with its answer, unless that is `waiting`. Answering twice alike does no harm. */
  answer(id: string, answer: SyncAnswer): Promise<void>
}
