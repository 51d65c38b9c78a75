import type { TaskId } from '../ids.ts'
import type { MailPosition } from './mail.ts'

/** Triage's memory: how far each mailbox was read and which messages are dealt with. On disk when a call returns. */
export interface SeenMail extends Disposable {
  has(messageKey: string): boolean
  /** `taskId` is missing for a message that became no task. */
  add(messageKey: string, seen: { at: number; taskId?: TaskId }): void
  /** The last mark dealt with in this epoch; undefined when this mailbox was never read in it. */
  highWater(mailbox: string, epoch: string): string | undefined
  /** Never goes back. */
  raiseHighWater(mailbox: string, position: MailPosition, at: number): void
  /** When this mailbox was last looked at, whatever its epoch, ms. */
  lastActivity(mailbox: string): number | undefined
}
