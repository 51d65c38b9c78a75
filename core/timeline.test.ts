import { expect, test } from 'vitest'
import { LEDGER_TYPES, type LedgerEntry, type LedgerType } from './ledger.ts'
import { entriesAsCsv, lifeOf, sayEntry, weave } from './timeline.ts'

function entry(agent: string, seq: number, minute: number, more: Partial<LedgerEntry> = {}): LedgerEntry {
  const at = `2026-11-26T10:${String(minute).padStart(2, '0')}:00.000Z`
  return { seq, at, agent, type: 'task.claimed', prev: '', hash: '', ...more }
}
const ids = (entries: readonly LedgerEntry[]) => entries.map(({ agent, seq }) => `${agent}${seq}`).join(' ')

test('ledgers are woven by time', () => {
  const cloud = [entry('c', 1, 1), entry('c', 2, 4)]
  const local = [entry('l', 1, 2), entry('l', 2, 3), entry('l', 3, 9)]
  expect(ids(weave([cloud, local]))).toBe('c1 l1 l2 c2 l3')
  expect(weave([])).toEqual([])
})

test('a ledger whose clock was set back keeps its own order', () => {
  expect(ids(weave([[entry('c', 1, 8), entry('c', 2, 1)], [entry('l', 1, 5)]]))).toBe('l1 c1 c2')
})

test('the life of a task is what all ledgers say of it', () => {
  const cloud = [entry('c', 1, 1, { task: 'A' }), entry('c', 2, 2, { task: 'B' }), entry('c', 3, 3)]
  expect(ids(lifeOf('A', [cloud, [entry('l', 1, 0, { task: 'A' })]]))).toBe('l1 c1')
})

test.each(LEDGER_TYPES)('%s has words, with its data and without', (type) => {
  const data = {
    rule: 'some-rule',
    seq: 7,
    agent: 'cloud',
    digest: 'sha256:abc',
    generation: 2,
    problem: 'p',
    for: 'x',
  }
  for (const text of [sayEntry({ type }), sayEntry({ type, data })]) {
    expect(text.length).toBeGreaterThan(5)
    expect(text).not.toMatch(/undefined|\[object/)
  }
})

test.each<[LedgerType, LedgerEntry['data'], string]>([
  ['task.returned', { rule: 'undone' }, 'taken back before it was done'],
  ['task.returned', { rule: 'expired' }, 'put before you again: expired'],
  ['task.given-back', { generation: 2, for: 'local' }, 'given to local'],
  ['execution.refused', { reason: 'ERR_X: no' }, 'not done: ERR_X: no'],
  ['execution.done', { answer: '250 ok' }, 'done: 250 ok'],
])('%s %j is said as %s', (type, data, said) => {
  expect(sayEntry({ type, ...(data && { data }) })).toBe(said)
})

test('a spreadsheet takes no cell for a formula, and quotes and lines stay in their cell', () => {
  const csv = entriesAsCsv([
    entry('=cmd|calc', 1, 1, { type: 'execution.done', data: { answer: '250 "ok",\nbye' }, task: '@A' }),
  ])
  expect(csv).toBe(
    [
      'at,agent,seq,type,task,said,data',
      `2026-11-26T10:01:00.000Z,'=cmd|calc,1,execution.done,'@A,"done: 250 ""ok"",\nbye","{""answer"":""250 \\""ok\\"",\\nbye""}"`,
      '',
    ].join('\r\n'),
  )
})
