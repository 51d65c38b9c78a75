import { CountersignError } from '#core/errors.ts'
import type { Clock } from '#core/ports/clock.ts'
import { wasHeldAgainstHub } from '#core/status.ts'

/** Whether sync has held this machine's state against the hub since `since` (ms), when it may have been set back last. */
export type AgeLook =
  | { readonly kind: 'known' }
  /** Sync is at it; it is not waited for longer than until then (ms). */
  | { readonly kind: 'asking'; readonly since: number; readonly until: number }
  /** The hub cannot be asked: what is older than `since` may have been done, and be forgotten here. */
  | { readonly kind: 'unknown'; readonly since: number }

/** How old the state is that this process works on, as far as that can be known. */
export interface OwnAge {
  /** Throws ERR_FENCED when this machine was found to be set back to an older state. */
  demandNewest(): void
  look(): Promise<AgeLook>
  /** The last look found that sync is still at it. */
  isAsking(): boolean
}

export interface OwnAgeParts {
  /** Whether a mark of a set-back stands in the state that this process has not heeded. */
  readonly isSetBack: () => boolean
  /** What sync wrote of itself; empty: there never was a sync here. */
  readonly syncReport: () => Promise<string>
  readonly askSync: () => void
  readonly clock: Clock
  /** Milliseconds that run evenly while this machine runs. */
  readonly monotonic?: () => number
}

/** So long sync may take to look at the hub: longer than the slowest round with a hub that answers. */
const PATIENCE_MS = 10_000
/** A clock that jumps this far tells of a machine that slept, or that was set back while it ran. */
const JUMP_MS = 5_000

/** For work on a state that nobody sets back. */
export const ALWAYS_NEWEST: OwnAge = {
  demandNewest() {},
  look: async () => ({ kind: 'known' }),
  isAsking: () => false,
}

/**
 * A machine that is set back (a snapshot of a VM, a copy of a disk) knows nothing of what it did since, and does not know
 * that it was set back. The hub does: it has a longer ledger of this machine. Sync finds that with its first look, and
 * until then nothing old is done.
 */
export function ownAge({
  isSetBack,
  syncReport,
  askSync,
  clock,
  monotonic = () => performance.now(),
}: OwnAgeParts): OwnAge {
  let [since, began] = [clock.now(), monotonic()]
  let drift = since - began
  let isKnown = false
  let isAsked = false
  let isAsking = false
  const forgetAfterJump = () => {
    const [now, ticks] = [clock.now(), monotonic()]
    if (Math.abs(now - ticks - drift) > JUMP_MS) {
      ;[since, began] = [now, ticks]
      isKnown = false
      isAsked = false
    }
    drift = now - ticks
  }
  const look = async (): Promise<AgeLook> => {
    forgetAfterJump()
    if (isKnown) return { kind: 'known' }
    const report = await syncReport()
    isKnown = report === '' || wasHeldAgainstHub(report, since, clock.now())
    if (isKnown) return { kind: 'known' }
    if (!isAsked) askSync()
    isAsked = true
    const left = began + PATIENCE_MS - monotonic()
    return left > 0 ? { kind: 'asking', since, until: clock.now() + left } : { kind: 'unknown', since }
  }
  return {
    demandNewest() {
      // The next start heeds it before anything else.
      if (isSetBack()) throw new CountersignError('ERR_FENCED', 'this machine was set back to an older state')
    },
    async look() {
      const found = await look()
      isAsking = found.kind === 'asking'
      return found
    },
    isAsking: () => isAsking,
  }
}
