import { readConflictMark } from './conflict.ts'
import { plainMarkdown } from './quote.ts'

/** A task as the dashboard lists it. `title` and `say` may be a stranger's words; `at` is ISO 8601 UTC. */
export interface DashboardTask {
  readonly path: string
  readonly title: string
  readonly say: string
  readonly at?: string | undefined
}

export interface DashboardFacts {
  /** Drafts to decide on. */
  readonly waiting: readonly DashboardTask[]
  /** Approved and on the way, or kept back, and why. */
  readonly held: readonly DashboardTask[]
  /** Newest first. */
  readonly done: readonly DashboardTask[]
  /** Notes from the agents, newest first. */
  readonly updates: readonly { readonly agent: string; readonly text: string }[]
  /** Paths of conflict copies. */
  readonly conflicts: readonly string[]
  /** When each other agent was last heard of, ISO 8601 UTC; null: never. */
  readonly signs: readonly { readonly agent: string; readonly at: string | null }[]
  readonly isHalted: boolean
  /** One sentence each; empty when all is well. */
  readonly problems: readonly string[]
  readonly counts: {
    readonly needsAction: number
    readonly inProgress: number
    readonly waiting: number
    readonly doneThisMonth: number
  }
}

const MAX_LISTED = 50

/** The text of Dashboard.md. The same facts give the same text, so that it is written only when something changed. */
export function renderDashboard(facts: DashboardFacts): string {
  const { counts } = facts
  const waiting = new Set(facts.waiting.map((task) => nameOf(task.path)))
  const updates = facts.updates.filter((update) => stillHolds(update.text, waiting))
  const blocks = [
    '# Dashboard',
    '*Written by Countersign; what you change here is replaced. Times are UTC.*',
    ...(facts.isHalted
      ? ['> **Halted.** `HALT.md` stands in the vault: nothing is executed until you remove it.']
      : []),
    `## Waiting for you (${facts.waiting.length})`,
    list(facts.waiting.map(taskLine), 'Nothing waits for you.'),
    ...(facts.held.length > 0 ? ['## On the way', list(facts.held.map(taskLine), '')] : []),
    ...(facts.conflicts.length > 0 ? ['## Two versions', list(conflictLines(facts.conflicts), '')] : []),
    '## Done',
    list(facts.done.map(taskLine), 'Nothing yet this month.'),
    ...(updates.length > 0 ? ['## Notes from the agents', list(updates.map(updateLine), '')] : []),
    '## Health',
    list(
      facts.problems.map((problem) => `- ⚠ ${plainMarkdown(problem, 400)}`),
      'All is well.',
    ),
    '## Numbers',
    [
      '| | |',
      '|---|---|',
      `| Not yet taken up | ${counts.needsAction} |`,
      `| Being worked on | ${counts.inProgress} |`,
      `| Waiting for you | ${counts.waiting} |`,
      `| Done this month | ${counts.doneThisMonth} |`,
      ...facts.signs.map(
        ({ agent, at }) => `| Last heard of ${plainMarkdown(agent, 40)} | ${at ? sayMinute(at) : 'never'} |`,
      ),
    ].join('\n'),
  ]
  return `${blocks.join('\n\n')}\n`
}

function list(lines: readonly string[], whenEmpty: string): string {
  if (lines.length === 0) return whenEmpty
  const more = lines.length - MAX_LISTED
  return [...lines.slice(0, MAX_LISTED), ...(more > 0 ? [`- … and ${more} more`] : [])].join('\n')
}

function taskLine(task: DashboardTask): string {
  const when = task.at ? ` · ${sayMinute(task.at)}` : ''
  const title = plainMarkdown(task.title, 120) || 'untitled'
  return `- [${title}](${encodeURI(task.path)}) · ${plainMarkdown(task.say, 400)}${when}`
}

function conflictLines(paths: readonly string[]): string[] {
  return paths.map((path) => {
    const mark = readConflictMark(path)
    const whose = mark ? `what ${mark.agent} wrote ${sayMinute(mark.at)}` : 'the other version'
    return `- [${plainMarkdown(nameOf(path), 250)}](${encodeURI(path)}) · ${whose}, in a file that was changed in two places. Take over what you need and delete it, or \`countersign sync conflicts\`.`
  })
}

/** A note that says that something waits for the person is over once it does not. */
function stillHolds(note: string, waiting: ReadonlySet<string>): boolean {
  const links = [...note.matchAll(/\[\[Pending_Approval\/[^\]|\n]*/g)]
  return links.length === 0 || links.some(([link]) => waiting.has(nameOf(link)))
}

/** Without its zone: the dashboard says once that times are UTC. */
function sayMinute(at: string): string {
  return at.slice(0, 16).replace('T', ' ')
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** A note is another zone's text: its links become their labels, everything else plain words. */
function updateLine(update: { agent: string; text: string }): string {
  const words = update.text.replace(/\[\[[^\]|\n]*\|?([^\]\n]*)\]\]/g, '$1')
  return `- ${plainMarkdown(update.agent, 40)}: ${plainMarkdown(words, 300)}`
}
