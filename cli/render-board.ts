import { sayDuration, sayUsd } from '#core/dashboard.ts'
import type { Level, ListedTask, WaitingTask } from '#core/dashboard-facts.ts'
import { sayMinute } from '#core/sign-of-life.ts'
import type { Board } from './read-board.ts'
import { renderTable, terminalText } from './table.ts'

const MARKS: Readonly<Record<Level, string>> = { question: '?', high: '!!', look: '!', plain: '' }
const MAX_LISTED = 20

/** The dashboard for a terminal: what waits first. Words from outside hold no control characters. */
export function renderBoard({ facts, notifiers }: Board, options: { readonly all: boolean }): string {
  const { waiting, held, plans, handed, doneToday, conflicts, alerts, news, week } = facts
  const max = options.all ? Number.POSITIVE_INFINITY : MAX_LISTED
  const wait = week.medianWaitMs === undefined ? '' : `, waited ${sayDuration(week.medianWaitMs)} for you (median)`
  const blocks = [
    [
      ...(facts.isHalted ? ['HALTED: HALT.md stands in the vault, nothing is executed until you remove it.'] : []),
      ...(news.quarantine?.faults ?? []).map((fault) => `  ! kept out of this vault: ${terminalText(fault, 160)}`),
      ...alerts
        .slice(0, max)
        .map(({ at, agent, say }) => `  ! ${sayMinute(at)} ${terminalText(agent, 30)}: ${terminalText(say, 160)}`),
    ],
    titled(`Waiting for you: ${waiting.length}`, waiting.slice(0, max).map(waitingRow), waiting.length - max),
    titled(`Standing still: ${held.length}`, held.slice(0, max).map(taskRow), held.length - max),
    titled(`Handed over: ${handed.length}`, handed.slice(0, max).map(taskRow), handed.length - max),
    titled(`Plans: ${plans.length}`, plans.slice(0, max).map(taskRow), plans.length - max),
    titled(
      `Two versions: ${conflicts.length}`,
      conflicts.slice(0, max).map((path) => ['', terminalText(path, 200)]),
      conflicts.length - max,
    ),
    titled(`Done today: ${doneToday.length}`, doneToday.slice(0, max).map(taskRow), doneToday.length - max),
    [
      `Last seven days: ${week.arrived} arrived, ${week.drafted} drafted, ${week.approved} approved, ${week.rejected} rejected, ` +
        `${week.sent} done, ${week.unknown} unknown${wait}`,
      `Drafting cost ${sayUsd(week.spentToday)} today, ${sayUsd(week.spent)} in seven days`,
      ...notifiers.map(({ name, isOptional, fault }) =>
        terminalText(`Notices by ${name}: ${fault === null ? 'ok' : isOptional ? `none here (${fault})` : fault}`, 200),
      ),
    ],
  ]
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

function titled(heading: string, rows: readonly (readonly string[])[], more: number): string[] {
  if (rows.length === 0) return heading.startsWith('Waiting') ? ['Nothing waits for you.'] : []
  return [heading, renderTable(rows), ...(more > 0 ? [`  … and ${more} more (--all)`] : [])]
}

function waitingRow(task: WaitingTask): string[] {
  const [, ...cells] = taskRow(task)
  return [MARKS[task.level], ...cells, task.why ? `! ${terminalText(task.why, 80)}` : '']
}

/** The last six characters of the id are what other commands take. */
function taskRow({ path, title, say, at }: ListedTask): string[] {
  const id = /_([0-9a-z]{6})\.md$/.exec(path)?.[1] ?? ''
  return ['', id, at ? sayMinute(at) : '', terminalText(title, 50), terminalText(say, 80)]
}
