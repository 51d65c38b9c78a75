import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { type Attachment, attachmentsSchema, describeFile, shownSize } from '#core/attachment.ts'
import { CountersignError } from '#core/errors.ts'
import { MAX_ATTACHMENT_BYTES } from '#core/path-ownership.ts'
import { type TaskFile, withFront } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import { isLocalOnly } from '#core/zone-policy.ts'
import { type Cli, example } from '../cli.ts'
import { terminalText } from '../table.ts'
import { findTask, requireDecision, rewriteTask } from '../tasks.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task>', 'an id, its last six characters, or a file name')
    .argument('<file>', 'the file; it is copied into Attachments/, under its content')
    .option('--name <text>', 'how the recipient sees it called')
    .addHelpText(
      'after',
      `\nThe card is shown anew, with the file in it, and waits for your approval. The copy is part of the vault and travels to
the hub and to the cloud zone like every other file of it.\n${example('attach 7h3k9q offer.pdf')}`,
    )
    .action(async (reference: string, file: string, options: { name?: string }) => {
      const home = await cli.home()
      const found = await findTask(home, reference)
      requireDecision(home, found)
      if (found.place.kind !== 'pending')
        throw new CountersignError('ERR_TASK_STATE', `attach to ${found.path}: it does not wait in Pending_Approval/`)
      if (!found.task) throw new CountersignError('ERR_TASK_FILE_INVALID', `attach to ${found.path}: ${found.problem}`)
      if (isLocalOnly(found.task.front.domain))
        throw new CountersignError('ERR_ZONE_FORBIDDEN', `attach to ${found.path}: it stays here, and files do not`)
      const bytes = await readWhole(file)
      const attachment = describeFile(options.name ?? basename(file).normalize('NFC'), bytes)
      const vault = await openVault(home.vault)
      const changed = withAttachment(found.task, attachment)
      await vault.create(vaultPath(attachment.path), bytes)
      // What somebody saved since the task was read stays.
      if (!(await rewriteTask(vault, found.path, found.task, changed)))
        throw new CountersignError('ERR_TASK_STATE', `attach to ${found.path}: it is being changed; try again`)
      cli.answer(
        { task: found.task.front.id, path: found.path, attachment },
        `Attached ${terminalText(attachment.name)} (${shownSize(bytes.length)}). The card shows it; approve it there.`,
      )
    })
}

async function readWhole(file: string): Promise<Buffer> {
  const refuse = (why: string, cause?: unknown) =>
    new CountersignError('ERR_USAGE', `attaching ${file}: ${why}`, { cause })
  const stats = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw refuse(error.code ?? 'unreadable', error)
  })
  if (!stats.isFile()) throw refuse('it is no file')
  if (stats.size > MAX_ATTACHMENT_BYTES)
    throw refuse(`${shownSize(stats.size)}, at most ${shownSize(MAX_ATTACHMENT_BYTES)} are possible`)
  return readFile(file)
}

function withAttachment(task: TaskFile, added: Attachment): TaskFile {
  const { action } = task.front
  if (action?.tool !== 'email.send_email')
    throw new CountersignError('ERR_TASK_STATE', `attach to ${task.front.id}: only a drafted mail takes files`)
  const standing = Array.isArray(action.attachments) ? action.attachments : []
  const parsed = attachmentsSchema.safeParse([...standing, added])
  if (!parsed.success)
    throw new CountersignError('ERR_USAGE', `attaching ${added.name}: ${parsed.error.issues[0]?.message}`)
  if (parsed.data.slice(0, -1).some((one) => one.name === added.name))
    throw new CountersignError('ERR_USAGE', `attaching ${added.name}: the mail has a file of that name; say --name`)
  return withFront(task, { action: { ...action, attachments: parsed.data } })
}
