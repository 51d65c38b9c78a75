import type { Command } from 'commander'
import { type LogLine, linesOf } from '#core/log-lines.ts'
import { lifeOf, sayEntry } from '#core/timeline.ts'
import { readLedgers } from '../audit.ts'
import { type Cli, example } from '../cli.ts'
import { gatherLogs } from '../gather-logs.ts'
import { renderTable, terminalText } from '../table.ts'
import { taskInLedgers } from '../task-in-ledgers.ts'

const MAX_SAID = 160

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task>', 'an id, its last six characters, or a file name')
    .option('--file <path...>', 'logs from elsewhere too, of the other zone say; - is standard input')
    .addHelpText(
      'after',
      '\nEvery service logs the task’s id with what it does for it. Read are the logs of this zone’s containers, of `countersign start`,\nand the files named; the ledgers of both zones are woven in. What a log says is a help for looking, no proof: that is `audit show`.',
    )
    .addHelpText('after', example('logs 7h3k9q', 'logs 7h3k9q --file cloud.log'))
    .action(async (reference: string, { file = [] }: { file?: string[] }) => {
      const home = await cli.home()
      const { entries } = await readLedgers(home)
      const task = await taskInLedgers(reference, entries, home)
      const { logs, missing } = await gatherLogs(home, file)
      const lines = [
        ...logs.flatMap(({ text }) => linesOf(task, text)),
        ...lifeOf(task, entries).map((entry): LogLine => {
          return { at: entry.at, from: `ledger ${entry.agent}`, level: '', message: sayEntry(entry), more: '' }
        }),
      ].toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
      const sources = logs.map(({ source }) => source)
      cli.answer(
        { task, sources, missing, lines },
        lines.length > 0 ? renderLines(lines) : 'Nothing is known of this task here.',
      )
      // Files from elsewhere are no logs of this zone: that those could not be read is said beside them.
      if (sources.every((source) => file.includes(source))) for (const one of missing) cli.say(one)
    })
}

function renderLines(lines: readonly LogLine[]): string {
  return renderTable(
    lines.map(({ at, from, level, message, more }) => [
      `${at.slice(0, 23).replace('T', ' ')}Z`,
      terminalText(from, 30),
      level === 'warn' || level === 'error' ? level : '',
      terminalText(more ? `${message} (${more})` : message, MAX_SAID),
    ]),
  )
}
