import type { MessageOutcome } from '#core/ports/whatsapp.ts'
import type { ChatMessage } from '#core/whatsapp-message.ts'
import type { SessionEnd } from '#core/whatsapp-session.ts'
import type { MediaFolder } from './media-folder.ts'

export interface ClientOptions {
  readonly folder: string
  /** The path of Chromium. */
  readonly chromium: string
  /** Chromium's own sandbox; a hardened container has no name spaces for it. */
  readonly hasSandbox: boolean
  /** How long WhatsApp's server may take to confirm a message, ms. */
  readonly ackMs: number
  /** A folder with a page that stands in for WhatsApp's own, and its version; for tests. */
  readonly standIn?: { readonly path: string; readonly version: string } | undefined
  /** Which chats are looked at at all. */
  isWanted(chat: string, number: string | undefined): boolean
  readonly media: MediaFolder
}

/** What one life of the browser tells. */
export interface ClientHandlers {
  onCode(code: string): void
  /** Linked, and everything that came meanwhile is known to the page. */
  onReady(own: string): void
  /** A message as it is now: new, edited, deleted; of chats that are wanted. */
  onMessage(message: ChatMessage): void
  /** The browser's life is over, once. */
  onEnd(by: SessionEnd, reason: string): void
  onFault(error: unknown): void
}

/** One browser with one session. */
export interface WhatsAppClient extends AsyncDisposable {
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
