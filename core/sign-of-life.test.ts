import { describe, expect, test } from 'vitest'
import { makeSign, type SignOfLife, sayAgo, saySign, signsIn } from './sign-of-life.ts'

const NOW = Date.parse('2026-11-20T10:18:30Z')
const MINUTE = 60_000
const CLOUD = { agent: 'cloud', zone: 'cloud' } as const
const good = (agent: string) => ({ state: 'good', agent, fingerprint: '' }) as const
const sign = (claimed: number, seen: number): SignOfLife => makeSign(CLOUD, { claimed, seen })

describe('the sign of life of an agent', () => {
  test('is its newest commit in the order of history, whatever the clocks say', () => {
    const commits = [
      { signature: good('cloud'), committedAt: 3_000 },
      { signature: good('local'), committedAt: 9_000 },
      { signature: good('cloud'), committedAt: 1_000 },
      { signature: { state: 'bad' } as const, committedAt: 5_000 },
      { signature: { state: 'unknown-key', fingerprint: '' } as const, committedAt: 5_000 },
    ]
    expect(signsIn(commits, 7_000)).toEqual(
      new Map([
        ['cloud', { claimed: 1_000, seen: 7_000 }],
        ['local', { claimed: 9_000, seen: 7_000 }],
      ]),
    )
  })

  test.each([
    ['a clock that is right', -2_000, -2_000],
    ['a clock ahead by a second', 1_000, 0],
    ['a commit dated in the year 33658', Date.parse('+033658-09-27T01:46:39Z') - NOW, 0],
    ['a commit dated 1970', -NOW, -NOW],
  ])('with %s is never later than it was seen', (_what, claimed, at) => {
    const { at: shown, seenAt, claimedAt } = sign(NOW + claimed, NOW)
    expect([shown, seenAt, claimedAt].map((text) => Date.parse(text ?? ''))).toEqual([NOW + at, NOW, NOW + claimed])
  })
})

describe('in words', () => {
  test.each([
    [
      'of one just seen',
      sign(NOW - 3 * MINUTE, NOW - 3 * MINUTE + 900),
      'cloud: last heard of 3 min ago (2026-11-20 10:15Z)',
    ],
    [
      'of one that came late',
      sign(NOW - 50 * MINUTE, NOW),
      'cloud: last heard of 50 min ago (2026-11-20 09:28Z; seen here 2026-11-20 10:18Z)',
    ],
    [
      'of a clock that is ahead',
      sign(NOW + 365 * 24 * 60 * MINUTE, NOW - 3 * MINUTE),
      'cloud: last heard of 3 min ago (2026-11-20 10:15Z; its clock is ahead of ours and said 2027-11-20 10:18Z)',
    ],
    [
      'of a clock that is ahead by a minute',
      sign(NOW + MINUTE, NOW),
      'cloud: last heard of 0 s ago (2026-11-20 10:18Z)',
    ],
    [
      'of an agent by another name than its zone’s',
      makeSign({ agent: 'mia', zone: 'local' }, undefined),
      'mia (local zone): never heard of',
    ],
  ])('%s', (_what, known, words) => {
    expect(saySign(known, NOW)).toBe(words)
  })

  test.each([
    [-5_000, '0 s ago'],
    [59_999, '59 s ago'],
    [MINUTE, '1 min ago'],
    [60 * MINUTE - 1, '59 min ago'],
    [60 * MINUTE, '1 h ago'],
    [48 * 60 * MINUTE - 1, '47 h ago'],
    [48 * 60 * MINUTE, '2 days ago'],
  ])('%i ms are %s', (ms, words) => {
    expect(sayAgo(new Date(NOW - ms).toISOString(), NOW)).toBe(words)
  })
})
