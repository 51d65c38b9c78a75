import type { Command } from 'commander'
import { briefOf, readAction } from '#core/action.ts'
import { CountersignError } from '#core/errors.ts'
import { type Cli, example, PROGRAM } from '../cli.ts'
import { terminalText } from '../table.ts'
import { findTask, moveAsPerson } from '../tasks.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task>', 'an id, its last six characters, or a file name')
    .addHelpText('after', `\nThe same as moving its file to Approved/ in an editor.\n${example('approve 7h3k9q')}`)
    .action(async (reference: string) => {
      const home = await cli.home()
      const found = await findTask(home, reference)
      const verdict = found.task ? readAction(found.task) : undefined
      if (found.place.kind === 'pending' && !verdict?.ok) {
        const problem = verdict?.problem ?? found.problem
        throw new CountersignError('ERR_TASK_FILE_INVALID', `approving ${found.path}: ${problem}`)
      }
      const path = await moveAsPerson(home, found, { kind: 'approved' })
      const what =
        verdict?.ok && found.task
          ? `“${terminalText(found.task.front.title)}”, ${terminalText(briefOf(verdict.action))}`
          : path
      cli.answer(
        { task: found.task?.front.id, path },
        `Approved: ${what}.\nTo take it back while the undo window is open: ${PROGRAM} undo ${reference}`,
      )
    })
}
