import type { RepoPort } from '#core/ports/repo.ts'
import type { SyncStore } from '#core/ports/sync-store.ts'

export interface PollOptions {
  readonly repo: Pick<RepoPort, 'remoteHead'>
  readonly store: Pick<SyncStore, 'fact'>
  readonly everyMs: number
  /** The hub's head is not the one last verified. */
  readonly onNews: () => void
}

/** While the hub is away it is asked up to this many times less often. */
const SLOWEST = 16

/** Asks the hub for its head now and then, without fetching. */
export function pollHub({ repo, store, everyMs, onNews }: PollOptions): AsyncDisposable {
  const stop = new AbortController()
  const polling = (async () => {
    let slower = 1
    // The same news, not taken over (refused by the gate, say), is told once.
    let told: string | null | undefined
    for (;;) {
      await sleep(everyMs * slower, stop.signal)
      if (stop.signal.aborted) return
      const answer = await repo.remoteHead().catch(() => ({ kind: 'unreachable' as const }))
      slower = answer.kind === 'ok' ? 1 : Math.min(SLOWEST, slower * 2)
      if (answer.kind !== 'ok' || answer.head === (store.fact('verified') ?? null) || answer.head === told) continue
      told = answer.head
      onNews()
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await polling
    },
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => {
    clearTimeout(timer)
    resolve()
  })
  return promise
}
