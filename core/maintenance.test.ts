import { describe, expect, test } from 'vitest'
import { isCheckDue, parseMaintenanceReport, parseMaintenanceRequest } from './maintenance.ts'

/** In the time of this machine, as the hour is. */
const at = (day: number, hour: number, minute = 0) => new Date(2026, 10, day, hour, minute).getTime()

describe('the nightly check', () => {
  test.each<[string, number, number | undefined, boolean]>([
    ['when there never was one', at(20, 12), undefined, true],
    ['once the hour has come', at(20, 3), at(19, 3, 1), true],
    ['a minute before the hour', at(20, 2, 59), at(19, 3, 1), false],
    ['again in the same night', at(20, 3, 30), at(20, 3, 1), false],
    ['after a night in which nothing ran', at(20, 9), at(18, 3, 1), true],
    ['at noon after a check in the morning', at(20, 12), at(20, 9), false],
    ['when the last one lies in the future', at(20, 12), at(21, 3), true],
  ])('is due or not %s', (_when, now, last, isDue) => {
    expect(isCheckDue(now, last, 3)).toBe(isDue)
  })
})

test('reads a request and a report, and takes nothing else for one', () => {
  const id = '0123456789abcdef'
  expect(parseMaintenanceRequest(JSON.stringify({ id, kind: 'repair' }))).toEqual({ id, kind: 'repair' })
  for (const text of ['', '{', '{"id":"x","kind":"repair"}', `{"id":"${id}","kind":"rm"}`])
    expect(parseMaintenanceRequest(text)).toBeUndefined()
  const report = { id, kind: 'verify', at: '', findings: [{ check: 'a', result: 'ok', found: 'b' }] }
  expect(parseMaintenanceReport(JSON.stringify(report))).toEqual(report)
  expect(parseMaintenanceReport('{"findings":[]}')).toBeUndefined()
})
