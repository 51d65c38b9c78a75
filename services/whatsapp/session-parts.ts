import type { MessageOutcome } from '#core/ports/whatsapp.ts'
import type { ChatMessage } from '#core/whatsapp-message.ts'
import type { Session, SessionEnd } from '#core/whatsapp-session.ts'

/** What one life of the browser tells; nothing after `onEnd`. */
export interface SessionHandlers {
  onCode(code: string): void
  /** Linked; `own`: the number. */
  onReady(own: string): void
  onMessage(message: ChatMessage): void
  onEnd(by: SessionEnd, reason: string): void
  onFault(error: unknown): void
}

/** One browser with the session in it. */
export interface SessionClient extends AsyncDisposable {
  ping(): Promise<void>
  messagesOf(chat: string, limit: number): Promise<ChatMessage[]>
  since(at: number): Promise<ChatMessage[]>
  send(message: {
    readonly chat: string
    readonly number?: string | undefined
    readonly text: string
  }): Promise<MessageOutcome>
  logout(): Promise<void>
}

/** What is remembered from one start to the next. Times are ms since the epoch. */
export interface SessionMemory {
  readonly epoch: string
  session(): Session | undefined
  keepSession(session: Session): void
  linked(): { readonly since: number; readonly own: string } | undefined
  link(own: string, now: number): void
  unlink(): void
  add(message: ChatMessage): boolean
  newest(): number
  newestAt(): number | undefined
  changesAfter(position: number): { readonly position: number; readonly message: ChatMessage }[]
  use(nonce: string, task: string, now: number): boolean
  unsent(nonce: string): void
  became(nonce: string, messageId: string): void
  taskOf(messageId: string): string | undefined
  sentAt(now: number, exceptNonce?: string): number[]
}
