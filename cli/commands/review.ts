import type { Command } from 'commander'
import { askForReview } from '../ask-for-review.ts'
import { type Cli, example } from '../cli.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .addHelpText(
      'after',
      '\nThe executor writes Review.md into the vault: every draft that waits, in full, with a box for each. The same as\nsaving an empty note of that name. Exit code 5 when the executor does not run; it writes the sheet once it does.',
    )
    .addHelpText('after', example('review'))
    .action(async () => {
      const { path, drafts } = await askForReview(await cli.home())
      const what = drafts.length === 1 ? 'One draft' : `${drafts.length} drafts`
      cli.answer({ path, drafts }, `${what} in ${path}: open it in your editor, tick Approve and save.`)
    })
}
