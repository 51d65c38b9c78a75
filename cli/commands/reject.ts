import type { Command } from 'commander'
import { type Cli, example } from '../cli.ts'
import { findTask, moveAsPerson } from '../tasks.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task>', 'an id, its last six characters, or a file name')
    .addHelpText('after', `\nThe same as moving its file to Rejected/ in an editor.\n${example('reject 7h3k9q')}`)
    .action(async (reference: string) => {
      const home = await cli.home()
      const found = await findTask(home, reference)
      const path = await moveAsPerson(home, found, { kind: 'rejected' })
      cli.answer({ task: found.task?.front.id ?? null, path }, `Rejected: ${path}. Nothing is sent.`)
    })
}
