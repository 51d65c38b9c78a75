import { createHash } from 'node:crypto'
import {
  linesUnder,
  MAX_PROBLEMS,
  MAX_SHOWN_CHARS,
  NO_ITEM,
  plainItem,
  type RuleProblem,
  withoutComments,
} from './handbook-lines.ts'
import { daysAt, isZone, timeAt, timeTokens } from './quiet-hours.ts'
import { NETWORKS, type Network } from './social-text.ts'
import { dayPlus, localDay, momentOf } from './wall-clock.ts'

/** A line that asks for posts. */
export interface PostPlan {
  readonly line: number
  /** The line as it was read: with the day it names the post. */
  readonly text: string
  readonly networks: readonly Network[]
  readonly topic: string
  /** Days of the week (0 is Sunday), or one day (YYYY-MM-DD). */
  readonly days: readonly number[] | string
  /** Of the day. */
  readonly minute: number
}

export interface PostCalendar {
  readonly plans: readonly PostPlan[]
  /** IANA name. */
  readonly zone: string
  /** How long before its time a post is drafted, ms. */
  readonly aheadMs: number
  readonly problems: readonly RuleProblem[]
}

/** One post that is to be drafted now. */
export interface DuePost {
  /** Names line, day and network: the same post always has the same (hex). */
  readonly key: string
  readonly network: Network
  readonly topic: string
  /** When it is to be published, ms, and how the owner would say that. */
  readonly at: number
  readonly shownTime: string
  readonly zone: string
}

/** A larger note is no calendar. */
export const MAX_GOALS_BYTES = 200_000
const HEADING =
  /^\W*(?:(?:planned|scheduled|social|regular) )?(?:posts|(?:posts?|posting|editorial|social) calendar)\W*$/i
const DAY_MS = 86_400_000
/** What should have been out for longer, because the cloud was away, is not made up for. */
const MISSED_MS = DAY_MS
const MAX_AHEAD_DAYS = 14
const DEFAULT_MINUTE = 9 * 60
const MAX_PLANS = 100
const MAX_TOPIC_CHARS = 280
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DATES: readonly (readonly [RegExp, (match: RegExpExecArray) => readonly (string | undefined)[]])[] = [
  [/\b(\d{4})-(\d{1,2})-(\d{1,2})\b/, ([, year, month, day]) => [year, month, day]],
  [/\b(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})\b/, ([, day, month, year]) => [year, month, day]],
  [
    /\b(\d{1,2})(?:st|nd|rd|th|\.)? (?:of )?([a-z]{3,9})\.?,? (\d{4})\b/i,
    ([, day, month, year]) => [year, monthOf(month), day],
  ],
  [/\b([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})\b/i, ([, month, day, year]) => [year, monthOf(month), day]],
]
const FILLERS = new Set('every each on at the and to for post posts a of from , ; & + ( )'.split(' '))

/**
 * Reads the lists under the headings "Posts": `every Monday 09:00 LinkedIn: what we learnt this week`, `on 2026-12-01 X and
 * Mastodon: our new office`. A line that is not understood is a problem in words. Never throws.
 */
export function readPostCalendar(goals: string): PostCalendar {
  const plans: PostPlan[] = []
  const problems: RuleProblem[] = []
  let zone: string | undefined
  let aheadDays: number | undefined
  if (Buffer.byteLength(goals) > MAX_GOALS_BYTES)
    return { plans, zone: 'UTC', aheadMs: DAY_MS, problems: [{ line: 1, text: '', say: 'the note is over 200 kB' }] }
  for (const { line, text } of linesUnder(HEADING, withoutComments(goals).lines)) {
    const fault = (say: string) => void problems.push({ line, text: text.slice(0, MAX_SHOWN_CHARS), say })
    const item = plainItem(text)
    const named = /^time ?zone\b[:\s]*(.*)$/i.exec(item ?? '')?.[1]
    const ahead = /^(?:draft(?:ed)? )?(?:ahead[:\s]*(\d{1,2}) days?|(\d{1,2}) days? (?:ahead|before|earlier))$/i.exec(
      item ?? '',
    )
    if (item === undefined) fault(NO_ITEM)
    else if (named !== undefined) {
      if (isZone(named)) zone = named
      else fault(`“${named.slice(0, 60)}” is no time zone; write one such as Europe/Berlin`)
    } else if (ahead) {
      aheadDays = Number(ahead[1] ?? ahead[2])
      if (aheadDays > MAX_AHEAD_DAYS) fault(`at most ${MAX_AHEAD_DAYS} days ahead`)
    } else {
      const plan = plans.length < MAX_PLANS ? readPlan(item) : `there are more than ${MAX_PLANS} posts`
      if (typeof plan === 'string') fault(plan)
      else plans.push({ line, text: item, ...plan })
    }
  }
  if (plans.length > 0 && zone === undefined)
    problems.push({
      line: 1,
      text: 'posts',
      say: 'no time zone is named (such as “- Time zone: Europe/Berlin”), so UTC counts',
    })
  const aheadMs = Math.min(aheadDays ?? 1, MAX_AHEAD_DAYS) * DAY_MS
  return { plans, zone: zone ?? 'UTC', aheadMs, problems: problems.slice(0, MAX_PROBLEMS) }
}

