import { describe, expect, test } from 'vitest'
import type { DashboardFacts, WaitingTask } from './dashboard-facts.ts'
import { type Noteworthy, noteworthy } from './noteworthy.ts'
import { makeNotice, planNotice } from './notice-to-person.ts'
import type { Told } from './ports/notifier.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const HOUR = 3_600_000
const MINUTE = 60_000

const TASK: WaitingTask = {
  ...{ path: 'Pending_Approval/email/F.md', title: 'Invoice', say: '', level: 'plain', key: 'task:1:1' },
  ...{ at: '2026-11-20T11:00:00.000Z', isPrivate: false, isUrgent: false },
}
const facts = (change: Partial<DashboardFacts>): DashboardFacts =>
  ({ waiting: [], alerts: [], news: { quarantine: undefined, silent: [] }, ...change }) as unknown as DashboardFacts
const worth = (change: Partial<DashboardFacts>) => noteworthy(facts(change), NOW, 24 * HOUR)

describe('noteworthy is', () => {
  test('not every task that waits', () => {
    expect(worth({ waiting: [TASK, { ...TASK, level: 'look' }] })).toEqual([])
  })

  test('what only the person can find out, what was refused, what is of high risk, what is urgent, and what is old, in this order', () => {
    const found = worth({
      waiting: [
        { ...TASK, key: 'old', at: '2026-11-19T11:59:59.000Z' },
        { ...TASK, key: 'high', level: 'high' },
        { ...TASK, key: 'urgent', isUrgent: true },
        { ...TASK, key: 'question', level: 'question', isUrgent: true },
      ],
      alerts: [{ key: 'local:4', agent: 'local', at: '2026-11-20T10:00:00Z', say: 'refused' }],
      news: {
        ...{ signs: [], services: [], sync: undefined, quarantine: { key: 'abc', faults: ['x'] } },
        silent: [{ key: 'cloud 10:00', say: 'the cloud zone has said nothing' }],
      },
    })
    expect(found.map(({ key, kind }) => `${kind} ${key}`)).toEqual([
      ...[
        'question question',
        'refused quarantine:abc',
        'refused alert:local:4',
        'silent silent:cloud 10:00',
        'high high',
        'urgent urgent',
        'old old:old',
      ],
    ])
  })

  test('a task of high risk once more when it has grown old', () => {
    const at = (time: string) => worth({ waiting: [{ ...TASK, level: 'high', at: time }] }).map(({ key }) => key)
    expect([at('2026-11-19T12:00:00Z'), at('2026-11-19T11:59:59Z')]).toEqual([['task:1:1'], ['old:task:1:1']])
  })
})

const item = (key: string, change: Partial<Noteworthy> = {}): Noteworthy => ({
  ...{ key, kind: 'high', title: `Title of ${key}`, domain: 'email', isPrivate: false },
  ...change,
})
const plan = (items: Noteworthy[], told: Told | undefined, now = NOW, isQuiet = false) =>
  planNotice(items, told, { now, everyMs: 15 * MINUTE, isQuiet })

