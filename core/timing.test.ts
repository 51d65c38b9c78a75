import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readHandbookRules } from './handbook-rules.ts'
import { newTaskFile } from './task-file.ts'
import { expiryOf, type Predecessor, paceWindow, type TimingFacts, timingFault } from './timing.ts'

const NOW = Date.parse('2026-11-20T12:00:00Z')
const HOUR = 3_600_000
const rules = (...lines: string[]) => readHandbookRules(`## Rules\n${lines.map((line) => `- ${line}`).join('\n')}`)
const facts = (more: Partial<TimingFacts> = {}): TimingFacts => ({
  ...{ rules: rules(), now: NOW, predecessors: [], acts: [] },
  ...more,
})
const task = (front: object) =>
  newTaskFile(
    {
      ...{ id: '01J8Z3W6Q0ABCDEFGHJKMNPQRS', schema: '1', kind: 'EMAIL', domain: 'email', title: 't' },
      ...{ created: '2026-11-18T12:00:00Z', generation: '1', ...front },
    },
    '\n',
  )

test('without rules and predecessors any moment is right', () => {
  expect(timingFault('email', facts({ acts: [NOW, NOW - 1] }))).toBeUndefined()
})

describe('what has to be done first', () => {
  const of = (...states: Predecessor['state'][]) => states.map((state, index) => ({ id: `T${index}`, state }))
  test.each([
    [of('done', 'done'), undefined],
    [of('done', 'waiting'), 'hold after-waiting T1'],
    [of('waiting', 'ended'), 'return after-ended T1'],
    [of('waiting', 'gone'), 'return after-gone T1'],
    [of('ended', 'waiting', 'circle'), 'return after-circle T2'],
  ])('%j: %s', (predecessors, expected) => {
    const fault = timingFault('email', facts({ predecessors }))
    expect(fault && `${fault.next} ${fault.rule} ${/T\d/.exec(fault.say)?.[0]}`).toBe(expected)
    expect(fault?.until).toBeUndefined()
  })
})

test('quiet hours hold, and say until when', () => {
  const quiet = facts({ rules: rules('Quiet hours: 11:00-14:30 UTC') })
  expect(timingFault('email', quiet)).toEqual({
    ...{ rule: 'quiet-hours', next: 'hold', until: NOW + 2.5 * HOUR },
    say: 'Quiet hours: it goes out after 2026-11-20 14:30:00 UTC.',
  })
  expect(timingFault('email', { ...quiet, now: NOW + 2.5 * HOUR })).toBeUndefined()
  const always = timingFault('email', facts({ rules: rules('Quiet hours: all day UTC') }))
  expect(always).toMatchObject({ next: 'hold', rule: 'quiet-hours' })
  expect(always?.until).toBeUndefined()
})

describe('a pace', () => {
  const paced = rules('At most 2 mails per hour', 'at most 3 mails per day', 'at most 1 post per day')
  test.each([
    [[], undefined],
    [[NOW - 1], undefined],
    [[NOW - 1, NOW - HOUR], undefined],
    [[NOW - 1, NOW - HOUR + 1], NOW + 1],
    [[NOW - 10, NOW - 20], NOW + HOUR - 20],
    [[NOW - 5 * HOUR, NOW - 6 * HOUR, NOW - 7 * HOUR], NOW + 17 * HOUR],
  ])('after acts at %j holds until %s', (acts, until) => {
    const fault = timingFault('email', facts({ rules: paced, acts }))
    expect(fault && [fault.rule, fault.next, fault.until]).toEqual(until && ['pace', 'hold', until])
  })

  test('counts for its own channel, which looks back as far as its longest', () => {
    expect(timingFault('payment', facts({ rules: paced, acts: [NOW, NOW, NOW, NOW] }))).toBeUndefined()
    expect([paceWindow('email', paced), paceWindow('payment', paced)]).toEqual([24 * HOUR, 0])
  })

  test('is never exceeded in any window, and never holds longer than it must', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 2 * HOUR }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 4 }), (waits, count) => {
        const own = rules(`at most ${count} mails per hour`)
        const acts: number[] = []
        let now = NOW
        for (const wait of waits) {
          now += wait
          const until = timingFault('email', facts({ rules: own, now, acts }))?.until
          if (until !== undefined) {
            expect(acts.filter((at) => at > until - 1 - HOUR)).toHaveLength(count)
            now = until
          }
          expect(timingFault('email', facts({ rules: own, now, acts }))).toBeUndefined()
          acts.push(now)
          expect(acts.filter((at) => at > now - HOUR).length).toBeLessThanOrEqual(count)
        }
      }),
    )
  })
})

describe('a draft expires', () => {
  const own = rules('Drafts expire after: email 1 day')
  test.each([
    ['as its file says', { expires: '2027-01-01T00:00:00Z' }, '2027-01-01T00:00:00.000Z'],
    [
      'by the handbook, from when it was drafted',
      { drafted: { by: 'x', model: 'y', at: '2026-11-19T09:00:00Z' } },
      '2026-11-20T09:00:00.000Z',
    ],
    ['by the handbook, from when it was made', {}, '2026-11-19T12:00:00.000Z'],
    ['no later for a file from the future', { created: '2030-01-01T00:00:00Z' }, '2026-11-21T12:00:00.000Z'],
    ['never in another domain', { domain: 'social' }, undefined],
  ])('%s', (_how, front, at) => {
    const expiry = expiryOf(task(front), own, NOW)
    expect(expiry && new Date(expiry).toISOString()).toBe(at)
  })
})
