import type { Command } from 'commander'
import { type Cli, example } from '../cli.ts'
import { giveBack } from '../give-back.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task>', 'an id, its last six characters, or a file name')
    .addHelpText(
      'after',
      '\nThe task goes back to Needs_Action/, for any agent that may claim it; this one takes it up again only when asked to.\nIn the local zone also what an agent of the cloud holds. A claim that has not been made yet is taken back.',
    )
    .addHelpText('after', example('release 7h3k9q'))
    .action((reference: string) => giveBack(reference, undefined, cli))
}
