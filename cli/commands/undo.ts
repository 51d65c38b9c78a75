import type { Command } from 'commander'
import { type Cli, example } from '../cli.ts'
import { type TakenBack, takeBack } from '../take-back.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task>', 'an id, its last six characters, or a file name')
    .addHelpText(
      'after',
      '\nThe same as moving its file back to Pending_Approval/ in an editor. Exit code 4 when it was too late.',
    )
    .addHelpText('after', example('undo 7h3k9q'))
    .action(async (reference: string) => {
      const taken = await takeBack(await cli.home(), reference)
      cli.answer(taken, say(taken))
    })
}

function say({ path, known }: TakenBack): string {
  if (known === 'undone') return `Taken back: nothing was done. It stands in ${path}.`
  return `It stands in ${path}, from where nothing is done. The executor has not answered: is it running? If it had begun, the file will say so.`
}
