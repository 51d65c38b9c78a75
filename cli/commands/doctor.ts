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
      const failed = findings.filter((one) => one.result === 'failed').length
      const ok = failed === 0
      const end = ok ? 'All is well.' : `${failed} of ${findings.length} checks failed; what to do stands below each.`
      cli.answer({ ok, findings }, `${renderFindings(findings)}\n\n${end}`)
      cli.setExitCode(ok ? EXIT.ok : EXIT.failed)
    })
}
