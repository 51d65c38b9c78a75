import { readConflictMark } from './conflict.ts'
import type { DashboardFacts, Level, ListedTask, WaitingTask } from './dashboard-facts.ts'
import type { WeekNumbers } from './ledger-week.ts'
import { plainMarkdown } from './quote.ts'

const MAX_WAITING = 50
const MAX_LISTED = 20
const MAX_LOOKS = 10
const SETTLE = '- Take over what you need, then delete the copy, or `countersign sync conflicts`.'
/** Two blanks: a line break in every renderer, and none to be seen in an editor. */
const BREAK = '  \n  '
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const HEADINGS: Readonly<Record<Level, string>> = {
  question: 'Was it done? Only you can find out',
  high: 'High risk',
  look: 'Look closely',
  plain: 'The others',
}

/**
 * The text of Dashboard.md. The same facts give the same text, so that it is written only when something changed. Lines
 * are short and there are no tables: it is read in an editor and on a phone. All words from outside are inert.
 */
export function renderDashboard(facts: DashboardFacts): string {
  const { waiting, held, conflicts, doneToday, plans, handed } = facts
  const known = new Set(waiting.map((task) => nameOf(task.path)))
  const updates = facts.updates.filter((update) => stillHolds(update.text, known))
  const looks = lookLines(facts)
  const blocks = [
    '# Dashboard',
    `**${summary(facts, looks.length)}**`,
    ...(facts.isHalted
      ? ['> **Halted.** `HALT.md` stands in the vault: nothing is executed until you remove it.']
      : []),
    ...section('Needs a look', looks, MAX_LOOKS),
    `## Waiting for you (${waiting.length})`,
    ...(facts.hasReview && waiting.length > 0 ? ['All on one sheet: [Review.md](Review.md)'] : []),
    ...waitingBlocks(waiting),
    ...section('Standing still', held.map(taskLine)),
    ...section('Plans', plans.map(taskLine)),
    ...section('Handed over', handed.map(taskLine)),
    ...section('Two versions', conflicts.length > 0 ? [...conflicts.map(conflictLine), SETTLE] : []),
    `## Done today (${doneToday.length})`,
    list(doneToday.map(taskLine), 'Nothing yet.'),
    ...section('Notes from the agents', updates.map(updateLine)),
    '## Health',
    list(healthLines(facts, looks.length), ''),
    '## The last seven days',
    list(weekLines(facts.week), ''),
    '## Now',
    list(
      [
        `- ${facts.counts.needsAction} not yet taken up`,
        `- ${facts.counts.inProgress} being worked on`,
        `- ${facts.counts.approved} approved, not yet begun`,
        `- ${facts.doneThisMonth} done this month`,
      ],
      '',
    ),
    '*Written by Countersign; what you change here is replaced. Times are UTC.*',
  ]
  return `${blocks.join('\n\n')}\n`
}

function summary({ waiting, held, doneToday }: DashboardFacts, looks: number): string {
  const close = waiting.filter(({ level }) => level === 'question' || level === 'high').length
  const waits =
    waiting.length === 0
      ? 'Nothing waits for you'
      : `${waiting.length} ${waiting.length === 1 ? 'waits' : 'wait'} for you`
  return [
    `${waits}${close > 0 ? ` (${close} urgent)` : ''}`,
    ...(looks > 0 ? [`${looks} to look at`] : []),
    ...(held.length > 0 ? [`${held.length} standing still`] : []),
    `${doneToday.length} done today`,
  ].join(' · ')
}

/** What was refused, what alarmed an agent, and what is wrong. */
function lookLines({ alerts, problems, news }: DashboardFacts): string[] {
  const refused = (news.quarantine?.faults ?? []).map(
    (fault) => `- ⚠ kept out of this vault: ${plain(fault, 200)} (\`countersign sync --status\`)`,
  )
  return [
    ...refused,
    ...alerts.map(({ at, agent, say }) => `- ⚠ ${plain(say, 300)} · ${plain(agent, 40)}, ${sayMinute(at)}`),
    ...problems.map((problem) => `- ⚠ ${plain(problem, 400)}`),
  ]
}

function waitingBlocks(waiting: readonly WaitingTask[]): string[] {
  if (waiting.length === 0) return ['Nothing waits for you.']
  const shown = waiting.slice(0, MAX_WAITING)
  const groups = Object.entries(HEADINGS).flatMap(([level, heading]) => {
    const tasks = shown.filter((task) => task.level === level)
    if (tasks.length === 0) return []
    const isOnly = level === 'plain' && tasks.length === shown.length
    return [...(isOnly ? [] : [`### ${heading}`]), tasks.map(waitingLine).join('\n')]
  })
  const more = waiting.length - shown.length
  return more > 0
    ? [...groups, `… and ${more} more, in \`Pending_Approval/\` and in \`countersign status --all\``]
    : groups
}

