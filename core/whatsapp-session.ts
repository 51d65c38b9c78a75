import { minuteOf } from './minute.ts'

/**
 * What the linked session is doing. logged-out: nobody is linked, no browser runs. starting: a browser is being brought up. qr: a
 * code waits to be scanned. ready: it works. lost: away, tried again later. conflict: another WhatsApp Web took over.
 * blocked: WhatsApp refuses this client or this account; only a person can go on.
 */
export const SESSION_STATES = ['logged-out', 'starting', 'qr', 'ready', 'lost', 'conflict', 'blocked'] as const
export type SessionState = (typeof SESSION_STATES)[number]

/** Times are ms since the epoch. Written down after each change, so that a restart begins no storm. */
export interface Session {
  readonly state: SessionState
  readonly since: number
  /** Attempts that ended without ten good minutes, one after the other. */
  readonly failures: number
  /** When the next attempt may begin; undefined: only when a person asks. */
  readonly retryAt?: number | undefined
  /** Why it is not ready, in a few words. */
  readonly reason?: string | undefined
}

export type SessionEvent =
  /** A person asked to be linked, or to go on after a conflict or a block. */
  | { readonly kind: 'asked' }
  | { readonly kind: 'started' }
  | { readonly kind: 'code-shown' }
  | { readonly kind: 'linked' }
  /** The attempt is over. */
  | { readonly kind: 'ended'; readonly by: SessionEnd; readonly reason: string }

/** unscanned: codes were shown, and nobody scanned one. */
export type SessionEnd = 'lost' | 'conflict' | 'logged-out' | 'blocked' | 'unscanned'

const FIRST_PAUSE_MS = 5_000
const MAX_PAUSE_MS = 15 * 60_000
/** Whoever took over is left alone for so long at least: two that fight look like an attack. */
const CONFLICT_PAUSE_MS = 15 * 60_000
const MAX_CONFLICT_PAUSE_MS = 6 * 60 * 60_000
/** So long an attempt must have been ready to count as a good one. */
const STABLE_MS = 10 * 60_000

export function firstSession(isLinked: boolean, now: number): Session {
  return isLinked
    ? { state: 'lost', since: now, failures: 0, retryAt: now, reason: 'not started yet' }
    : { state: 'logged-out', since: now, failures: 0, reason: 'no telephone is linked' }
}

/** A session as it goes on after a restart of the process: what ran then runs no more, what waited still waits. */
export function afterRestart(session: Session, now: number, firstPauseMs = FIRST_PAUSE_MS): Session {
  switch (session.state) {
    case 'starting':
    case 'ready': {
      const failures = isStable(session, now) ? 0 : session.failures
      // Being ended in the midst counts as one more attempt that came to nothing: a crash loop grows slower, too.
      return lost(
        { ...session, failures },
        now,
        'the service was restarted',
        failures === 0 ? 0 : pauseAfter(failures + 1, firstPauseMs),
      )
    }
    case 'qr':
      return { state: 'logged-out', since: now, failures: 0, reason: 'the service was restarted' }
    default:
      // A clock that was set back must not keep it away for ever.
      return session.retryAt === undefined
        ? session
        : { ...session, retryAt: Math.min(session.retryAt, now + MAX_CONFLICT_PAUSE_MS) }
  }
}

/** `firstPauseMs`: how long to wait after the first attempt that came to nothing. */
export function nextSession(
  session: Session,
  event: SessionEvent,
  now: number,
  firstPauseMs = FIRST_PAUSE_MS,
): Session {
  switch (event.kind) {
    case 'asked':
      return ['starting', 'qr', 'ready'].includes(session.state) ? session : { ...session, retryAt: now }
    case 'started':
      return { state: 'starting', since: now, failures: session.failures }
    case 'code-shown':
      return session.state === 'qr' ? session : { state: 'qr', since: now, failures: session.failures }
    case 'linked':
      return session.state === 'ready' ? session : { state: 'ready', since: now, failures: session.failures }
    case 'ended':
      return ended(session, event, now, firstPauseMs)
  }
}

/** How long (ms) to wait after so many attempts that came to nothing: longer each time, up to a quarter of an hour. */
export function pauseAfter(failures: number, firstPauseMs = FIRST_PAUSE_MS): number {
  return Math.min(firstPauseMs * 2 ** Math.max(0, Math.min(failures, 30) - 1), MAX_PAUSE_MS)
}

function ended(
  session: Session,
  { by, reason }: Extract<SessionEvent, { kind: 'ended' }>,
  now: number,
  firstPauseMs: number,
): Session {
  const before = isStable(session, now) ? { ...session, failures: 0 } : session
  switch (by) {
    case 'lost':
      return lost(before, now, reason, pauseAfter(before.failures + 1, firstPauseMs))
    case 'conflict': {
      const failures = before.failures + 1
      const pause = Math.min(CONFLICT_PAUSE_MS * 2 ** Math.min(failures - 1, 10), MAX_CONFLICT_PAUSE_MS)
      return { state: 'conflict', since: now, failures, retryAt: now + pause, reason }
    }
    case 'blocked':
      return { state: 'blocked', since: now, failures: before.failures + 1, reason }
    case 'logged-out':
    case 'unscanned':
      return { state: 'logged-out', since: now, failures: 0, reason }
  }
}

/** Asked to stop in good order: nothing failed, and the next start goes on at once. */
export function stopped(session: Session, now: number): Session {
  if (session.state !== 'starting' && session.state !== 'ready') return session
  return { state: 'lost', since: now, failures: session.failures, retryAt: now, reason: 'the service was stopped' }
}

function lost(session: Session, now: number, reason: string, pause: number): Session {
  return { state: 'lost', since: now, failures: session.failures + 1, retryAt: now + pause, reason }
}

function isStable({ state, since }: Session, now: number): boolean {
  return state === 'ready' && now - since >= STABLE_MS
}

const WORDS: Readonly<Record<SessionState, string>> = {
  'logged-out': 'WhatsApp is not linked: run `countersign whatsapp login` and scan the code with your telephone',
  starting: 'WhatsApp is being started',
  qr: 'WhatsApp waits for its code to be scanned: `countersign whatsapp login` shows it',
  ready: 'WhatsApp is ready',
  lost: 'WhatsApp cannot be reached',
  conflict: 'WhatsApp Web was opened somewhere else and took over; close it there, then `countersign whatsapp login`',
  blocked: 'WhatsApp refuses this account or this client; look at your telephone, then `countersign whatsapp login`',
}

/** What the session is doing, in words for the person. */
export function saySession({ state, reason, retryAt }: Session): string {
  const why = reason === undefined || state === 'logged-out' ? '' : ` (${reason})`
  const again = retryAt === undefined ? '' : `; it is tried again after ${minuteOf(retryAt)}`
  return `${WORDS[state]}${why}${again}.`
}