/**
 * What is to be drafted at a moment (ms): of each line the newest post whose time is not further off than the calendar looks
 * ahead, and not longer ago than a day.
 */
export function duePosts({ plans, zone, aheadMs }: PostCalendar, now: number): DuePost[] {
  return plans.flatMap((plan) => {
    const day = newestDay(plan, zone, now, now + aheadMs)
    if (day === undefined) return []
    return plan.networks.map((network) => ({
      key: createHash('sha256')
        .update(JSON.stringify(['post-calendar', plan.text, day, network]))
        .digest('hex'),
      network,
      topic: plan.topic,
      at: momentOf(day, plan.minute, zone),
      shownTime: `${day} ${sayMinute(plan.minute)}`,
      zone,
    }))
  })
}

function newestDay({ days, minute }: PostPlan, zone: string, now: number, until: number): string | undefined {
  const isDue = (day: string) => {
    const at = momentOf(day, minute, zone)
    return at <= until && at > now - MISSED_MS
  }
  if (typeof days === 'string') return isDue(days) ? days : undefined
  const last = localDay(until, zone).day
  for (let back = 0; back <= MAX_AHEAD_DAYS + 2; back++) {
    const day = dayPlus(last, -back)
    if (days.includes(new Date(`${day}T00:00:00Z`).getUTCDay()) && isDue(day)) return day
  }
  return undefined
}

/** The plan, or what is wrong with it, in words. */
function readPlan(item: string): Omit<PostPlan, 'line' | 'text'> | string {
  const split = /^(.*?):\s+(.+)$/.exec(item) ?? /^(.*?\p{L})\s*:\s*(.+)$/u.exec(item)
  const topic = split?.[2]?.trim().slice(0, MAX_TOPIC_CHARS)
  if (!split || !topic)
    return 'write when, where and what about, such as “every Monday 09:00 LinkedIn: what we learnt this week”'
  const { rest, day, say } = takeDate(split[1] ?? '')
  if (say !== undefined) return say
  const days = new Set<number>()
  const networks = new Set<Network>()
  let minute: number | undefined
  const tokens = timeTokens(rest)
  for (let index = 0; index < tokens.length; ) {
    const token = tokens[index]?.toLowerCase() ?? ''
    const network = NETWORKS.find((one) => one === token) ?? (token === 'twitter' ? 'x' : undefined)
    const named = daysAt(tokens, index)
    const time = timeAt(tokens, index)
    if (network) networks.add(network)
    else if (named) for (const one of named.days) days.add(one)
    else if (time && minute === undefined) minute = time.minute
    else if (token === 'day') for (const one of [0, 1, 2, 3, 4, 5, 6]) days.add(one)
    else if (!FILLERS.has(token)) return `“${token.slice(0, 60)}” is not understood`
    index += network ? 1 : (named?.length ?? time?.length ?? 1)
  }
  if (networks.size === 0) return `it names no network (${NETWORKS.join(', ')})`
  if (day === undefined && days.size === 0) return 'it names no day, such as “every Monday” or “on 2026-12-01”'
  if (day !== undefined && days.size > 0) return 'it names both a date and a day of the week'
  return { networks: [...networks], topic, days: day ?? [...days].sort(), minute: minute ?? DEFAULT_MINUTE }
}

function takeDate(head: string): { rest: string; day?: string; say?: string } {
  for (const [pattern, partsOf] of DATES) {
    const match = pattern.exec(head)
    const [year, month, day] = match ? partsOf(match) : []
    if (!match || month === undefined) continue
    const iso = [year, month.padStart(2, '0'), day?.padStart(2, '0')].join('-')
    const at = Date.parse(`${iso}T00:00:00Z`)
    const isReal = Number.isFinite(at) && new Date(at).toISOString().startsWith(iso)
    if (!isReal) return { rest: '', say: `there is no day ${match[0]}` }
    return { rest: head.replace(match[0], ' '), day: iso }
  }
  return { rest: head }
}

function monthOf(word: string | undefined): string | undefined {
  const index = MONTHS.indexOf(word?.slice(0, 3).toLowerCase() ?? '')
  return index < 0 ? undefined : String(index + 1)
}

function sayMinute(minute: number): string {
  return [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':')
}
