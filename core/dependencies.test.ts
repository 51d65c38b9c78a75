import { expect, test } from 'vitest'
import { type Checked, foundIn, judgeDependencies, parseChecked, sayBad } from './dependencies.ts'
import { MAX_REPORT_BYTES, NO_REPORT, parseServiceReport } from './service-report.ts'

const NOW = Date.parse('2026-11-30T10:00:00Z')
const DAY = 86_400_000
const iso = (ms: number) => new Date(ms).toISOString()
const look = (checks: object, report: object = {}) =>
  foundIn({ name: 'drafter', checks: checks as never, report: { ...NO_REPORT, ...report } }, NOW)

test('a check of readiness that is about something outside is a dependency, and one about the service itself is none', () => {
  expect(
    look({
      redis: { ok: true },
      'mailbox-work': { ok: false, detail: 'refused' },
      skills: { ok: false },
      gate: { ok: true },
    }),
  ).toEqual([
    { what: 'redis', of: 'drafter', state: 'ok' },
    { what: 'mailbox', of: 'mailbox-work', state: 'bad', detail: 'refused' },
  ])
})

test('a service that cannot start names what it waits for', () => {
  const start = { ok: false, detail: 'ERR_REDIS_UNREACHABLE: connecting to redis. Will retry.' }
  expect(look({ start })).toMatchObject([{ what: 'redis', of: 'drafter', state: 'bad' }])
  expect(look({ start: { ok: false, detail: 'ERR_CONFIG_INVALID: x' } })).toEqual([])
})

test('what a service is ready without is as it was last met: answered, not answered, or not used yet', () => {
  const dependencies = [
    { name: 'odoo', state: 'bad', detail: 'its database is away' },
    { name: 'model', state: 'unknown' },
  ]
  expect(look({}, { dependencies })).toEqual([
    { what: 'odoo', of: 'drafter', state: 'bad', detail: 'its database is away' },
    { what: 'model', of: 'drafter', state: 'unknown' },
  ])
})

test.each([
  ['certificate', 14 * DAY + 1, 'ok'],
  ['certificate', 14 * DAY, 'bad'],
  ['token', 2 * DAY + 1, 'ok'],
  ['token', 2 * DAY, 'bad'],
  ['token', -1, 'bad'],
] as const)('a %s that ends in %i ms is %s', (what, leftMs, state) => {
  const ends = iso(NOW + leftMs)
  expect(look({}, { ends: [{ what, of: 'mailbox', at: ends }] })).toMatchObject([{ what, of: 'mailbox', state, ends }])
})

test.each([
  ['a clock that may be right', -400, 900, 'ok', 0],
  ['a slow answer, which proves nothing', -90_000, 90_000, 'ok', 0],
  ['a clock that is ahead for sure', 60_001, 61_400, 'bad', 60_001],
  ['a clock that is behind for sure', -70_000, -60_001, 'bad', -60_001],
  ['one that differs by less than matters', 59_000, 60_500, 'ok', 59_000],
] as const)('%s', (_what, leastMs, mostMs, state, skewMs) => {
  expect(look({}, { clocks: [{ of: 'hub', leastMs, mostMs }] })).toMatchObject([
    { what: 'clock', of: 'hub', state, skewMs },
  ])
})

test('each is told since when it is as it is, and what to do where it is bad', () => {
  const found = look({ redis: { ok: false, detail: 'ECONNREFUSED' } })
  const first = judgeDependencies(found, [], iso(NOW))
  expect(first).toMatchObject([{ state: 'bad', since: iso(NOW), next: expect.stringContaining('docker compose ps') }])
  const again = look({ redis: { ok: false, detail: 'no answer within 2000 ms' } })
  const later = judgeDependencies(again, parseChecked(JSON.stringify(first)), iso(NOW + DAY))
  expect(later).toMatchObject([{ since: iso(NOW), detail: 'no answer within 2000 ms' }])
  const [back] = judgeDependencies(look({ redis: { ok: true } }), later, iso(NOW + 2 * DAY))
  expect(back).toEqual({ what: 'redis', of: 'drafter', state: 'ok', since: iso(NOW + 2 * DAY) })
})

test('a sentence is made of what is told nowhere else', () => {
  const bad = (what: Checked['what'], of: string): Checked => {
    return { what, of, state: 'bad', since: iso(NOW), detail: 'it is away', next: 'Look at it.' }
  }
  expect(sayBad([bad('redis', 'sync'), bad('odoo', 'drafter'), bad('certificate', 'mailbox')])).toEqual([
    'Odoo (drafter), since 2026-11-30 10:00Z: it is away. Look at it.',
    'the certificate of mailbox, since 2026-11-30 10:00Z: it is away. Look at it.',
  ])
})

const good = {
  dependencies: [{ name: 'model', state: 'bad', detail: 'x' }],
  ends: [{ what: 'token', of: 'mailbox-work', at: iso(NOW) }],
  clocks: [{ of: 'hub', leastMs: -3, mostMs: 990 }],
  errors: [{ code: 'ERR_MAIL_AUTH', count: 3, at: iso(NOW) }],
}
test.each([
  ['what is none', 'alive', NO_REPORT],
  [
    'words in the place of a code',
    JSON.stringify({ ...good, errors: [{ code: 'to bob@x', count: 1, at: iso(NOW) }] }),
    NO_REPORT,
  ],
  [
    'an address as a name',
    JSON.stringify({ ...good, ends: [{ what: 'token', of: 'bob@x.org', at: iso(NOW) }] }),
    NO_REPORT,
  ],
  ['more than belongs there', JSON.stringify({ ...good, say: 'x' }), NO_REPORT],
  ['what is too long', JSON.stringify(good) + ' '.repeat(MAX_REPORT_BYTES), NO_REPORT],
  ['a report', JSON.stringify(good), good],
])('of a service is taken: %s', (_what, text, taken) => {
  expect(parseServiceReport(text)).toEqual(taken)
})
