import type { Command } from 'commander'
import { type Cli, example } from '../cli.ts'
import { decideEach } from '../decide-each.ts'
import { moveAsPerson } from '../tasks.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task...>', 'ids, their last six characters or the beginning of these, or file names')
    .addHelpText(
      'after',
      `\nThe same as moving each file to Rejected/ in an editor.\n${example('reject 7h3k9q', 'reject 7h3k9q 2m4n6p')}`,
    )
    .action((references: string[]) =>
      decideEach(references, cli, async (found, home) => {
        const path = await moveAsPerson(home, found, { kind: 'rejected' })
        return { task: found.task?.front.id ?? null, path, say: `Rejected: ${path}. Nothing is sent.` }
      }),
    )
}
