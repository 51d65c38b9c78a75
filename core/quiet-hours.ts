/** Hours in which nothing goes out. Minutes of the day; `to` up to and including 1440, at or before `from`: the next day. */
export interface QuietSpan {
  /** The days on which it begins, 0 is Sunday. */
  readonly days: readonly number[]
  readonly from: number
  readonly to: number
  /** IANA name. */
  readonly zone: string
}

export type QuietReading =
  | { readonly ok: true; readonly spans: readonly QuietSpan[]; readonly hasZone: boolean }
  | { readonly ok: false; readonly say: string }

const DAY = 1440
const MINUTE_MS = 60_000
/** A week holds every span; one hour more for the change of clocks. */
const MAX_LOOK_MS = (7 * DAY + 60) * MINUTE_MS
const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6]
const DAY_NAMES = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const DAY_WORD = /^(?:sun|mon|tue(?:s)?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?)(?:days?)?\.?$/
const DAY_GROUPS: Readonly<Record<string, readonly number[]>> = {
  ...{ weekday: [1, 2, 3, 4, 5], weekdays: [1, 2, 3, 4, 5], weekend: [0, 6], weekends: [0, 6] },
  ...{ daily: EVERY_DAY, everyday: EVERY_DAY },
}
const FILLERS = new Set(['on', 'at', 'the', 'from', 'between', 'and', 'in', 'time', 'zone', ',', ';', '(', ')', ':'])
const TOKEN = /[A-Za-z_]+\/[A-Za-z_/+-]+\d{0,2}|\p{L}[\p{L}\p{M}.]*|\d+(?:[:.]\d{2})?|[^\s]/gu

/** `20:00–07:00 on weekdays, all day on Saturday and Sunday, Europe/Berlin` → spans. Every word must be understood. */
export function readQuietHours(text: string, fallbackZone = 'UTC'): QuietReading {
  const tokens = timeTokens(text)
  const days: number[][] = []
  const spans: { from: number; to: number }[] = []
  let zone: string | undefined
  let isDaysFirst: boolean | undefined
  for (let at = 0; at < tokens.length; ) {
    const token = tokens[at] ?? ''
    const span = spanAt(tokens, at)
    const named = span ? undefined : daysAt(tokens, at)
    if (span) {
      isDaysFirst ??= days.length > 0
      spans.push(span)
      at += span.length
    } else if (named) {
      if (days.length > spans.length || (days.length === spans.length && isDaysFirst === false && days.length > 0))
        days[days.length - 1]?.push(...named.days)
      else days.push([...named.days])
      at += named.length
    } else if (FILLERS.has(token.toLowerCase())) at++
    else if (zone === undefined && isZone(token)) {
      zone = token
      at++
    } else return { ok: false, say: `“${token}” is not understood in quiet hours` }
  }
  if (spans.length === 0)
    return { ok: false, say: 'quiet hours need a time such as 20:00-07:00, or “all day” with the days' }
  if (days.length > 0 && days.length !== spans.length)
    return { ok: false, say: 'it is not clear which times belong to which days: write a line for each' }
  const read = spans.map(({ from, to }, index) => ({
    days: [...new Set(days[index] ?? EVERY_DAY)].sort(),
    from,
    to,
    zone: zone ?? fallbackZone,
  }))
  return { ok: true, spans: read, hasZone: zone !== undefined }
}

/** The words, numbers and signs of a text that speaks of days and times, for `daysAt` and `timeAt`. */
export function timeTokens(text: string): string[] {
  const flat = text
    .replace(/[‐‑‒–—−]/g, '-')
    .replace(/\b(?:all|whole|the whole) day\b|\ball-day\b/gi, 'allday')
    .replace(/\bevery ?day\b/gi, 'everyday')
    .replace(/([\d.:])\s*([ap])\.?m\b\.?/gi, '$1 $2m')
  return [...flat.matchAll(TOKEN)].map(([token]) => token)
}

