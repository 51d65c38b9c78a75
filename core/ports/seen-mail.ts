import type { TaskId } from '../ids.ts'

/** Triage's memory: how far each mailbox was read and which messages are dealt with. On disk when a call returns. */
export interface SeenMail extends Disposable {
  has(messageKey: string): boolean
  /** `taskId` is missing for a message that became no task. */
  add(messageKey: string, seen: { at: number; taskId?: TaskId }): void
  /** The last UID dealt with under this UIDVALIDITY; undefined when this mailbox was never read under it. */
  highWater(mailbox: string, uidValidity: string): number | undefined
  /** Never goes back. */
  raiseHighWater(mailbox: string, uidValidity: string, uid: number, at: number): void
  /** When any message of this mailbox was last dealt with, whatever its UIDVALIDITY, ms. */
  lastActivity(mailbox: string): number | undefined
}
