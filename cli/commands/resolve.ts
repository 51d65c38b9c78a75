import type { Command } from 'commander'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { CountersignError } from '#core/errors.ts'
import { withOutcomeTick } from '#core/problem-card.ts'
import { type Cli, example } from '../cli.ts'
import { findTask, requireDecision } from '../tasks.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task>', 'an id, its last six characters, or a file name')
    .option('--done', 'you found out that it was done: the task is finished')
    .option('--not-done', 'you found out that it was not done: the task comes before you again')
    .addHelpText(
      'after',
      '\nSettles a task of which nobody could tell whether it was done. The same as ticking the box in its file.',
    )
    .addHelpText('after', example('resolve 7h3k9q --not-done'))
    .action(async (reference: string, options: { done?: boolean; notDone?: boolean }) => {
      if (options.done === options.notDone)
        throw new CountersignError('ERR_USAGE', `resolve ${reference}: say either --done or --not-done`)
      const word = options.done ? 'done' : 'not-done'
      const home = await cli.home()
      const found = await findTask(home, reference)
      requireDecision(home, found)
      const vault = await openVault(home.vault)
      const text = (await vault.read(found.path)) ?? ''
      const ticked = found.place.kind === 'pending' ? withOutcomeTick(text, word) : undefined
      if (ticked === undefined)
        throw new CountersignError('ERR_TASK_STATE', `resolve ${found.path}: its file does not ask whether it was done`)
      if ((await vault.replaceIf(found.path, text, ticked)) !== 'replaced')
        throw new CountersignError('ERR_TASK_STATE', `resolve ${found.path}: the file changed meanwhile; try again`)
      const told = { task: found.task?.front.id, path: found.path, word }
      cli.answer(told, word === 'done' ? 'Told: it was done.' : 'Told: it was not done. Its card comes again.')
    })
}
