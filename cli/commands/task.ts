import type { Command } from 'commander'
import { warningsIn } from '#core/card.ts'
import { asksForCode } from '#core/confirmation.ts'
import { handedOf, sayHanded } from '#core/hand-over.ts'
import { renderTaskFile, type TaskFile } from '#core/task-file.ts'
import { folderOf } from '#core/vault-path.ts'
import { type Cli, example } from '../cli.ts'
import { renderTable, terminalBlock, terminalText } from '../table.ts'
import { type FoundTask, findTask, listTasks } from '../tasks.ts'
import { configure as configureTransfer } from './transfer.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .command('list')
    .description('every open task and where it stands')
    .option('--all', 'finished ones too')
    .addHelpText('after', example('task list', 'task list --all --json'))
    .action(async (options: { all?: boolean }) => {
      const tasks = await listTasks(await cli.home(), { withDone: options.all === true })
      cli.answer(tasks.map(summaryOf), tasks.length === 0 ? 'No open tasks.' : renderList(tasks))
    })
  command
    .command('show')
    .description('one task: its file as it stands')
    .argument('<task>', 'an id, its last six characters, or a file name')
    .addHelpText('after', example('task show 7h3k9q'))
    .action(async (reference: string) => {
      const found = await findTask(await cli.home(), reference)
      const { task } = found
      const text = task ? terminalBlock(renderTaskFile(task)) : `The file cannot be read as a task: ${found.problem}`
      cli.answer(
        { ...summaryOf(found), ...(task ? { ...judgedOf(task), front: task.front, body: task.body } : {}) },
        `${found.path}${statusOf(found)}\n\n${text}${task && asksForCode(task) ? '\n\nHigh-risk: to approve it, type the code of its card.' : ''}`,
      )
    })
  configureTransfer(
    command
      .command('transfer')
      .description(
        'hand a task to another agent or zone: it goes back to Needs_Action/, and only that agent may claim it',
      ),
    cli,
  )
}

/** Whose turn it is with a task that was handed over. */
function statusOf({ task, place }: FoundTask): string {
  const handed = task && place.kind === 'needs-action' ? sayHanded(task) : undefined
  return handed === undefined ? '' : `\n${terminalText(handed, 400)}`
}

/** As its card says it. */
function judgedOf(task: TaskFile) {
  return { warnings: warningsIn(task), needs_code: asksForCode(task) }
}

function summaryOf({ path, place, task, problem }: FoundTask) {
  const front = task?.front
  return {
    id: front?.id ?? null,
    title: front?.title ?? null,
    state: folderOf(place),
    path,
    created: front?.created ?? null,
    risk: front?.risk ?? [],
    ...(task && { for: front?.for ?? null, handed: handedOf(task) ?? null }),
    ...(problem ? { problem } : {}),
  }
}

function renderList(tasks: readonly FoundTask[]): string {
  const rows = tasks.map((found) => {
    const { state, title, created, risk, problem } = summaryOf(found)
    const handed = found.task && found.place.kind === 'needs-action' ? sayHanded(found.task) : undefined
    const id = found.task?.front.id.slice(-6).toLowerCase() ?? '?'
    const note = problem
      ? `broken: ${terminalText(problem, 40)}`
      : [...(handed ? [terminalText(handed, 60)] : []), ...risk.map((flag) => `⚠ ${terminalText(flag, 20)}`)].join(' ')
    return [id, state, created?.slice(0, 16).replace('T', ' ') ?? '', terminalText(title ?? found.path, 50), note]
  })
  return renderTable([['ID', 'WHERE', 'CREATED', 'TITLE', ''], ...rows])
}
