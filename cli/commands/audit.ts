import { type Command, InvalidArgumentError } from 'commander'
import { CountersignError } from '#core/errors.ts'
import type { LedgerEntry } from '#core/ledger.ts'
import { entriesAsCsv, lifeOf, sayEntry, weave } from '#core/timeline.ts'
import { type AuditReport, readLedgers, verifyLedgers } from '../audit.ts'
import { type Cli, example } from '../cli.ts'
import { EXIT } from '../exit-codes.ts'
import { renderTable, terminalText } from '../table.ts'
import { taskInLedgers } from '../task-in-ledgers.ts'

const SINCE = ['--since <day>', 'from this day on (UTC, 2026-11-26)', dayOf] as const
const MAX_SAID = 160

export function configure(command: Command, cli: Cli): void {
  command
    .command('verify')
    .description('find any edited, removed, reordered or cut entry in the ledgers of this vault')
    .option(...SINCE)
    .addHelpText(
      'after',
      '\nExit code 1 when something is wrong. With --since, what came before that day is not looked at.',
    )
    .addHelpText(
      'after',
      example('audit verify', 'audit verify --since 2026-11-01', '--zone cloud audit verify --json'),
    )
    .action(async ({ since }: { since?: string }) => {
      const report = await verifyLedgers(await cli.home(), since)
      cli.answer(report, renderReport(report))
      cli.setExitCode(report.ok ? EXIT.ok : EXIT.failed)
    })
  command
    .command('show')
    .description('the whole life of one task, through the ledgers of all agents')
    .argument('<task>', 'an id, its last six characters, or a file name')
    .addHelpText('after', '\nExit code 1 when the ledgers do not verify.')
    .addHelpText('after', example('audit show 7h3k9q'))
    .action(async (reference: string) => {
      const home = await cli.home()
      const { report, entries } = await readLedgers(home)
      const task = await taskInLedgers(reference, entries, home)
      const life = lifeOf(task, entries)
      if (life.length === 0)
        throw new CountersignError('ERR_TASK_NOT_FOUND', `looked for task ${task} in the ledgers: they do not name it`)
      cli.answer({ task, ok: report.ok, entries: life }, [renderLife(life), ...doubts(report)].join('\n'))
      cli.setExitCode(report.ok ? EXIT.ok : EXIT.failed)
    })
  command
    .command('export')
    .description('all entries of all ledgers in the order of time, to standard output')
    .option(...SINCE)
    .option('--csv', 'for a spreadsheet; without it one JSON object a line')
    .addHelpText('after', '\nExit code 1 when the ledgers do not verify; they are written all the same.')
    .addHelpText('after', example('audit export --csv > ledger.csv', 'audit export --since 2026-11-01'))
    .action(async ({ since, csv }: { since?: string; csv?: true }) => {
      const { report, entries } = await readLedgers(await cli.home(), since)
      const woven = weave(entries).filter((entry) => entry.at.slice(0, 10) >= (since ?? ''))
      const lines = () => woven.map((entry) => `${JSON.stringify({ ...entry, said: sayEntry(entry) })}\n`).join('')
      cli.answer({ ok: report.ok, entries: woven }, (csv ? entriesAsCsv(woven) : lines()).replace(/\r?\n$/, ''))
      for (const line of doubts(report)) cli.say(line)
      cli.setExitCode(report.ok ? EXIT.ok : EXIT.failed)
    })
}

function dayOf(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))) return text
  throw new InvalidArgumentError('a day is written 2026-11-26.')
}

function renderLife(life: readonly LedgerEntry[]): string {
  return renderTable(
    life.map((entry) => [
      `${entry.at.slice(0, 19).replace('T', ' ')}Z`,
      terminalText(entry.agent, 30),
      terminalText(sayEntry(entry), MAX_SAID),
    ]),
  )
}

function doubts({ ok }: AuditReport): string[] {
  return ok
    ? []
    : ['The ledgers do not verify: do not believe this before you have seen what `countersign audit verify` says.']
}

function renderReport({ ok, agents, receipts, faults }: AuditReport): string {
  const counts = agents.map((one) => `  ${one.agent}: ${one.entries} entries, ${one.checkpoints} signed checkpoints`)
  counts.push(`  ${receipts} countersignatures of executed tasks`)
  const found = faults.map(({ agent, file, line, task, problem }) => {
    const where = [agent, file && (line > 0 ? `${file} line ${line}` : file), task && `task ${task}`]
    return `  ${terminalText(where.filter(Boolean).join(', '), MAX_SAID)}: ${terminalText(problem, MAX_SAID)}`
  })
  return ok
    ? ['The ledgers are whole.', ...counts].join('\n')
    : ['The ledgers do not verify.', ...found, ...counts].join('\n')
}
