import { expect, test } from 'vitest'
import type { VaultPath } from '#core/vault-path.ts'
import type { CycleOutcome } from './cycle-outcome.ts'
import { syncFlow } from './sync-flow.ts'
import type { SyncStatus } from './sync-status.ts'

const START = Date.parse('2026-11-20T10:00:00Z')
const iso = (ms: number) => new Date(ms).toISOString()
const SYNCED = { kind: 'synced' } as CycleOutcome

/** What is told of rounds of a zone's sync. */
function flow(zone: 'cloud' | 'local' = 'cloud') {
  const told: unknown[][] = []
  const hub = new Map<VaultPath, { oid: string }>()
  const notOurs = new Set<string>()
  const clock = { at: START, now: () => clock.at }
  const tell = syncFlow({ store: { hubUnder: () => hub }, zone, notOurs, clock } as never, {
    set: (name, value, labels) => void told.push([name, ...Object.values(labels), value]),
    since: (_name, at, labels) => void told.push([...Object.values(labels), at]),
    observe: (_name, seconds) => void told.push(['crossed', seconds]),
  })
  const status = (reachedAt: number | null, seenAt?: number, madeAt = seenAt): SyncStatus => {
    const signs = seenAt && madeAt ? { at: iso(madeAt), seenAt: iso(seenAt), claimedAt: iso(madeAt) } : undefined
    const others = signs ? [{ agent: 'local', zone: 'local' as const, ...signs }] : []
    return { hubReachedAt: reachedAt && iso(reachedAt), others } as never
  }
  return { tell, told, hub, notOurs, clock, status }
}

const waits = (path: string) => [`Needs_Action/email/${path}` as VaultPath, { oid: path }] as const
const crossed = (told: readonly unknown[][]) => told.filter(([what]) => what === 'crossed')

test('a new commit of another agent has crossed in the time from its making to the end of the round', () => {
  const { tell, told, clock, status } = flow()
  const before = status(START - 1_000, START - 60_000)
  clock.at = START + 4_000
  tell(SYNCED, before, status(START, START + 3_000, START))
  expect(crossed(told)).toEqual([['crossed', 4]])
  expect(told).toContainEqual(['countersign_zone_last_heard_timestamp_seconds', 'local', START / 1000])
})

test('the same commit counts once, and none does in a round that did not end well', () => {
  const { tell, told, status } = flow()
  const known = status(START - 1_000, START - 500)
  tell(SYNCED, known, known)
  tell({ kind: 'unreachable', reason: 'x' }, status(START - 1_000), known)
  expect(crossed(told)).toEqual([])
})

test('what lay at the hub while this machine slept, or before it ran, does not count', () => {
  const { tell, told, status } = flow()
  tell(SYNCED, status(null), status(START, START))
  tell(SYNCED, status(START - 16 * 60_000), status(START, START))
  expect(crossed(told)).toEqual([])
  tell(SYNCED, status(START - 14 * 60_000), status(START, START))
  expect(crossed(told)).toEqual([['crossed', 0]])
})

test('the oldest open task that this zone may claim waits from when it was first seen', () => {
  const { tell, told, hub, notOurs, clock, status } = flow()
  const round = () => {
    tell(SYNCED, status(START), status(START))
    return told.at(-1)
  }
  expect(round()).toEqual(['needs_action', undefined])
  hub.set(...waits('EMAIL_2026-11-20_a_aaaaaa.md'))
  hub.set('Needs_Action/payment/PAYMENT_2026-11-20_p_bbbbbb.md' as VaultPath, { oid: 'p' })
  clock.at = START + 1_000
  expect(round()).toEqual(['needs_action', START + 1_000])
  clock.at = START + 9_000
  expect(round()).toEqual(['needs_action', START + 1_000])
  notOurs.add('EMAIL_2026-11-20_a_aaaaaa.md')
  expect(round()).toEqual(['needs_action', undefined])
})
