import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { duePosts, readPostCalendar } from './post-calendar.ts'
import { momentOf } from './wall-clock.ts'

const DAY = 86_400_000
const ZONE = '- Time zone: Europe/Berlin'
const read = (...lines: string[]) =>
  readPostCalendar(['# Goals', '## Posts', ZONE, ...lines, '## Other', '- x'].join('\n'))
const at = (iso: string) => Date.parse(iso)

describe('momentOf', () => {
  test.each([
    ['2026-01-15', '09:00', '2026-01-15T08:00:00Z'],
    ['2026-07-15', '09:00', '2026-07-15T07:00:00Z'],
    ['2026-03-29', '01:59', '2026-03-29T00:59:00Z'],
    ['2026-03-29', '02:30', '2026-03-29T01:30:00Z'],
    ['2026-03-29', '03:00', '2026-03-29T01:00:00Z'],
    ['2026-10-25', '02:30', '2026-10-25T00:30:00Z'],
    ['2026-10-25', '03:00', '2026-10-25T02:00:00Z'],
  ])('of %s %s in Berlin is %s', (day, time, utc) => {
    const [hour = 0, minute = 0] = time.split(':').map(Number)
    expect(new Date(momentOf(day, hour * 60 + minute, 'Europe/Berlin')).toISOString()).toBe(utc.replace('Z', '.000Z'))
  })

  test('knows the other side of the world', () => {
    expect(momentOf('2026-11-30', 540, 'Pacific/Auckland')).toBe(at('2026-11-29T20:00:00Z'))
    expect(momentOf('2026-11-30', 540, 'America/Los_Angeles')).toBe(at('2026-11-30T17:00:00Z'))
  })
})

describe('a line', () => {
  test.each([
    ['- every Monday 09:00 LinkedIn: what we learnt this week', ['linkedin'], [1], 540, 'what we learnt this week'],
    ['- Mondays and Thursdays at 9 am, Mastodon & Bluesky: a tip', ['mastodon', 'bluesky'], [1, 4], 540, 'a tip'],
    ['- every weekday 18:30 X: good evening: really', ['x'], [1, 2, 3, 4, 5], 1110, 'good evening: really'],
    ['- every day Twitter: hello', ['x'], [0, 1, 2, 3, 4, 5, 6], 540, 'hello'],
    ['* Mon-Wed 7:05 LinkedIn:short', ['linkedin'], [1, 2, 3], 425, 'short'],
    ['- on 2026-12-01 X and Mastodon: our new office', ['x', 'mastodon'], '2026-12-01', 540, 'our new office'],
    ['- 1 December 2026 10:00 LinkedIn: x', ['linkedin'], '2026-12-01', 600, 'x'],
    ['- December 1st, 2026 LinkedIn: x', ['linkedin'], '2026-12-01', 540, 'x'],
    ['- on 1.12.2026 at 8:00 LinkedIn: x', ['linkedin'], '2026-12-01', 480, 'x'],
  ])('%s', (line, networks, days, minute, topic) => {
    expect(read(line)).toMatchObject({ problems: [], plans: [{ line: 4, networks, days, minute, topic }] })
  })

  test.each([
    ['- every Monday LinkedIn', 'write when, where and what about'],
    ['- every Moonday LinkedIn: x', '“moonday” is not understood'],
    ['- every Monday Myspace: x', '“myspace” is not understood'],
    ['- LinkedIn: x', 'it names no day'],
    ['- every Monday 09:00: x', 'it names no network'],
    ['- on 2026-02-30 LinkedIn: x', 'there is no day 2026-02-30'],
    ['- every Monday on 2026-12-01 X: x', 'both a date and a day'],
    ['every Monday X: x', 'it is no line of a list'],
    ['- Time zone: Mars/Base', 'is no time zone'],
    ['- Ahead: 60 days', 'at most 14 days'],
  ])('%s is a problem in words', (line, say) => {
    const { plans, problems } = read(line)
    expect(plans).toEqual([])
    expect(problems).toEqual([{ line: 4, text: line, say: expect.stringContaining(say) }])
  })

  test('without a time zone counts in UTC, and that is told', () => {
    const { zone, problems } = readPostCalendar('## Posts\n- every Monday X: x')
    expect([zone, problems]).toEqual(['UTC', [expect.objectContaining({ say: expect.stringContaining('UTC counts') })]])
    expect(readPostCalendar('## Posts\n').problems).toEqual([])
  })

  test('never throws', () => {
    const words = fc.constantFrom(
      'every ',
      'Monday ',
      '09:00 ',
      'X',
      ': ',
      '2026-12-01 ',
      '99.99.2026 ',
      'am ',
      '-',
      ' to ',
    )
    fc.assert(
      fc.property(
        fc.array(fc.oneof(words, fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 20 }),
        (parts) => {
          const calendar = read(`- ${parts.join('')}`)
          expect(duePosts(calendar, at('2026-11-30T12:00:00Z'))).toBeInstanceOf(Array)
        },
      ),
    )
  })
})

describe('what is due', () => {
  const weekly = read('- every Monday 09:00 LinkedIn: x')
  /** Monday. */
  const MONDAY = at('2026-11-30T08:00:00Z')
  test.each([
    ['more than a day before', MONDAY - DAY - 1, []],
    ['a day before', MONDAY - DAY, [MONDAY]],
    ['at its time', MONDAY, [MONDAY]],
    ['less than a day after', MONDAY + DAY - 1, [MONDAY]],
    ['when it has been missed for a day', MONDAY + DAY, []],
  ])('%s', (_when, now, expected) => {
    expect(duePosts(weekly, now).map((post) => post.at)).toEqual(expected)
  })

  test('is the newest alone, one for each network, with a key for line, day and network', () => {
    const daily = read('- every day 09:00 X and Mastodon: x')
    const due = duePosts(daily, MONDAY - 1)
    expect(due.map((post) => [post.network, post.shownTime])).toEqual([
      ['x', '2026-11-30 09:00'],
      ['mastodon', '2026-11-30 09:00'],
    ])
    const keys = [...due, ...duePosts(daily, MONDAY + DAY), ...duePosts(weekly, MONDAY)].map((post) => post.key)
    expect(new Set(keys).size).toBe(5)
    expect(duePosts(daily, MONDAY - 60_000).map((post) => post.key)).toEqual(due.map((post) => post.key))
  })

  test('keeps its clock time when clocks change', () => {
    const sundays = read('- every Sunday 09:00 X: x')
    const times = ['2026-03-22', '2026-03-29', '2026-10-25', '2026-11-01'].map((day) =>
      duePosts(sundays, at(`${day}T07:30:00Z`)),
    )
    expect(times.map(([post]) => new Date(post?.at ?? 0).toISOString().slice(11, 16))).toEqual([
      '08:00',
      '07:00',
      '08:00',
      '08:00',
    ])
  })

  test('of a dated line once, and looks ahead as far as it says', () => {
    const dated = read('- Ahead: 3 days', '- on 2026-12-04 10:00 X: x')
    expect(duePosts(dated, at('2026-12-01T08:59:00Z'))).toEqual([])
    expect(duePosts(dated, at('2026-12-01T09:00:00Z'))).toHaveLength(1)
    expect(duePosts(dated, at('2027-12-04T09:00:00Z'))).toEqual([])
  })
})
