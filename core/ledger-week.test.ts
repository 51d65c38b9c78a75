import { describe, expect, test } from 'vitest'
import type { LedgerData, LedgerType } from './ledger.ts'
import { alertsOf, doneToday, type LedgerNote, notesOf, weekDays, weekOf } from './ledger-week.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')

let seq = 0
function entry(at: string, type: LedgerType, task?: string, data: LedgerData = {}): string {
  const hash = `sha256:${'0'.repeat(64)}`
  return JSON.stringify({ seq: ++seq, at: `2026-11-${at}:00.000Z`, agent: 'any', type, task, data, prev: hash, hash })
}
const notes = (agent: string, ...lines: string[]): LedgerNote[] => notesOf(agent, `${lines.join('\n')}\n`)
const week = (...all: LedgerNote[][]) => weekOf(all.flat(), 'local', NOW)

describe('the last seven days', () => {
  test('are today and the six before', () => {
    expect(weekDays(NOW)).toEqual(['14', '15', '16', '17', '18', '19', '20'].map((day) => `2026-11-${day}`))
  })

  test('count each matter once, though a crash wrote it twice', () => {
    const cloud = notes(
      'cloud',
      ...[1, 2].map(() => entry('19T10:00', 'task.created', 'A')),
      entry('19T10:00', 'task.created', 'B'),
      ...[1, 2].map(() => entry('19T10:01', 'task.drafted', 'A', { generation: 1 })),
      entry('19T11:01', 'task.drafted', 'A', { generation: 2 }),
      entry('19T10:01', 'task.drafted', 'B', { generation: 1, problem: 'empty' }),
    )
    const local = notes(
      'local',
      ...[1, 2].map(() => entry('19T10:09', 'task.approved', 'A', { generation: 2 })),
      ...[1, 2].map(() => entry('19T10:10', 'execution.done', 'A')),
      entry('19T10:11', 'execution.unknown', 'C', { reason: 'no answer' }),
      entry('19T10:12', 'task.rejected', 'B'),
    )
    expect(week(cloud, local)).toMatchObject({ arrived: 2, drafted: 2, approved: 1, rejected: 1, sent: 1, unknown: 1 })
  })

  test('leave out what is older, newer, or none of ours', () => {
    const lines = [
      entry('13T23:59', 'task.created', 'A'),
      entry('21T00:00', 'task.created', 'B'),
      '{"type":"task.created","task":"C"}',
      '"type":"task.created"',
      '\u0000',
    ]
    expect(week(notes('cloud', ...lines)).arrived).toBe(0)
  })

  test('believe only this machine about what it did and what the person decided', () => {
    const claims = notes(
      'cloud',
      entry('20T10:00', 'task.approved', 'A', { generation: 1 }),
      entry('20T10:00', 'execution.done', 'A'),
      entry('20T10:00', 'task.returned', 'A', { rule: 'not-presented' }),
    )
    expect(week(claims)).toMatchObject({ approved: 0, sent: 0, medianWaitMs: undefined })
    expect([alertsOf(claims, 'local', NOW), doneToday(claims, 'local', NOW)]).toEqual([[], []])
  })

  test('tell the median time from the first card to the decision on it', () => {
    const local = notes(
      'local',
      entry('20T10:00', 'draft.presented', 'A'),
      entry('20T10:05', 'draft.presented', 'A'),
      entry('20T10:10', 'task.approved', 'A'),
      entry('20T10:11', 'task.returned', 'A', { rule: 'undone' }),
      entry('20T10:11', 'draft.presented', 'A'),
      entry('20T10:13', 'task.rejected', 'A'),
      entry('20T11:00', 'task.redraft', 'shown long ago'),
    )
    expect(week(local).medianWaitMs).toBe(10 * 60_000)
    expect(week(local.slice(0, -1)).medianWaitMs).toBe(6 * 60_000)
    expect(week(local.slice(-1)).medianWaitMs).toBe(Date.parse('2026-11-20T11:00Z') - Date.parse('2026-11-14'))
  })

  test('sum what drafts cost, failed ones and repeated ones too, and nothing that is no amount', () => {
    const cost = (at: string, cost_usd: string, problem?: string) =>
      entry(at, 'task.drafted', `T${seq}`, { generation: 1, cost_usd, ...(problem && { problem }) })
    const cloud = notes(
      'cloud',
      cost('20T01:00', '0.1'),
      cost('20T02:00', '0.2', 'empty'),
      cost('19T02:00', '1.000001'),
      ...['-5', '1e9', 'NaN', '99999999', '0.1 USD'].map((text) => cost('20T03:00', text)),
      entry('20T03:00', 'task.created', 'X', { cost_usd: '7' }),
    )
    expect(week(cloud)).toMatchObject({ spentToday: 0.3, spent: 1.300001 })
  })
})

test('alerts are those of today and yesterday, newest first, from every ledger', () => {
  const local = notes(
    'local',
    entry('18T10:00', 'gate.refused', undefined, { rule: 'old' }),
    entry('19T10:00', 'gate.refused', undefined, { rule: 'path-owner', detail: 'Approved/x.md' }),
    entry('20T10:00', 'task.returned', 'A', { rule: 'not-presented' }),
    entry('20T10:01', 'task.returned', 'A', { rule: 'expired' }),
    entry('20T10:02', 'execution.unknown', 'A', { reason: 'asked elsewhere' }),
  )
  const cloud = notes('cloud', entry('20T09:00', 'zone.forbidden', 'A', { operation: 'execute', rule: 'zone' }))
  expect(alertsOf([...local, ...cloud], 'local', NOW).map(({ agent, say }) => `${agent}: ${say}`)).toEqual([
    'local: an approval was refused: nothing like it had been shown to you on this machine',
    'cloud: execute was refused in this zone: zone',
    'local: the gate refused what the hub holds: path-owner Approved/x.md',
  ])
  expect(new Set(alertsOf([...local, ...cloud], 'local', NOW).map(({ key }) => key)).size).toBe(3)
})

test('done today are the tasks that this machine finished since midnight, newest first', () => {
  const local = notes(
    'local',
    entry('19T23:59', 'execution.done', 'A'),
    entry('20T00:00', 'execution.done', 'B'),
    entry('20T09:00', 'execution.done', 'C'),
    entry('20T09:00', 'execution.done', 'C'),
  )
  expect(doneToday(local, 'local', NOW).map(({ task }) => task)).toEqual(['C', 'B'])
})
