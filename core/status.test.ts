import { expect, test } from 'vitest'
import { makeSign } from './sign-of-life.ts'
import { isFresh, makeStatus, parseStatus, parseSyncReport, type StatusDocument } from './status.ts'

const vault = {
  needs_action: 0,
  in_progress: {},
  pending: 1,
  approved: 0,
  rejected: 0,
  done: 2,
  conflicts: 0,
  halted: false,
}
const facts = {
  zone: 'cloud' as const,
  agent: 'cloud',
  at: '2026-11-20T10:00:00.000Z',
  services: [{ name: 'triage', live: true, ready: true }],
  vault,
  sync: { state: 'ok', at: '2026-11-20T09:59:59.000Z' },
}

const SIGN = '2026-11-20T09:54:00.000Z'
const HEARD = {
  ...{ state: 'ok', at: '2026-11-20T10:00:00.000Z' },
  others: [{ agent: 'cloud', zone: 'cloud', at: SIGN, seenAt: SIGN, claimedAt: SIGN }],
}

test.each([
  ['everything well', {}, 'ok', []],
  ['a silent service', { services: [{ name: 'sync', live: false, ready: false }] }, 'down', ['sync does not answer']],
  [
    'an unready service',
    { services: [{ name: 'sync', live: true, ready: false, detail: 'hub: refused' }] },
    'degraded',
    ['sync is not ready: hub: refused'],
  ],
  ['a sync in trouble', { sync: { state: 'offline', at: '' } }, 'degraded', ['sync: offline']],
  [
    'a hub that had to be restored today',
    { sync: { state: 'ok', at: '', hubRestored: { at: '2026-11-20T03:00:30.000Z' } } },
    'degraded',
    ['the hub had lost its newest history, found and put back 2026-11-20 03:00Z'],
  ],
  [
    'a hub that was restored long ago',
    { sync: { state: 'ok', at: '', hubRestored: { at: '2026-11-19T09:00:00.000Z' } } },
    'ok',
    [],
  ],
  [
    'what the check of the night found',
    {
      sync: { state: 'ok', at: '', check: { at: '2026-11-20T03:00:30.000Z', problems: ['index: a file is missing'] } },
    },
    'degraded',
    ['the check of everything, 2026-11-20 03:00Z: index: a file is missing'],
  ],
  ['a check that found nothing', { sync: { state: 'ok', at: '', check: { at: '', problems: [] } } }, 'ok', []],
  ['no report of sync yet', { sync: null }, 'ok', []],
  [
    'a cloud that says nothing although the hub answers',
    { zone: 'local', sync: { ...HEARD, listenedAt: '2026-11-20T10:00:00.000Z' } },
    'degraded',
    ['the cloud zone has said nothing since 2026-11-20 09:54Z: no mail is read and nothing is drafted there'],
  ],
  [
    'a cloud that nobody has listened to since this machine slept, although the hub answers again',
    { zone: 'local', sync: { ...HEARD, hubReachedAt: '2026-11-20T10:00:00.000Z', listenedAt: SIGN } },
    'ok',
    [],
  ],
  [
    'a cloud that was heard of just before it was last listened to',
    { zone: 'local', sync: { ...HEARD, listenedAt: '2026-11-20T09:58:00.000Z' } },
    'ok',
    [],
  ],
  [
    'a person’s machine that is off',
    {
      sync: {
        ...HEARD,
        others: [{ ...HEARD.others[0], agent: 'local', zone: 'local' }],
        listenedAt: '2026-11-20T10:00:00.000Z',
      },
    },
    'ok',
    [],
  ],
  [
    'a clock that is ahead',
    { sync: { ...HEARD, others: [{ ...HEARD.others[0], claimedAt: '2026-11-20T09:55:01.000Z' }] } },
    'degraded',
    ["the clock of cloud is ahead of this machine's, or this one is behind: one of the two is wrong"],
  ],
  [
    'a disk that is nearly full',
    {
      disks: [
        { of: 'vault', free: 1e9, size: 2e10 },
        { of: 'state', free: 2e9, size: 1e12 },
      ],
    },
    'degraded',
    ["the disk of the zone's vault is nearly full: less than a tenth and less than 1 GiB is free"],
  ],
  ['a small disk that is half full', { disks: [{ of: 'vault', free: 5e8, size: 1e9 }] }, 'ok', []],
  ['a halt', { vault: { ...vault, halted: true } }, 'degraded', ['HALT.md is present: nothing is executed']],
  ['conflict copies', { vault: { ...vault, conflicts: 2 } }, 'degraded', ['2 conflict copies to look at']],
] as const)('judges %s', (_name, change, health, problems) => {
  const status = makeStatus({ ...facts, ...change } as typeof facts)
  expect([status.health, status.problems]).toEqual([health, problems])
})

test('names a silent service before smaller problems', () => {
  const services = [
    { name: 'drafter', live: true, ready: false },
    { name: 'sync', live: false, ready: false },
  ]
  expect(makeStatus({ ...facts, services }).problems[0]).toBe('sync does not answer')
})

test('reads back what it wrote and nothing else', () => {
  const status: StatusDocument = makeStatus(facts)
  expect(parseStatus(JSON.stringify(status))).toEqual(status)
  expect(parseStatus('{"schema":1}')).toBeUndefined()
  expect(parseStatus('')).toBeUndefined()
  expect(parseSyncReport('null')).toBeNull()
})

test('keeps what sync tells of the hub and of the other agents, and takes nothing else for it', () => {
  const sign = makeSign({ agent: 'cloud', zone: 'cloud' }, undefined)
  const report = { ...facts.sync, hubReachedAt: null, others: [sign] }
  expect(parseSyncReport(JSON.stringify(report))).toEqual(report)
  expect(parseSyncReport(JSON.stringify({ ...report, others: [{ ...sign, at: 'tomorrow' }] }))).toBeNull()
})

test('calls a document stale after 20 s', () => {
  const status = makeStatus(facts)
  const at = Date.parse(status.at)
  expect([isFresh(status, at + 19_999), isFresh(status, at + 20_000)]).toEqual([true, false])
})
