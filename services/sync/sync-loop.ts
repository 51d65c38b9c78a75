import type { Wake } from './sync-cycle.ts'

/** What a round asks of the loop: when the next one is due at the latest. */
export type LoopAnswer =
  /** All is done; wait for the next request. */
  | { readonly kind: 'rest' }
  /** There is more to do, or something was in motion: look again soon. */
  | { readonly kind: 'again' }
  /** There is more to do, but not before this. */
  | { readonly kind: 'later'; readonly afterMs: number }
  /** It cannot work now: try again later, longer each time. Requests meanwhile wait too, except urgent ones. */
  | { readonly kind: 'back-off' }

export interface LoopOptions {
  readonly round: (wake: Wake) => Promise<LoopAnswer>
  /** A round must not throw; what does is a fault of the program. */
  readonly onFault: (error: unknown) => void
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Monotonic, ms. */
  readonly now: () => number
}

export interface SyncLoop extends AsyncDisposable {
  /** Something may have changed in the vault. Requests are gathered until they have been quiet for a moment. */
  request(): void
  /**
   * The hub is to be asked: start now, or right after the running round, whatever went wrong before. Unless by then
   * `isNews` says that there is nothing to ask any more: the running round was a push that its own news came back from.
   */
  requestNow(isNews?: () => boolean): void
  isRunning(): boolean
}

/** One save of an editor makes several events within a few milliseconds. */
const QUIET_MS = 25
const CEILING_MS = 500
const AGAIN_MS = 200
const FIRST_BACK_OFF_MS = 1_000
const LONGEST_BACK_OFF_MS = 60_000

/** Runs rounds one after the other, never two at once. Disposing waits for the running one. */
export function startLoop(options: LoopOptions): SyncLoop {
  let timer: NodeJS.Timeout | undefined
  let isRunning = false
  /** A look at the hub was asked for and has not come about yet. */
  let isHubDue = false
  let news: (() => boolean)[] = []
  let ended: Promise<void> = Promise.resolve()
  let firstRequestAt: number | undefined
  let wanted: 'no' | 'soon' | 'now' = 'no'
  let failures = 0
  let notBefore = 0
  let isClosed = false

  const schedule = (delayMs: number) => {
    clearTimeout(timer)
    if (!isClosed) timer = setTimeout(start, Math.max(0, delayMs))
  }
  const start = () => {
    if (isRunning || isClosed) return
    isRunning = true
    clearTimeout(timer)
    isHubDue ||= news.some((isNews) => isNews())
    news = []
    const wake: Wake = isHubDue ? 'hub' : 'vault'
    wanted = 'no'
    firstRequestAt = undefined
    ended = options
      .round(wake)
      .catch((error: unknown): LoopAnswer => {
        options.onFault(error)
        return { kind: 'back-off' }
      })
      .then(settle)
  }
  const settle = (answer: LoopAnswer) => {
    isRunning = false
    isHubDue &&= answer.kind !== 'rest'
    failures = answer.kind === 'back-off' ? failures + 1 : 0
    notBefore = failures > 0 ? options.now() + backOffMs(failures, options.random()) : 0
    if (wanted === 'now') schedule(0)
    else if (answer.kind === 'again') schedule(AGAIN_MS)
    else if (answer.kind === 'later') schedule(answer.afterMs)
    else if (answer.kind === 'back-off') schedule(notBefore - options.now())
    else if (wanted === 'soon') request()
  }
  const request = () => {
    if (isRunning) {
      if (wanted === 'no') wanted = 'soon'
      return
    }
    if (wanted === 'now') return
    const now = options.now()
    firstRequestAt ??= now
    const quiet = Math.min(QUIET_MS, firstRequestAt + CEILING_MS - now)
    schedule(Math.max(quiet, notBefore - now))
  }
  return {
    request,
    requestNow(isNews = () => true) {
      news.push(isNews)
      wanted = 'now'
      notBefore = 0
      if (!isRunning) schedule(0)
    },
    isRunning: () => isRunning,
    async [Symbol.asyncDispose]() {
      isClosed = true
      clearTimeout(timer)
      await ended
    },
  }
}

/** Doubles each time, with jitter, so that two zones that lost one hub do not come back in step. */
export function backOffMs(failures: number, random: number): number {
  const longest = Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** Math.min(failures - 1, 16))
  return longest * (0.5 + random / 2)
}
