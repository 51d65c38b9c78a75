import type { Command } from 'commander'
import { type Cli, example } from '../cli.ts'
import { examine, renderFindings } from '../doctor.ts'
import { EXIT } from '../exit-codes.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .addHelpText(
      'after',
      '\nLogs in everywhere for real; reads, sends and changes nothing. Exit code 1 when a check failed.',
    )
    .addHelpText('after', example('doctor', '--zone local doctor --json'))
    .action(async () => {
      const findings = await examine(await cli.home())
      const ok = findings.every((one) => one.result !== 'failed')
      cli.answer({ ok, findings }, renderFindings(findings))
      cli.setExitCode(ok ? EXIT.ok : EXIT.failed)
    })
}
