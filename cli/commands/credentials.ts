import type { Command } from 'commander'
import { type Cli, example } from '../cli.ts'
import { EXIT } from '../exit-codes.ts'
import { listCredentials, renderCredentials } from '../list-credentials.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .option('--no-ask', 'do not ask Google and Odoo what the cloud’s token and key may do')
    .addHelpText(
      'after',
      `\nRun on the machine itself, outside its containers. Nothing of their content is shown. Exit code 1 when one has ended, can be opened by others,
may do more than it should, or belongs to the other zone.`,
    )
    .addHelpText('after', example('credentials', '--zone cloud credentials --json'))
    .action(async ({ ask }: { ask: boolean }) => {
      const list = await listCredentials(await cli.home(), ask, Date.now())
      cli.answer(list, renderCredentials(list))
      cli.setExitCode(list.ok ? EXIT.ok : EXIT.failed)
    })
}
