import type { Command } from 'commander'
import { briefOf, readAction } from '#core/action.ts'
import { CountersignError } from '#core/errors.ts'
import { type Cli, example, PROGRAM } from '../cli.ts'
import { type Decided, decideEach } from '../decide-each.ts'
import { terminalText } from '../table.ts'
import { type FoundTask, moveAsPerson } from '../tasks.ts'
import type { ZoneHome } from '../zone-home.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task...>', 'ids, their last six characters or the beginning of these, or file names')
    .addHelpText(
      'after',
      `\nThe same as moving each file to Approved/ in an editor.\n${example('approve 7h3k9q', 'approve 7h3k9q 2m4n6p --json')}`,
    )
    .action((references: string[]) => decideEach(references, cli, approve, sayUndo))
}

async function approve(found: FoundTask, home: ZoneHome): Promise<Decided> {
  const verdict = found.task ? readAction(found.task) : undefined
  if (found.place.kind === 'pending' && !verdict?.ok) {
    const problem = verdict?.problem ?? found.problem
    throw new CountersignError('ERR_TASK_FILE_INVALID', `approving ${found.path}: ${problem}`)
  }
  const path = await moveAsPerson(home, found, { kind: 'approved' })
  const title = terminalText(found.task?.front.title ?? '')
  const what = verdict?.ok ? `“${title}”, ${terminalText(briefOf(verdict.action))}` : path
  return { task: found.task?.front.id ?? null, path, say: `Approved: ${what}.` }
}

function sayUndo(references: readonly string[]): string {
  return `To take it back while the undo window is open: ${PROGRAM} undo ${references.length === 1 ? references[0] : '<task>'}`
}
