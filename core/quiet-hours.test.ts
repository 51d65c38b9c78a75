import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { quietUntil, readQuietHours } from './quiet-hours.ts'

const spans = (text: string) => {
  const read = readQuietHours(text)
  if (!read.ok) throw new Error(read.say)
  return read.spans
}
const at = (iso: string) => Date.parse(iso)
const until = (text: string, iso: string) => {
  const end = quietUntil(spans(text), at(iso))
  return end === undefined || !Number.isFinite(end) ? end : new Date(end).toISOString()
}
const DAYS = { weekdays: [1, 2, 3, 4, 5], every: [0, 1, 2, 3, 4, 5, 6] }

describe('quiet hours as people write them', () => {
  test.each([
    ['20:00-07:00', [{ days: DAYS.every, from: 1200, to: 420, zone: 'UTC' }]],
    ['20:00–07:00 on weekdays, Europe/Berlin', [{ days: DAYS.weekdays, from: 1200, to: 420, zone: 'Europe/Berlin' }]],
    ['from 8 pm to 7 am, every day (Europe/Paris)', [{ days: DAYS.every, from: 1200, to: 420, zone: 'Europe/Paris' }]],
    ['Mon-Fri 22 to 6', [{ days: DAYS.weekdays, from: 1320, to: 360, zone: 'UTC' }]],
    ['Saturday and Sunday all day', [{ days: [0, 6], from: 0, to: 1440, zone: 'UTC' }]],
    ['weekends, the whole day, America/New_York', [{ days: [0, 6], from: 0, to: 1440, zone: 'America/New_York' }]],
    ['Fri until Mon 18.30 - 24:00', [{ days: [0, 1, 5, 6], from: 1110, to: 1440, zone: 'UTC' }]],
    ['12:00 a.m. to 12:00 p.m.', [{ days: DAYS.every, from: 0, to: 720, zone: 'UTC' }]],
    [
      '20:00-07:00 on weekdays, all day on Sat and Sun, Europe/Berlin',
      [
        { days: DAYS.weekdays, from: 1200, to: 420, zone: 'Europe/Berlin' },
        { days: [0, 6], from: 0, to: 1440, zone: 'Europe/Berlin' },
      ],
    ],
    [
      'Mon, Tue and Wed 20:00-07:00; Thu 12-13; UTC',
      [
        { days: [1, 2, 3], from: 1200, to: 420, zone: 'UTC' },
        { days: [4], from: 720, to: 780, zone: 'UTC' },
      ],
    ],
  ])('%s', (text, expected) => {
    expect(spans(text)).toEqual(expected)
  })

  test.each([
    ['', 'need a time'],
    ['Saturday', 'need a time'],
    ['25:00-07:00', '“25:00” is not understood'],
    ['20:61-07:00', 'not understood'],
    ['20:00', 'not understood'],
    ['20:00-20:00', 'not understood'],
    ['20:00-07:00 except Fridays', '“except” is not understood'],
    ['20:00-07:00 Europe/Atlantis', '“Europe/Atlantis” is not understood'],
    ['20:00-07:00 Europe/Berlin Europe/Paris', '“Europe/Paris” is not understood'],
    ['20:00-07:00 and 12:00-13:00 on weekdays', 'which days'],
    ['13 pm - 14', 'not understood'],
  ])('%s is refused in words: %s', (text, say) => {
    const read = readQuietHours(text)
    expect(read).toMatchObject({ ok: false, say: expect.stringContaining(say) })
  })

  test('no text is misread: it throws nothing and gives spans within the day', () => {
    const word = fc.constantFrom(
      ...'mon fri-sun 20:00 7 - to am pm all day weekdays and , ; Europe/Berlin UTC x'.split(' '),
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        const read = readQuietHours(words.join(' '))
        if (!read.ok) return
        for (const { from, to, days } of read.spans) {
          expect(from).toBeLessThan(1440)
          expect(to).toBeLessThanOrEqual(1440)
          expect(to).not.toBe(from)
          expect(days.length).toBeGreaterThan(0)
        }
      }),
    )
  })
})

describe('when quiet hours end', () => {
  const NIGHT = 'weekdays 20:00-07:00 and sat sun all day, Europe/Berlin'
  test.each([
    [NIGHT, '2026-11-20T12:00:00Z', undefined],
    [NIGHT, '2026-11-19T19:00:00Z', '2026-11-20T06:00:00.000Z'],
    [NIGHT, '2026-11-19T18:59:59Z', undefined],
    [NIGHT, '2026-11-20T05:59:59Z', '2026-11-20T06:00:00.000Z'],
    [NIGHT, '2026-11-20T06:00:00Z', undefined],
    // Friday night runs into the weekend; on Sunday the day itself ends it.
    [NIGHT, '2026-11-20T20:30:30Z', '2026-11-22T23:00:00.000Z'],
    ['20:00-07:00', '2026-11-20T20:00:00Z', '2026-11-21T07:00:00.000Z'],
    ['20:00-24:00, 0:00-7:00', '2026-11-20T20:00:00Z', '2026-11-21T07:00:00.000Z'],
    // The clocks go forward at 01:00 UTC on 28 March 2027, and back at 01:00 UTC on 25 October 2026.
    ['22:00-07:00 Europe/Berlin', '2027-03-27T22:00:00Z', '2027-03-28T05:00:00.000Z'],
    ['22:00-02:30 Europe/Berlin', '2027-03-27T22:00:00Z', '2027-03-28T01:00:00.000Z'],
    ['22:00-07:00 Europe/Berlin', '2026-10-24T22:00:00Z', '2026-10-25T06:00:00.000Z'],
    ['22:00-07:00 Australia/Lord_Howe', '2026-10-03T13:00:00Z', '2026-10-03T20:00:00.000Z'],
    ['all day', '2026-11-20T20:00:00Z', Number.POSITIVE_INFINITY],
  ])('%s, at %s: %s', (text, iso, end) => {
    expect(until(text, iso)).toBe(end)
  })

  test('the end is the first minute that is free, whatever the spans', () => {
    const span = fc.record({
      days: fc.uniqueArray(fc.nat(6), { minLength: 1 }),
      from: fc.nat(1439),
      to: fc.integer({ min: 1, max: 1440 }),
      zone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'America/St_Johns', 'Australia/Lord_Howe'),
    })
    const moment = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-12-31T00:00:00Z') })
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 3 }), moment, (spans, now) => {
        fc.pre(spans.every(({ from, to }) => from !== to))
        const end = quietUntil(spans, now)
        if (end === undefined || end === Number.POSITIVE_INFINITY) return
        expect(end).toBeGreaterThan(now)
        expect(quietUntil(spans, end)).toBeUndefined()
        expect(quietUntil(spans, end - 1)).toBe(end)
        const between = now + Math.floor((end - now) / 3)
        expect(quietUntil(spans, between)).toBe(end)
      }),
      { numRuns: 60 },
    )
  })
})
