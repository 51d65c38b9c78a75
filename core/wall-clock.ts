const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

const formats = new Map<string, Intl.DateTimeFormat>()

/** The day and weekday (0 is Sunday) that a clock in this time zone shows at a moment (ms). */
export function localDay(at: number, zone: string): { readonly day: string; readonly weekday: number } {
  const shown = new Date(at + offsetAt(at, zone))
  return { day: shown.toISOString().slice(0, 10), weekday: shown.getUTCDay() }
}

/**
 * The moment (ms) at which a clock in this time zone shows a minute of a day (YYYY-MM-DD). What it shows twice, when clocks
 * are set back, is the first of the two; what it never shows, when they are set forward, is as much later.
 */
export function momentOf(day: string, minute: number, zone: string): number {
  const shown = Date.parse(`${day}T00:00:00Z`) + minute * MINUTE_MS
  const before = shown - offsetAt(shown - DAY_MS, zone)
  const after = shown - offsetAt(shown + DAY_MS, zone)
  const real = [before, after].filter((at) => at + offsetAt(at, zone) === shown)
  return real.length > 0 ? Math.min(...real) : before
}

/** The day so many days later. */
export function dayPlus(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
}

/** How far the clocks of a zone are ahead of UTC at a moment, ms. */
function offsetAt(at: number, zone: string): number {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' },
    })
  formats.set(zone, format)
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000
}
