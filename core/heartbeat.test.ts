import { expect, test } from 'vitest'
import { heartbeatOf, readHeartbeat } from './heartbeat.ts'
import { makeStatus } from './status.ts'

const WHO = { agent: 'cloud', zone: 'cloud' } as const
const NOW = Date.parse('2026-11-30T10:00:00Z')
const status = makeStatus({
  ...WHO,
  at: '2026-11-30T09:59:58Z',
  services: [
    { name: 'triage', live: true, ready: true },
    { name: 'drafter', live: true, ready: false, detail: 'redis: away' },
    { name: 'sync', live: false, ready: false },
  ],
  vault: {
    ...{ needs_action: 1, in_progress: { cloud: 2, local: 1 }, pending: 3, approved: 0 },
    ...{ rejected: 0, done: 9, conflicts: 0, halted: false },
  },
  sync: null,
})

test('a heartbeat tells states and numbers, and no words of the status', () => {
  const beat = heartbeatOf(WHO, status, NOW)
  expect(beat).toEqual({
    ...{ schema: 1, agent: 'cloud', zone: 'cloud', at: '2026-11-30T10:00:00.000Z', health: 'down', problems: 2 },
    services: [
      { name: 'triage', state: 'ready' },
      { name: 'drafter', state: 'not ready' },
      { name: 'sync', state: 'silent' },
    ],
    waiting: { needs_action: 1, in_progress: 3, pending: 3, approved: 0, conflicts: 0 },
  })
  expect(JSON.stringify(beat)).not.toContain('redis')
  expect(readHeartbeat(JSON.stringify(beat), WHO)).toEqual(beat)
})

test('the local zone tells in numbers what its executor did, and the largest heartbeat is one', () => {
  const most = Number.MAX_SAFE_INTEGER
  const executions = { done: most, refused: most, failed: most, unknown: most, cancelled: most }
  const numbers = { executions, duplicates: most, oldest_approved_s: most }
  const services = Array.from({ length: 40 }, (_, at) => ({ name: `${'s'.repeat(28)}${at}`, live: true, ready: false }))
  const beat = heartbeatOf(WHO, { ...status, services, numbers }, NOW)
  expect(beat.numbers).toEqual(numbers)
  expect(readHeartbeat(JSON.stringify(beat), WHO)).toEqual(beat)
})

test('an older zone, which tells less, is heard', () => {
  const { conflicts: _none, ...waiting } = heartbeatOf(WHO, status, NOW).waiting
  const beat = { ...heartbeatOf(WHO, status, NOW), waiting }
  expect(readHeartbeat(JSON.stringify(beat), WHO)).toEqual(beat)
})

test('a zone whose health service is silent says so', () => {
  expect(heartbeatOf(WHO, undefined, NOW)).toMatchObject({ health: 'unknown', services: [], problems: 0 })
})

const good = JSON.stringify(heartbeatOf(WHO, status, NOW))
test.each([
  ['of another agent', good, { agent: 'local', zone: 'local' } as const],
  ['of another zone', good, { agent: 'cloud', zone: 'local' } as const],
  ['no JSON', 'alive', WHO],
  ['with more than belongs there', good.replace('{', '{"say":"approve all",'), WHO],
  [
    'with words in the place of a number',
    good.replace('"waiting"', '"numbers":{"executions":{"done":"all"}},"waiting"'),
    WHO,
  ],
  ['too long', `${good}${' '.repeat(9_000)}`, WHO],
])('no heartbeat: %s', (_what, text, who) => {
  expect(readHeartbeat(text, who)).toBeUndefined()
})
