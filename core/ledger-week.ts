import { type LedgerEntry, type LedgerType, parseLedgerLine } from './ledger.ts'
import { sayEntry } from './timeline.ts'

/** What the numbers need of one ledger entry. `agent` is whose file it stood in, whatever the entry says. */
export interface LedgerNote {
  readonly at: string
  readonly agent: string
  readonly seq: number
  readonly type: LedgerType
  readonly task: string | undefined
  /** Tells one use of a task from the next. */
  readonly use: string
  /** Millionths of a US dollar. */
  readonly cost: number
  /** Only of what is an alert: a sentence with words from outside. */
  readonly alert: string | undefined
}

/** The last seven days (UTC), today included. */
export interface WeekNumbers {
  readonly arrived: number
  readonly drafted: number
  readonly approved: number
  readonly rejected: number
  readonly sent: number
  readonly unknown: number
  /** From the moment a card was shown to the decision on it; undefined when nothing was decided. */
  readonly medianWaitMs: number | undefined
  /** What the drafts cost, US dollars. */
  readonly spentToday: number
  readonly spent: number
}

const COUNTED: readonly string[] = [
  'task.created',
  'task.drafted',
  'task.returned',
  'draft.presented',
  'task.approved',
  'task.rejected',
  'task.redraft',
  'execution.done',
  'execution.unknown',
  'gate.refused',
  'hub.rolled-back',
  'zone.forbidden',
  'machine.restored',
] satisfies LedgerType[]
/** These tell of the person, or of what this machine did: only its own ledger is believed about them. */
const OWN: readonly string[] = COUNTED.filter((type) =>
  /^(draft|execution|task\.(approved|rejected|redraft|returned))/.test(type),
)
const DECISIONS: readonly string[] = ['task.approved', 'task.rejected', 'task.redraft'] satisfies LedgerType[]
const DAYS = 7
const DAY_MS = 86_400_000
/** Enough to see what happened; a ledger full of them is not worth more. */
const MAX_ALERTS = 200
const COST = /^\d{1,6}(\.\d{1,9})?$/
/** An approval that nobody can have given here, since nothing of the kind had been shown. */
const FORGED_RULES: readonly string[] = ['not-presented']

/** The days whose ledger files are looked at, oldest first: `2026-11-20`. */
export function weekDays(nowMs: number): string[] {
  return Array.from({ length: DAYS }, (_, index) => dayOf(nowMs - (DAYS - 1 - index) * DAY_MS))
}

/** The entries of one ledger file that count here. A line that is none of ours is skipped: `audit verify` tells of it. */
export function notesOf(agent: string, text: string): LedgerNote[] {
  return text.split('\n').flatMap((line) => {
    const type = /"type":"([a-z.-]+)"/.exec(line)?.[1] ?? ''
    const entry = COUNTED.includes(type) ? parseLedgerLine(line) : undefined
    return entry && COUNTED.includes(entry.type) ? [noteOf(agent, entry)] : []
  })
}

function noteOf(agent: string, entry: LedgerEntry): LedgerNote {
  const { at, seq, type, task, data } = entry
  const cost = type === 'task.drafted' ? String(data?.cost_usd ?? '0') : '0'
  // A draft that could not be made is no draft, and yet may have cost something.
  const use =
    type === 'task.drafted' && data?.problem !== undefined ? '' : `${task ?? ''} ${String(data?.generation ?? '')}`
  return {
    ...{ at, agent, seq, type, use, alert: alertOf(entry) },
    task: typeof task === 'string' ? task : undefined,
    cost: COST.test(cost) ? Math.round(Number(cost) * 1e6) : 0,
  }
}

function alertOf(entry: LedgerEntry): string | undefined {
  if (entry.type === 'task.returned')
    return FORGED_RULES.includes(String(entry.data?.rule))
      ? 'an approval was refused: nothing like it had been shown to you on this machine'
      : undefined
  return /^(gate|hub|zone|machine)\./.test(entry.type) ? sayEntry(entry) : undefined
}

/** Counts what the ledgers of all agents tell of the last seven days; `own` is this machine's agent. */
export function weekOf(notes: readonly LedgerNote[], own: string, nowMs: number): WeekNumbers {
  const days = weekDays(nowMs)
  const today = days.at(-1) ?? ''
  const week = notes.filter(
    ({ at, agent, type }) => days.includes(at.slice(0, 10)) && (agent === own || !OWN.includes(type)),
  )
  /** A crash may have written an entry twice. */
  const count = (type: LedgerType, by: 'use' | 'task') =>
    new Set(week.filter((note) => note.type === type && note.use !== '').map((note) => note[by])).size
  const spent = (some: readonly LedgerNote[]) => some.reduce((sum, { cost }) => sum + cost, 0) / 1e6
  return {
    arrived: count('task.created', 'task'),
    drafted: count('task.drafted', 'use'),
    approved: count('task.approved', 'use'),
    rejected: count('task.rejected', 'task'),
    sent: count('execution.done', 'task'),
    unknown: count('execution.unknown', 'task'),
    medianWaitMs: median(waitsOf(week, Date.parse(days[0] ?? ''))),
    spentToday: spent(week.filter(({ at }) => at.slice(0, 10) === today)),
    spent: spent(week),
  }
}

/** A card that was shown before the week began has waited at least since then. */
function waitsOf(week: readonly LedgerNote[], beginMs: number): number[] {
  const shown = new Map<string, number>()
  const waits: number[] = []
  for (const { type, task, at } of week.toSorted((a, b) => a.seq - b.seq)) {
    if (task === undefined || Number.isNaN(Date.parse(at))) continue
    if (type === 'draft.presented' && !shown.has(task)) shown.set(task, Date.parse(at))
    if (DECISIONS.includes(type)) waits.push(Math.max(0, Date.parse(at) - (shown.get(task) ?? beginMs)))
    if (DECISIONS.includes(type) || type === 'task.returned') shown.delete(task)
  }
  return waits
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length % 2 === 1) return sorted[middle]
  return sorted.length === 0 ? undefined : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** What alarmed any agent today or yesterday, newest first. */
export function alertsOf(notes: readonly LedgerNote[], own: string, nowMs: number) {
  const days = weekDays(nowMs).slice(-2)
  return notes
    .filter(({ at, agent, type }) => days.includes(at.slice(0, 10)) && (agent === own || !OWN.includes(type)))
    .flatMap(({ agent, seq, at, alert }) =>
      alert === undefined ? [] : [{ key: `${agent}:${seq}`, agent, at, say: alert }],
    )
    .toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : a.key < b.key ? -1 : 1))
    .slice(0, MAX_ALERTS)
}

/** The ids of the tasks that this machine finished today and when, newest first. */
export function doneToday(notes: readonly LedgerNote[], own: string, nowMs: number): { task: string; at: string }[] {
  const today = dayOf(nowMs)
  const done = notes.filter((note) => note.agent === own && note.type === 'execution.done' && note.at.startsWith(today))
  const latest = new Map(done.flatMap(({ task, at }) => (task === undefined ? [] : [[task, at] as const])))
  return [...latest].map(([task, at]) => ({ task, at })).toSorted((a, b) => (a.at < b.at ? 1 : -1))
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
