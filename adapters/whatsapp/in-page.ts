/** Runs in the page: what it said too early is said again. */
export function sayReadyAgain(): void {
  interface Loaded {
    readonly Socket: { readonly hasSynced?: boolean }
  }
  const page = globalThis as unknown as { require(name: string): Loaded; onAppStateHasSyncedEvent?(): void }
  if (page.require('WAWebSocketModel').Socket.hasSynced) page.onAppStateHasSyncedEvent?.()
}

/** Runs in the page: the ids of chats in which something was written since (seconds). */
export function chatsSince(since: number): string[] {
  interface Loaded {
    readonly Chat: { getModelsArray(): { readonly t?: number; readonly id: { readonly _serialized: string } }[] }
  }
  const { Chat } = (globalThis as unknown as { require(name: string): Loaded }).require('WAWebCollections')
  return Chat.getModelsArray()
    .filter((one) => (one.t ?? 0) >= since)
    .map((one) => one.id._serialized)
}