export function isZone(name: string): boolean {
  if (!/^[A-Za-z]+(?:\/[A-Za-z_+-]+\d{0,2}){0,2}$/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** When the quiet hours of this moment end (ms); undefined when none are. Infinity when no hour of the week is free. */
export function quietUntil(spans: readonly QuietSpan[], now: number): number | undefined {
  if (!isQuiet(spans, now)) return undefined
  const end = now + MAX_LOOK_MS
  let at = now
  while (at < end) {
    at = Math.min(...spans.map((span) => nextEdge(span, at)))
    if (!isQuiet(spans, at)) return at
  }
  return Number.POSITIVE_INFINITY
}

function isQuiet(spans: readonly QuietSpan[], at: number): boolean {
  return spans.some(({ days, from, to, zone }) => {
    const { day, minute } = localTime(at, zone)
    const begunYesterday = days.includes((day + 6) % 7) && to <= from && minute < to
    const begunToday = days.includes(day) && minute >= from && (to <= from || minute < to)
    return begunYesterday || begunToday
  })
}

/** The span's next edge, or the next full hour before it: clocks change on full hours, so no edge is jumped over. */
function nextEdge({ from, to, zone }: QuietSpan, at: number): number {
  const { minute } = localTime(at, zone)
  const steps = [from, to, DAY, (Math.floor(minute / 60) + 1) * 60].map((edge) => edge - minute)
  const step = Math.min(...steps.filter((one) => one > 0))
  return Math.floor(at / MINUTE_MS) * MINUTE_MS + step * MINUTE_MS
}

const formats = new Map<string, Intl.DateTimeFormat>()

function localTime(at: number, zone: string): { day: number; minute: number } {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
  formats.set(zone, format)
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
  return {
    day: DAY_NAMES.indexOf((parts.weekday ?? '').slice(0, 3).toLowerCase()),
    minute: Number(parts.hour) * 60 + Number(parts.minute),
  }
}

function spanAt(tokens: readonly string[], at: number): { from: number; to: number; length: number } | undefined {
  if (tokens[at]?.toLowerCase() === 'allday') return { from: 0, to: DAY, length: 1 }
  const from = timeAt(tokens, at)
  if (!from) return undefined
  const middle = tokens[at + from.length] ?? ''
  if (!/^(?:-|to|until|till|and)$/i.test(middle)) return undefined
  const to = timeAt(tokens, at + from.length + 1)
  if (!to || from.minute === to.minute || from.minute === DAY) return undefined
  return { from: from.minute, to: to.minute === 0 ? DAY : to.minute, length: from.length + 1 + to.length }
}

/** A time of day at this token: minutes, and of how many tokens. */
export function timeAt(tokens: readonly string[], at: number): { minute: number; length: number } | undefined {
  const match = /^(\d{1,2})(?:[:.](\d{2}))?$/.exec(tokens[at] ?? '')
  if (!match) return undefined
  const half = /^([ap])m\.?$/i.exec(tokens[at + 1] ?? '')?.[1]?.toLowerCase()
  const [hour, minute] = [Number(match[1]), Number(match[2] ?? 0)]
  if (minute > 59 || hour > 24 || (hour === 24 && minute > 0) || (half && (hour < 1 || hour > 12))) return undefined
  const full = half ? (hour % 12) + (half === 'p' ? 12 : 0) : hour
  return { minute: full * 60 + minute, length: half ? 2 : 1 }
}

/** Days of the week at this token (0 is Sunday), and of how many tokens. */
export function daysAt(tokens: readonly string[], at: number): { days: readonly number[]; length: number } | undefined {
  const group = DAY_GROUPS[tokens[at]?.toLowerCase() ?? '']
  if (group) return { days: group, length: 1 }
  const first = dayOf(tokens[at])
  if (first === undefined) return undefined
  const last = /^(?:-|to|until|till)$/i.test(tokens[at + 1] ?? '') ? dayOf(tokens[at + 2]) : undefined
  if (last === undefined) return { days: [first], length: 1 }
  const count = ((last - first + 7) % 7) + 1
  return { days: Array.from({ length: count }, (_one, index) => (first + index) % 7), length: 3 }
}

function dayOf(token: string | undefined): number | undefined {
  const word = token?.toLowerCase() ?? ''
  return DAY_WORD.test(word) ? DAY_NAMES.indexOf(word.slice(0, 3)) : undefined
}
