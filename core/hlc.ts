/**
 * A hybrid logical clock reading: milliseconds since the epoch, a counter for what happened within one, and the agent
 * as the last tie-breaker, so that any two readings are ordered. It only ever chooses between two edits; safety never
 * depends on it.
 */
export interface Hlc {
  readonly ms: number
  readonly counter: number
  readonly agent: string
}

/** A reading further ahead than this is cut back: a clock set to next year must not win every conflict until then. */
export const MAX_AHEAD_MS = 60_000

const TEXT = /^(\d{1,15})-(\d{1,9})-([a-z][a-z0-9-]{0,30})$/

/** `1795168800000-0-cloud`, as the HLC trailer of a commit carries it. */
export function formatHlc(hlc: Hlc): string {
  return `${hlc.ms}-${hlc.counter}-${hlc.agent}`
}

/** Undefined for anything `formatHlc` did not write. */
export function parseHlc(text: string): Hlc | undefined {
  const match = TEXT.exec(text)
  return match ? { ms: Number(match[1]), counter: Number(match[2]), agent: match[3] ?? '' } : undefined
}

/** Negative when `a` is earlier. Zero only for equal readings. */
export function compareHlc(a: Hlc, b: Hlc): number {
  if (a.ms !== b.ms) return a.ms - b.ms
  if (a.counter !== b.counter) return a.counter - b.counter
  return a.agent === b.agent ? 0 : a.agent < b.agent ? -1 : 1
}

/** The next reading of `agent`: later than `last` whatever the wall clock says, and as close to `physicalMs` as that allows. */
export function tickHlc(last: Hlc | undefined, physicalMs: number, agent: string): Hlc {
  const ms = Math.max(0, Math.trunc(physicalMs))
  if (!last || ms > last.ms) return { ms, counter: 0, agent }
  return { ms: last.ms, counter: last.counter + 1, agent }
}

/** What this agent has seen after it met `remote`: the later of the two, never further ahead than MAX_AHEAD_MS. */
export function receiveHlc(last: Hlc | undefined, remote: Hlc, nowMs: number): Hlc {
  const clamped = clampHlc(remote, nowMs)
  return last && compareHlc(last, clamped) >= 0 ? last : clamped
}

/** The same reading, cut back when its clock runs more than MAX_AHEAD_MS ahead of ours. */
export function clampHlc(hlc: Hlc, nowMs: number): Hlc {
  const latestMs = Math.max(0, Math.trunc(nowMs)) + MAX_AHEAD_MS
  return hlc.ms <= latestMs ? hlc : { ms: latestMs, counter: 0, agent: hlc.agent }
}
