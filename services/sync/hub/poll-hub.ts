import type { RepoPort } from '#core/ports/repo.ts'
import type { SyncStore } from '#core/ports/sync-store.ts'

export interface PollOptions {
  readonly repo: Pick<RepoPort, 'remoteHead'>
  readonly store: Pick<SyncStore, 'fact'>
  /** While things happen; it grows to SLOWEST times that while they don't. */
  readonly everyMs: number
  /** Somebody else tells of pushes: then only a look now and then is needed. */
  readonly isWatched: () => boolean
  /** The hub's head is not the one last verified. */
  readonly onNews: () => void
}

const SLOWEST = 5
/** The same while the hub is away, or somebody else tells of pushes. */
const SELDOM = 60
const GROWTH = 1.2

/** Asks the hub for its head now and then, without fetching: less and less often while nothing happens. */
export function pollHub({ repo, store, everyMs, isWatched, onNews }: PollOptions): AsyncDisposable {
  const stop = new AbortController()
  const polling = (async () => {
    let slower = 1
    // The same news, not taken over (refused by the gate, say), is told once.
    let told: string | null | undefined
    for (;;) {
      await sleep(everyMs * (isWatched() ? SELDOM : slower), stop.signal)
      if (stop.signal.aborted) return
      const answer = await repo.remoteHead().catch(() => ({ kind: 'unreachable' as const }))
      slower = answer.kind === 'ok' ? Math.min(SLOWEST, slower * GROWTH) : Math.min(SELDOM, slower * 2)
      if (answer.kind !== 'ok' || answer.head === (store.fact('verified') ?? null) || answer.head === told) continue
      told = answer.head
      slower = 1
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
