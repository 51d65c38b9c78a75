import type { Command } from 'commander'
import { type AuditReport, verifyLedgers } from '../audit.ts'
import { type Cli, example } from '../cli.ts'
import { EXIT } from '../exit-codes.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .command('verify')
    .description('find any edited, removed, reordered or cut entry in the ledgers of this vault')
    .addHelpText('after', '\nExit code 1 when something is wrong.')
    .addHelpText('after', example('audit verify', '--zone cloud audit verify --json'))
    .action(async () => {
      const report = await verifyLedgers(await cli.home())
      cli.answer(report, renderReport(report))
      cli.setExitCode(report.ok ? EXIT.ok : EXIT.failed)
    })
}

function renderReport({ ok, agents, faults }: AuditReport): string {
  const counts = agents.map((one) => `  ${one.agent}: ${one.entries} entries, ${one.checkpoints} signed checkpoints`)
  const found = faults.map(({ agent, file, line, problem }) =>
    file ? `  ${agent}, ${file} line ${line}: ${problem}` : `  ${agent}: ${problem}`,
  )
  return ok
    ? ['The ledgers are whole.', ...counts].join('\n')
    : ['The ledgers were changed.', ...found, ...counts].join('\n')
}
