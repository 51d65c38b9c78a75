import type { ChatMessage } from '../whatsapp-message.ts'
import type { SessionState } from '../whatsapp-session.ts'

/** What became of a message. refused is definite: it was not sent. unknown is looked up, never sent again. */
export type MessageOutcome =
  | { readonly kind: 'accepted'; readonly id: string }
  | { readonly kind: 'refused'; readonly say: string }
  /** `id`: the message that stands in the chat and may not have left. */
  | { readonly kind: 'unknown'; readonly reason: string; readonly id?: string }

/** What the service that holds the session tells of it. Times are ms since the epoch. */
export interface WhatsAppStatus {
  readonly state: SessionState
  /** In words for the person. */
  readonly say: string
  readonly since: number
  /** The number of the linked telephone. */
  readonly own?: string | undefined
  /** When the next message may be sent. */
  readonly next_send_at: number
  /** Another one: the service's memory was lost, and `newest` counts anew. */
  readonly epoch: string
  /** The newest change that is kept for `changesAfter`. */
  readonly newest: number
}

/** WhatsApp, as others than the service that holds its session see it. Rejects with ERR_WHATSAPP_UNREACHABLE. */
export interface WhatsAppPort {
  status(): Promise<WhatsAppStatus>
  /** What came, was edited or deleted after that position, oldest first; of one batch. */
  changesAfter(position: number): Promise<readonly { readonly position: number; readonly message: ChatMessage }[]>
  /** The newest messages of a chat, in both directions, oldest first. */
  messagesOf(chat: string): Promise<readonly ChatMessage[]>
}
