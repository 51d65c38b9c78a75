import type { ChatMessage } from '../whatsapp-message.ts'
import type { Session, SessionEnd, SessionState } from '../whatsapp-session.ts'

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

/** What one life of the browser tells; nothing after `onEnd`. */
export interface SessionHandlers {
  onCode(code: string): void
  /** Linked, and everything that came meanwhile is known to the page. `own`: the number. */
  onReady(own: string): void
  /** A message as it is now: new, edited, deleted; of chats that are wanted. */
  onMessage(message: ChatMessage): void
  /** The browser's life is over, once. */
  onEnd(by: SessionEnd, reason: string): void
  onFault(error: unknown): void
}

/** One browser with one session. */
export interface SessionClient extends AsyncDisposable {
  /** Asks the page; rejects when it does not answer. */
  ping(): Promise<void>
  /** The newest messages of a chat, oldest first. */
  messagesOf(chat: string, limit: number): Promise<ChatMessage[]>
  /** Everything written to us since (ms), and what has been edited or deleted of it. */
  since(at: number): Promise<ChatMessage[]>
  send(message: {
    readonly chat: string
    readonly number?: string | undefined
    readonly text: string
  }): Promise<MessageOutcome>
  /** Unlinks this machine at WhatsApp. */
  logout(): Promise<void>
}

/** What the service remembers from one start to the next. Times are ms since the epoch. */
export interface SessionMemory {
  /** Another one when this memory was lost and made anew. */
  readonly epoch: string
  session(): Session | undefined
  keepSession(session: Session): void
  /** Since when messages count: what was written before the telephone was linked is nobody's task. */
  linked(): { readonly since: number; readonly own: string } | undefined
  link(own: string, now: number): void
  unlink(): void
  /** Keeps a message as it is now; false when it was known so. */
  add(message: ChatMessage): boolean
  /** The position of the newest change; 0: none. */
  newest(): number
  /** When the newest message was written that is kept. */
  newestAt(): number | undefined
  changesAfter(position: number): { readonly position: number; readonly message: ChatMessage }[]
  /** Uses a receipt up, durably; false when it was before. */
  use(nonce: string, task: string, now: number): boolean
  /** Surely not sent: it counts for no pace. */
  unsent(nonce: string): void
  /** Which message became of it. */
  became(nonce: string, messageId: string): void
  taskOf(messageId: string): string | undefined
  /** When messages were sent, or may have been, in the last day. */
  sentAt(now: number, exceptNonce?: string): number[]
}
