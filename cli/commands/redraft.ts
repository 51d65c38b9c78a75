import type { Command } from 'commander'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { CountersignError } from '#core/errors.ts'
import { renderTaskFile, section, type TaskFile, withSection } from '#core/task-file.ts'
import { type Cli, example } from '../cli.ts'
import { findTask, requireDecision } from '../tasks.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task>', 'an id, its last six characters, or a file name')
    .option('--notes <text>', 'what should change; added to the notes in the file')
    .addHelpText(
      'after',
      `\nThe same as ticking Redraft in an editor.\n${example('redraft 7h3k9q --notes "Shorter, and offer Tuesday."')}`,
    )
    .action(async (reference: string, options: { notes?: string }) => {
      const home = await cli.home()
      const found = await findTask(home, reference)
      requireDecision(home, found)
      if (found.place.kind !== 'pending')
        throw new CountersignError('ERR_TASK_STATE', `redraft ${found.path}: it does not wait in Pending_Approval/`)
      if (!found.task) throw new CountersignError('ERR_TASK_FILE_INVALID', `redraft ${found.path}: ${found.problem}`)
      const vault = await openVault(home.vault)
      await vault.replace(found.path, renderTaskFile(tickRedraft(found.task, options.notes)))
      cli.answer({ task: found.task.front.id, path: found.path }, `Sent back to the drafter: ${found.path}.`)
    })
}

/** Exactly what a person does in an editor: the notes, and the box. Throws ERR_TASK_STATE before the card was rendered. */
function tickRedraft(task: TaskFile, notes: string | undefined): TaskFile {
  const decision = section(task, 'decision') ?? ''
  const ticked = decision.replace(/^- \[ \] Redraft\b/m, '- [x] Redraft')
  if (ticked === decision)
    throw new CountersignError('ERR_TASK_STATE', `redraft ${task.front.id}: there is no open Redraft box in the file`)
  const withNotes = notes
    ? withSection(task, 'notes', [section(task, 'notes'), notes].filter(Boolean).join('\n'))
    : task
  return withSection(withNotes, 'decision', ticked)
}
