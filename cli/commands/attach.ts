import { basename } from 'node:path'
import type { Command } from 'commander'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { readAction } from '#core/action.ts'
import { type Attachment, attachmentsSchema, describeFile, shownSize } from '#core/attachment.ts'
import { CountersignError } from '#core/errors.ts'
import { type DescribedImage, describeImage } from '#core/social-image.ts'
import { type TaskFile, withFront } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import { isLocalOnly } from '#core/zone-policy.ts'
import { type Cli, example } from '../cli.ts'
import { readWhole } from '../read-whole.ts'
import { terminalText } from '../table.ts'
import { findTask, requireDecision, rewriteTask } from '../tasks.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task>', 'an id, its last six characters, or a file name')
    .argument('<file>', 'the file; it is copied into Attachments/, under its content')
    .option('--name <text>', 'how the recipient sees it called')
    .option('--alt <text>', 'for a post, needed there: what the image shows')
    .addHelpText(
      'after',
      `\nThe card is shown anew, with the file in it, and waits for your approval. The copy is part of the vault and travels to
the hub and to the cloud zone like every other file of it.\n${example('attach 7h3k9q offer.pdf')}`,
    )
    .action(async (reference: string, file: string, options: { name?: string; alt?: string }) => {
      const home = await cli.home()
      const found = await findTask(home, reference)
      requireDecision(home, found)
      if (found.place.kind !== 'pending')
        throw new CountersignError('ERR_TASK_STATE', `attach to ${found.path}: it does not wait in Pending_Approval/`)
      if (!found.task) throw new CountersignError('ERR_TASK_FILE_INVALID', `attach to ${found.path}: ${found.problem}`)
      if (isLocalOnly(found.task.front.domain))
        throw new CountersignError('ERR_ZONE_FORBIDDEN', `attach to ${found.path}: it stays here, and files do not`)
      const bytes = await readWhole(file)
      const name = options.name ?? basename(file).normalize('NFC')
      const vault = await openVault(home.vault)
      const { changed, attachment } =
        found.task.front.domain === 'social'
          ? withImage(found.task, describeImage(name, bytes, options.alt ?? ''))
          : withAttachment(found.task, describeFile(name, bytes))
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

interface Changed {
  readonly changed: TaskFile
  readonly attachment: Attachment
}

function withImage(task: TaskFile, added: DescribedImage): Changed {
  const { action } = task.front
  if (!action?.tool.startsWith('social.'))
    throw new CountersignError('ERR_TASK_STATE', `attach to ${task.front.id}: its post is not drafted yet`)
  const images = [...(Array.isArray(action.images) ? action.images : []), added]
  const changed = withFront(task, { action: { ...action, images } })
  const verdict = readAction(changed)
  if (verdict.ok) return { changed, attachment: added }
  throw new CountersignError('ERR_USAGE', `attaching ${added.name}: ${verdict.problem}`)
}

function withAttachment(task: TaskFile, added: Attachment): Changed {
  const { action } = task.front
  if (action?.tool !== 'email.send_email')
    throw new CountersignError('ERR_TASK_STATE', `attach to ${task.front.id}: only a drafted mail or post takes files`)
  const standing = Array.isArray(action.attachments) ? action.attachments : []
  const parsed = attachmentsSchema.safeParse([...standing, added])
  if (!parsed.success)
    throw new CountersignError('ERR_USAGE', `attaching ${added.name}: ${parsed.error.issues[0]?.message}`)
  if (parsed.data.slice(0, -1).some((one) => one.name === added.name))
    throw new CountersignError('ERR_USAGE', `attaching ${added.name}: the mail has a file of that name; say --name`)
  return { changed: withFront(task, { action: { ...action, attachments: parsed.data } }), attachment: added }
}
