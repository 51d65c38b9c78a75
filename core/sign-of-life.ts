import { z } from 'zod'
import { MAX_AHEAD_MS } from './hlc.ts'
import type { SignedCommit } from './ports/repo.ts'
import { ZONES } from './zone-policy.ts'

/** Another agent and its newest commit that passed the gate here; all times null: there was none. ISO 8601 UTC. */
export const signSchema = z.looseObject({
  agent: z.string(),
  zone: z.enum(ZONES),
  /** When it was made: by its own clock, but never later than it was seen. */
  at: z.iso.datetime().nullable(),
  /** When it was seen, by our clock. */
  seenAt: z.iso.datetime().nullable(),
  /** When it was made by its own clock, whatever that says. */
  claimedAt: z.iso.datetime().nullable(),
})

export type SignOfLife = z.output<typeof signSchema>
/** Who has not been heard of for so long is silent, ms: heartbeats come about once a minute. */
export const SILENT_AFTER_MS = 300_000

/** Milliseconds. */
export interface SignTimes {
  readonly claimed: number
  readonly seen: number
}

export type DatedCommit = Pick<SignedCommit, 'signature' | 'committedAt'>

/** The newest of each signer; `commits` are in the order of history, which no clock can change. */
export function signsIn(commits: readonly DatedCommit[], nowMs: number): Map<string, SignTimes> {
  return new Map(
    commits.flatMap(({ signature, committedAt }) =>
      signature.state === 'good' ? [[signature.agent, { claimed: committedAt, seen: nowMs }] as const] : [],
    ),
  )
}

export function makeSign(who: Pick<SignOfLife, 'agent' | 'zone'>, times: SignTimes | undefined): SignOfLife {
  if (!times) return { ...who, at: null, seenAt: null, claimedAt: null }
  const { claimed, seen } = times
  return { ...who, at: iso(Math.min(claimed, seen)), seenAt: iso(seen), claimedAt: iso(claimed) }
}

/** `cloud: last heard of 3 min ago (2026-11-20 10:15Z)`. */
export function saySign({ agent, zone, at, seenAt, claimedAt }: SignOfLife, nowMs: number): string {
  const who = agent === zone ? agent : `${agent} (${zone} zone)`
  if (at === null || seenAt === null || claimedAt === null) return `${who}: never heard of`
  const aheadMs = Date.parse(claimedAt) - Date.parse(seenAt)
  const clock = aheadMs > MAX_AHEAD_MS ? `; its clock is ahead of ours and said ${sayMinute(claimedAt)}` : ''
  // A hub that was away, or a clock that is behind: only the two together tell that it is alive now.
  const seen = -aheadMs > MAX_AHEAD_MS ? `; seen here ${sayMinute(seenAt)}` : ''
  return `${who}: last heard of ${sayAgo(at, nowMs)} (${sayMinute(at)}${clock}${seen})`
}

/** `12 s ago`; for a moment that is still to come by our clock, `0 s ago`. */
export function sayAgo(at: string, nowMs: number): string {
  const s = Math.max(0, Math.floor((nowMs - Date.parse(at)) / 1000))
  if (s < 60) return `${s} s ago`
  if (s < 3_600) return `${Math.floor(s / 60)} min ago`
  return s < 48 * 3_600 ? `${Math.floor(s / 3_600)} h ago` : `${Math.floor(s / 86_400)} days ago`
}

export function sayMinute(at: string): string {
  return `${at.slice(0, 16).replace('T', ' ')}Z`
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
