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
