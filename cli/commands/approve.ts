import type { Command } from 'commander'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { briefOf, readAction } from '#core/action.ts'
import { asksForCode, confirmationCode, isRightCode, typedCode, withTypedCode } from '#core/confirmation.ts'
import { CountersignError } from '#core/errors.ts'
import type { TaskFile } from '#core/task-file.ts'
import { type Cli, example, PROGRAM } from '../cli.ts'
import { type Decided, decideEach } from '../decide-each.ts'
import { terminalText } from '../table.ts'
import { type FoundTask, moveAsPerson, requireDecision, rewriteTask } from '../tasks.ts'
import type { ZoneHome } from '../zone-home.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task...>', 'ids, their last six characters or the beginning of these, or file names')
    .option('--code <code>', 'what the card of a high-risk task shows; for one task at a time')
    .addHelpText(
      'after',
      `\nThe same as moving each file to Approved/ in an editor.\n${example('approve 7h3k9q', 'approve 7h3k9q --code K7MXA', 'approve 7h3k9q 2m4n6p --json')}`,
    )
    .action((references: string[], { code }: { code?: string }) => {
      if (code !== undefined && references.length > 1)
        throw new CountersignError('ERR_USAGE', '--code: each card has a code of its own; approve one task at a time')
      return decideEach(references, cli, (found, home) => approve(found, home, code), sayUndo)
    })
}

async function approve(found: FoundTask, home: ZoneHome, code: string | undefined): Promise<Decided> {
  const verdict = found.task ? readAction(found.task) : undefined
  if (found.place.kind === 'pending' && !verdict?.ok) {
    const problem = verdict?.problem ?? found.problem
    throw new CountersignError('ERR_TASK_FILE_INVALID', `approving ${found.path}: ${problem}`)
  }
  if (found.place.kind === 'pending' && found.task && asksForCode(found.task))
    await confirm(found, found.task, home, code)
  const path = await moveAsPerson(home, found, { kind: 'approved' })
  const title = terminalText(found.task?.front.title ?? '')
  const what = verdict?.ok ? `“${title}”, ${terminalText(briefOf(verdict.action))}` : path
  return { task: found.task?.front.id ?? null, path, say: `Approved: ${what}.` }
}

/** The code must stand in the file before that is moved. Told here at once; what counts is what the executor finds. */
async function confirm(found: FoundTask, task: TaskFile, home: ZoneHome, code: string | undefined): Promise<void> {
  const { digest, at } = task.front.presented ?? { digest: '', at: '' }
  const typed = code ?? typedCode(task)
  if (typed === undefined)
    throw new CountersignError('ERR_CODE_NEEDED', `approving ${found.path}: it is high-risk, and no code was given`)
  if (!isRightCode(typed, confirmationCode({ digest, at: Date.parse(at) })))
    throw new CountersignError('ERR_CODE_NEEDED', `approving ${found.path}: the code is not that of its card`)
  const confirmed = withTypedCode(task, typed)
  if (!confirmed) return
  requireDecision(home, found)
  const vault = await openVault(home.vault)
  if (!(await rewriteTask(vault, found.path, task, confirmed)))
    throw new CountersignError('ERR_TASK_STATE', `approving ${found.path}: the file changed meanwhile; try again`)
}

function sayUndo(references: readonly string[]): string {
  return `To take it back while the undo window is open: ${PROGRAM} undo ${references.length === 1 ? references[0] : '<task>'}`
}
