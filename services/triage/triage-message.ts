import { CountersignError } from '#core/errors.ts'
import type { TaskId } from '#core/ids.ts'
import { mailKey, mailTaskId, type SkipReason, skipReasons } from '#core/mail.ts'
import { maskSecrets } from '#core/mask-mail.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import type { IncomingMail, MailParser, RawMail } from '#core/ports/mail.ts'
import type { SeenMail } from '#core/ports/seen-mail.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { oneLine } from '#core/quote.ts'
import { renderTaskFile } from '#core/task-file.ts'
import { taskPath } from '#core/vault-path.ts'
import { type ArrivingTask, arrivingTask } from './arriving-task.ts'

export interface TriageDeps {
  readonly vault: VaultPort
  readonly ledger: LedgerPort
  readonly seen: SeenMail
  readonly parse: MailParser
  readonly clock: Clock
  /** The mailbox that is read, as it stands in task files. */
  readonly account: string
  /** Addresses the owner writes from, lower case: mail from them is never answered. */
  readonly ownAddresses: ReadonlySet<string>
}

export type TriageOutcome =
  | { readonly kind: 'task'; readonly taskId: TaskId; readonly fileName: string }
  | { readonly kind: 'skipped'; readonly reason: SkipReason | 'unwritable' }
  | { readonly kind: 'duplicate' }

/**
 * Turns one mail into one task file, or into a ledger entry that says why not. The order is file, ledger, memory: a
 * crash between them makes the whole be done again, which finds the file (wherever it has moved by then) by its name,
 * because the name derives from the mail. At worst the ledger names the same task twice.
 */
export async function triageMessage(raw: RawMail, deps: TriageDeps): Promise<TriageOutcome> {
  const mail = await deps.parse(raw)
  const key = mailKey(deps.account, mail)
  if (deps.seen.has(key)) return { kind: 'duplicate' }
  const [reason] = skipReasons(mail, deps.ownAddresses)
  if (reason) return skip(reason, mail, key, deps)

  const taskId = mailTaskId(key, mail.receivedAt)
  const arriving = writable(taskId, mail, deps)
  if (!arriving) return skip('unwritable', mail, key, deps)
  await store(arriving, deps.vault)
  await deps.ledger.append('task.created', {
    task: taskId,
    data: {
      domain: 'email',
      message: `sha256:${key}`,
      sender_domain: senderDomain(mail),
      attachments: arriving.attachments.length,
    },
  })
  deps.seen.add(key, { at: deps.clock.now(), taskId })
  return { kind: 'task', taskId, fileName: arriving.fileName }
}

/** undefined: this mail cannot be put into a task file, now or ever; trying again would block all mail behind it. */
function writable(taskId: TaskId, mail: IncomingMail, deps: TriageDeps): ArrivingTask | undefined {
  try {
    return arrivingTask(taskId, deps.account, mail)
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'ERR_TASK_FILE_INVALID') return undefined
    throw error
  }
}

async function store(arriving: ArrivingTask, vault: VaultPort): Promise<void> {
  for (const { path, bytes } of arriving.attachments) await vault.create(path, bytes)
  if (await vault.find(arriving.fileName)) return
  const path = taskPath({ kind: 'needs-action', domain: 'email' }, arriving.fileName)
  await vault.create(path, renderTaskFile(arriving.task))
}

async function skip(
  reason: SkipReason | 'unwritable',
  mail: IncomingMail,
  key: string,
  deps: TriageDeps,
): Promise<TriageOutcome> {
  await deps.ledger.append('mail.skipped', {
    data: { reason, message: `sha256:${key}`, sender_domain: senderDomain(mail) },
  })
  deps.seen.add(key, { at: deps.clock.now() })
  return { kind: 'skipped', reason }
}

function senderDomain(mail: IncomingMail): string {
  return oneLine(maskSecrets(mail.from?.address.split('@').at(-1) ?? '').text, 100)
}
