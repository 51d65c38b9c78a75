import type { Command } from 'commander'
import { fileNameOf, taskPath } from '#core/vault-path.ts'
import { askAbout, exitCodeOfAnswer, readable, sayAnswer } from '../ask-sync.ts'
import { type Cli, example } from '../cli.ts'
import { findTask } from '../tasks.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task>', 'an id, its last six characters, or a file name')
    .addHelpText(
      'after',
      '\nThe task is this agent’s once the command ends with 0, and not before. 4: somebody else was faster, or it may not be\nclaimed here; 6: the hub cannot be asked, and it is claimed as soon as it can.',
    )
    .addHelpText('after', example('claim 7h3k9q', '--json claim 7h3k9q'))
    .action(async (reference: string) => {
      const home = await cli.home()
      const found = readable(await findTask(home, reference))
      const answer = await askAbout(home, cli.env, found, { kind: 'claim' })
      const task = found.task.front.id
      const short = task.slice(-6).toLowerCase()
      const path = taskPath({ kind: 'in-progress', agent: home.agent }, fileNameOf(found.path))
      const text =
        answer.kind === 'landed'
          ? `Claimed: ${path}, under generation ${answer.generation}.\nBefore each step that costs: countersign check-claimed ${short} --generation ${answer.generation}`
          : sayAnswer(answer, home.agent)
      const { kind: outcome, ...more } = answer
      cli.answer({ task, outcome, ...more, ...(answer.kind === 'landed' && { path }) }, text)
      cli.setExitCode(exitCodeOfAnswer(answer))
    })
}
