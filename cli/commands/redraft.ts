import type { Command } from 'commander'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { CountersignError } from '#core/errors.ts'
import { parseTaskFile, renderTaskFile, section, type TaskFile, withSection } from '#core/task-file.ts'
import { type Cli, example } from '../cli.ts'
import { type Decided, decideEach } from '../decide-each.ts'
import { type FoundTask, requireDecision } from '../tasks.ts'
import type { ZoneHome } from '../zone-home.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task...>', 'ids, their last six characters or the beginning of these, or file names')
    .option('--notes <text>', 'what should change; added to the notes in each file')
    .addHelpText(
      'after',
      `\nThe same as ticking Redraft in an editor.\n${example('redraft 7h3k9q --notes "Shorter, and offer Tuesday."')}`,
    )
    .action((references: string[], options: { notes?: string }) =>
      decideEach(references, cli, (found, home) => redraft(found, home, options.notes)),
    )
}

async function redraft(found: FoundTask, home: ZoneHome, notes: string | undefined): Promise<Decided> {
  requireDecision(home, found)
  if (found.place.kind !== 'pending')
    throw new CountersignError('ERR_TASK_STATE', `redraft ${found.path}: it does not wait in Pending_Approval/`)
  const vault = await openVault(home.vault)
  const text = (await vault.read(found.path)) ?? ''
  const parsed = parseTaskFile(text)
  if (!parsed.ok) throw new CountersignError('ERR_TASK_FILE_INVALID', `redraft ${found.path}: ${parsed.problem}`)
  const { task } = parsed
  if ((await vault.replaceIf(found.path, text, renderTaskFile(tickRedraft(task, notes)))) !== 'replaced')
    throw new CountersignError('ERR_TASK_STATE', `redraft ${found.path}: it is being changed; try again`)
  return { task: task.front.id, path: found.path, say: `Sent back to the drafter: ${found.path}.` }
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