function section(heading: string, lines: readonly string[], max = MAX_LISTED): string[] {
  return lines.length === 0 ? [] : [`## ${heading}`, list(lines, '', max)]
}

function list(lines: readonly string[], whenEmpty: string, max = MAX_LISTED): string {
  if (lines.length === 0) return whenEmpty
  const more = lines.length - max
  return [...lines.slice(0, max), ...(more > 0 ? [`- … and ${more} more`] : [])].join('\n')
}

/** Two short lines: which file, and what is about it. */
function taskLine(task: ListedTask): string {
  const when = task.at ? ` · ${sayMinute(task.at)}` : ''
  const title = plain(task.title, 90) || 'untitled'
  return `- [${title}](${linkTo(task.path)})${BREAK}${plain(task.say, 300)}${when}`
}

function waitingLine(task: WaitingTask): string {
  return `${taskLine(task)}${task.why ? `${BREAK}⚠ ${plain(task.why, 200)}` : ''}`
}

function conflictLine(path: string): string {
  const mark = readConflictMark(path)
  const whose = mark ? `what ${mark.agent} wrote ${sayMinute(mark.at)}` : 'the other version'
  return `- [${plain(nameOf(path), 250)}](${linkTo(path)})${BREAK}${whose}`
}

/** A note that says that something waits for the person is over once it does not. */
function stillHolds(note: string, waiting: ReadonlySet<string>): boolean {
  const links = [...note.matchAll(/\[\[Pending_Approval\/[^\]|\n]*/g)]
  return links.length === 0 || links.some(([link]) => waiting.has(nameOf(link)))
}

/** A note is another zone's text: its links become their labels, everything else plain words. */
function updateLine(update: { agent: string; text: string }): string {
  const words = update.text.replace(/\[\[[^\]|\n]*\|?([^\]\n]*)\]\]/g, '$1')
  return `- ${plain(update.agent, 40)}: ${plain(words, 300)}`
}

function healthLines({ news }: DashboardFacts, looks: number): string[] {
  const services = news.services.map(({ name, state }) => `${plain(name, 40)} ${state}`)
  const { sync } = news
  const reached = sync?.reachedAt ? `, last reached ${sayMinute(sync.reachedAt)}` : ''
  return [
    looks === 0 ? '- All is well.' : '- Something needs a look, see above.',
    ...(services.length > 0 ? [`- This machine: ${services.join(', ')}`] : []),
    ...(sync ? [`- Sync: ${sync.state === 'ok' ? 'ok, the hub answers' : plain(sync.state, 80)}${reached}`] : []),
    ...news.signs.map(({ agent, at }) => `- ${plain(agent, 40)}: ${saySign(at)}`),
  ]
}

function saySign(at: string | null): string {
  if (at === null) return 'never heard of'
  return at === 'now' ? 'there, about a minute ago' : `last heard of ${sayMinute(at)}`
}

function weekLines(week: WeekNumbers): string[] {
  const wait = week.medianWaitMs
  return [
    `- ${week.arrived} arrived, ${week.drafted} drafted`,
    `- ${week.approved} approved, ${week.rejected} rejected`,
    `- ${week.sent} done${week.unknown > 0 ? `, ${week.unknown} with unknown outcome` : ''}`,
    ...(wait === undefined ? [] : [`- They waited ${sayDuration(wait)} for you (median)`]),
    `- Drafting cost ${sayUsd(week.spentToday)} today, ${sayUsd(week.spent)} in all`,
  ]
}

/** `40 s`, `12 min`, `5 h`, `3 days`. */
export function sayDuration(ms: number): string {
  const s = Math.round(ms / 1000)
  if (s < 60) return `${s} s`
  if (s < 3_600) return `${Math.round(s / 60)} min`
  return s < 48 * 3_600 ? `${Math.round(s / 3_600)} h` : `${Math.round(s / 86_400)} days`
}

/** Cents do not show what a small model costs. */
export function sayUsd(usd: number): string {
  return `${usd.toFixed(usd > 0 && usd < 1 ? 4 : 2)} USD`
}

/** Everything an editor would act on is escaped; an address or a host name is not made a link either. */
function plain(text: string, max: number): string {
  return plainMarkdown(text, max).replace(/@|\bwww(?=\.)/gi, (found) => (found === '@' ? '\\@' : `${found}\\`))
}

/** Relative, as Obsidian and VS Code follow it; a bracket in a note's name would end the link. */
function linkTo(path: string): string {
  return encodeURI(path).replace(/[()]/g, (bracket) => (bracket === '(' ? '%28' : '%29'))
}

/** `20 Nov 10:15`: short enough for a phone. The dashboard says once that times are UTC. */
function sayMinute(at: string): string {
  const [, month = '', day = '', time = ''] = /^\d{4}-(0[1-9]|1[0-2])-(\d\d)T(\d\d:\d\d)/.exec(at) ?? []
  return time === '' ? 'at no known time' : `${Number(day)} ${MONTHS[Number(month) - 1]} ${time}`
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
