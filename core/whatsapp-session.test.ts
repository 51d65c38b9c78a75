import { describe, expect, test } from 'vitest'
import {
  afterRestart,
  firstSession,
  nextSession,
  pauseAfter,
  type Session,
  type SessionEnd,
  type SessionEvent,
  saySession,
  stopped,
} from './whatsapp-session.ts'

const T = Date.parse('2026-11-20T12:00:00Z')
const MINUTE = 60_000
const run = (session: Session, ...steps: [SessionEvent, number][]) =>
  steps.reduce((one, [event, at]) => nextSession(one, event, at), session)
const ended = (by: SessionEnd): SessionEvent => ({ kind: 'ended', by, reason: 'x' })
const STARTED: SessionEvent = { kind: 'started' }
const LINKED: SessionEvent = { kind: 'linked' }

test('nobody linked: nothing is tried until a person asks', () => {
  const first = firstSession(false, T)
  expect([first.state, first.retryAt]).toEqual(['logged-out', undefined])
  expect(nextSession(first, { kind: 'asked' }, T + 5)).toMatchObject({ state: 'logged-out', retryAt: T + 5 })
  expect(firstSession(true, T)).toMatchObject({ state: 'lost', retryAt: T })
})

test('asked, started, a code, linked', () => {
  const session = run(firstSession(false, T), [{ kind: 'asked' }, T], [STARTED, T + 1], [{ kind: 'code-shown' }, T + 2])
  expect([session.state, session.retryAt]).toEqual(['qr', undefined])
  const ready = run(session, [LINKED, T + 3])
  expect(ready).toEqual({ state: 'ready', since: T + 3, failures: 0 })
  expect(nextSession(ready, LINKED, T + 9)).toBe(ready)
  expect(nextSession(ready, { kind: 'asked' }, T + 9)).toBe(ready)
})

test('pauses grow from five seconds to a quarter of an hour, and never beyond', () => {
  expect([1, 2, 3, 8, 9, 100].map((failures) => pauseAfter(failures))).toEqual([
    ...[5_000, 10_000, 20_000, 640_000, 900_000, 900_000],
  ])
  let session = firstSession(true, T)
  let now = T
  let starts = 0
  // A browser that dies at once, for a day.
  while (now < T + 86_400_000) {
    session = run(session, [STARTED, now], [ended('lost'), now + 1_000])
    now = session.retryAt ?? Number.POSITIVE_INFINITY
    starts++
  }
  expect(starts).toBeLessThan(110)
})

test('ten good minutes forget the failures before, fewer do not', () => {
  const failed = run(firstSession(true, T), [STARTED, T], [ended('lost'), T], [STARTED, T], [ended('lost'), T])
  const after = (ms: number) => run(failed, [STARTED, T], [LINKED, T], [ended('lost'), T + ms])
  expect(after(10 * MINUTE).failures).toBe(1)
  expect(after(10 * MINUTE - 1).failures).toBe(3)
})

describe('whoever took over', () => {
  test('is left alone for a quarter of an hour, then longer each time, up to six hours', () => {
    let session = run(firstSession(true, T), [STARTED, T], [LINKED, T])
    const pauses = [1, 2, 3, 4, 5, 6, 7].map(() => {
      session = run(session, [STARTED, T], [LINKED, T], [ended('conflict'), T])
      return ((session.retryAt ?? 0) - T) / MINUTE
    })
    expect(pauses).toEqual([15, 30, 60, 120, 240, 360, 360])
    expect(nextSession(session, { kind: 'asked' }, T + 1).retryAt).toBe(T + 1)
  })
})

test.each(['logged-out', 'blocked', 'unscanned'] as const)('nothing is tried after %s but on a person’s word', (by) => {
  const over = run(firstSession(true, T), [STARTED, T], [ended(by), T])
  expect(over.retryAt).toBeUndefined()
  expect(afterRestart(over, T + 1).retryAt).toBeUndefined()
})

describe('a restart of the process', () => {
  test('waits as long as the process that ran would have', () => {
    const lost = run(firstSession(true, T), [STARTED, T], [ended('lost'), T])
    expect(afterRestart(lost, T + 1_000)).toEqual(lost)
  })
  test('counts as one more failure when it came in the midst, so that a crash loop grows slower', () => {
    let session = firstSession(true, T)
    const pauses = [1, 2, 3, 4].map(() => {
      session = afterRestart(run(session, [STARTED, T]), T)
      return (session.retryAt ?? 0) - T
    })
    expect(pauses).toEqual([0, 10_000, 20_000, 40_000])
  })
  test('goes on at once after an orderly stop', () => {
    const session = stopped(run(firstSession(true, T), [STARTED, T], [LINKED, T]), T + 1)
    expect(session).toMatchObject({ state: 'lost', retryAt: T + 1, failures: 0 })
    expect(stopped(firstSession(false, T), T + 1).state).toBe('logged-out')
  })
  test('shows no code that a person asked the process before for', () => {
    const shown = run(firstSession(false, T), [{ kind: 'asked' }, T], [STARTED, T], [{ kind: 'code-shown' }, T])
    const after = afterRestart(shown, T)
    expect([after.state, after.retryAt]).toEqual(['logged-out', undefined])
  })
  test('is not kept waiting for ever by a clock that was set back', () => {
    const session: Session = { state: 'lost', since: T, failures: 3, retryAt: T + 1_000 * 86_400_000 }
    expect(afterRestart(session, T).retryAt).toBe(T + 6 * 60 * MINUTE)
  })
})

test('says what it is doing, why, and until when', () => {
  const session: Session = { state: 'conflict', since: T, failures: 1, retryAt: T, reason: 'opened elsewhere' }
  expect(saySession(session)).toBe(
    'WhatsApp Web was opened somewhere else and took over; close it there, then `countersign whatsapp login` (opened elsewhere); it is tried again after 2026-11-20 12:00 UTC.',
  )
})