describe('a notice', () => {
  test('is sent at once the first time, and never of the same matter again', () => {
    const first = plan([item('a')], undefined)
    if (first.kind !== 'send') throw new Error('not sent')
    expect(first.told).toEqual({ lastAt: NOW, keys: { a: NOW } })
    expect(plan([item('a')], first.told, NOW + 999 * HOUR)).toEqual({ kind: 'nothing' })
  })

  test('waits until the time is over, then tells all together', () => {
    const told = { lastAt: NOW, keys: { a: NOW } }
    const items = [item('a'), item('b'), item('c')]
    expect(plan(items, told, NOW + 15 * MINUTE - 1)).toEqual({ kind: 'nothing' })
    const later = plan(items, told, NOW + 15 * MINUTE)
    expect(later.kind === 'send' && later.items.map(({ key }) => key)).toEqual(['b', 'c'])
  })

  test('does not wait for a clock that was set back', () => {
    expect(plan([item('b')], { lastAt: NOW + HOUR, keys: {} }).kind).toBe('send')
  })

  test('of what is only old waits while it is quiet', () => {
    const old = item('o', { kind: 'old' })
    expect(plan([old], undefined, NOW, true)).toEqual({ kind: 'nothing' })
    const urgent = plan([old, item('a')], undefined, NOW, true)
    expect(urgent.kind === 'send' && urgent.told.keys).toEqual({ a: NOW })
  })

  test('is forgotten when its matter has been gone for long, and not before', () => {
    const told = { lastAt: 0, keys: { there: 0, gone: 0, fresh: NOW - HOUR } }
    const next = plan([item('there'), item('new')], told)
    expect(next.kind === 'send' && Object.keys(next.told.keys).sort()).toEqual(['fresh', 'new', 'there'])
  })
})

test('of all that is gone, only the newest two thousand are remembered', () => {
  const keys = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`gone ${index}`, NOW - 5_000 + index]))
  const next = plan([item('new')], { lastAt: 0, keys })
  const kept = next.kind === 'send' ? next.told.keys : {}
  expect([Object.keys(kept).length, 'gone 4999' in kept, 'gone 2999' in kept]).toEqual([2_001, true, false])
})

describe('the words of a notice', () => {
  const here = (items: Noteworthy[]) => makeNotice(items, { now: NOW, isOutside: false, detail: 'titles' })
  const outside = (items: Noteworthy[], detail: 'titles' | 'counts' = 'titles') =>
    makeNotice(items, { now: NOW, isOutside: true, detail })

  test('name what it is about', () => {
    expect(here([item('a')])).toMatchObject({
      ...{ title: 'Countersign: one thing needs you', lines: ['High risk: Title of a'], count: 1, isUrgent: true },
      at: '2026-11-20T12:00:00.000Z',
    })
    expect(here([item('a', { kind: 'old' })]).isUrgent).toBe(false)
  })

  test('stay few when there is much', () => {
    const many = Array.from({ length: 200 }, (_, index) => item(`${index}`))
    expect(here(many).title).toBe('Countersign: 200 things need you')
    expect(here(many).lines).toHaveLength(6)
    expect(here(many).lines.at(-1)).toBe('and 195 more')
    expect(here(many.slice(0, 6)).lines.at(-1)).toBe('High risk: Title of 5')
  })

  test('show what is invisible, and keep to one line', () => {
    const [line = ''] = here([item('a', { title: 'x\n\u202egnp\u0007 https://evil.example' })]).lines
    expect(line).toBe('High risk: x ⟦U+202E⟧gnp hxxps[:]//evil.example')
  })

  test('leave the machine without addresses, long numbers and titles of private tasks', () => {
    const lines = outside([
      item('a', { title: 'Re: from Ana <ana.b+c@acme.example>, ok' }),
      item('b', { title: 'Pay DE89 3704 0044 0532 0130 00 now' }),
      item('c', { title: 'secret', domain: 'payment', isPrivate: true }),
    ]).lines
    expect(lines).toEqual([
      'High risk: Re: from Ana <(address)>, ok',
      'High risk: Pay DE(number) now',
      'High risk: a payment task',
    ])
    expect(here([item('c', { title: 'whole', isPrivate: true })]).lines).toEqual(['High risk: whole'])
  })

  test('are only numbers where the person wants no more', () => {
    const items = [item('a'), item('b'), item('c', { kind: 'question' })]
    expect(outside(items, 'counts').lines).toEqual(['1 with unknown outcome', '2 of high risk'])
  })

  test('bear the same id for the same matters', () => {
    expect(here([item('a')]).id).toBe(outside([item('a')]).id)
    expect(here([item('a')]).id).not.toBe(here([item('b')]).id)
  })
})
