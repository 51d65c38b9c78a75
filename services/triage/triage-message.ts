import type { Decision } from '#core/classify-mail.ts'
import { CountersignError } from '#core/errors.ts'
import type { TaskId } from '#core/ids.ts'
import { mailKey, mailTaskId, type SkipReason, skipReasons, threadIdOf } from '#core/mail.ts'
import { maskSecrets } from '#core/mask-mail.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import type { IncomingMail, MailParser, RawMail } from '#core/ports/mail.ts'
import type { SeenMail } from '#core/ports/seen-mail.ts'
import { oneLine } from '#core/quote.ts'
import { type ArrivingTask, arrivingTask, type Sorted } from './arriving-task.ts'
import { type PlaceDeps, placeMessage, rememberVault } from './place-message.ts'

export interface TriageDeps extends PlaceDeps {
  readonly ledger: LedgerPort
  readonly seen: SeenMail
  readonly parse: MailParser
  /** Where the mail comes from, as it stands in task files. */
  readonly provider?: 'imap' | 'gmail'
  /** Addresses the owner writes from, lower case: mail from them is never answered. */
  readonly ownAddresses: ReadonlySet<string>
  /** Which kind of task a mail becomes, if any; without it only headers and sender are looked at. */
  readonly classify?: (mail: IncomingMail) => Promise<Verdict>
}

export type Verdict =
  | ({ readonly kind: 'task' } & Sorted)
  | { readonly kind: 'skip'; readonly reason: SkipReason; readonly classified?: Decision }

export type TriageOutcome =
  /** `joined`: it stands in the open task of its thread, or is on the way into it. */
  | { readonly kind: 'task' | 'joined'; readonly taskId: TaskId; readonly fileName: string }
  | { readonly kind: 'skipped'; readonly reason: SkipReason | 'unwritable' }
  | { readonly kind: 'duplicate' }

/**
 * Turns one mail into a task file, or puts it into the open task of its thread, or says in the ledger why neither. The
 * order is file, ledger, memory: a crash between them makes the whole be done again, which finds the mail where it was
 * put, because all that is written derives from it. At worst the ledger names the same mail twice.
 */
export async function triageMessage(raw: RawMail, deps: TriageDeps): Promise<TriageOutcome> {
  await rememberVault(deps)
  const mail = await deps.parse(raw)
  const key = mailKey(deps.account, mail)
  if (deps.seen.has(key)) return { kind: 'duplicate' }
  const verdict = deps.classify ? await deps.classify(mail) : byRules(mail, deps)
  if (verdict.kind === 'skip') return skip(verdict.reason, mail, key, deps, verdict.classified)

  const ids = [...mail.references.toReversed(), ...(mail.messageId ? [mail.messageId] : [])]
  const thread = deps.threads.threadOf(deps.account, ids) ?? threadIdOf(mail)
  const arriving = writable(mail, { ...verdict, key, thread }, deps)
  if (!arriving) return skip('unwritable', mail, key, deps)
  for (const { path, bytes } of arriving.attachments) await deps.vault.create(path, bytes)
  const placed = await placeMessage(arriving, thread, deps)
  await deps.ledger.append(placed.kind === 'task' ? 'task.created' : 'task.joined', {
    task: placed.taskId,
    data: {
      domain: verdict.domain,
      message: `sha256:${key}`,
      sender_domain: senderDomain(mail),
      attachments: arriving.attachments.length,
      ...(verdict.classified && { classified: { ...verdict.classified } }),
    },
  })
  deps.threads.remember(deps.account, thread, ids, placed.file, deps.clock.now())
  deps.seen.add(key, { at: deps.clock.now(), taskId: placed.taskId })
  return { kind: placed.kind, taskId: placed.taskId, fileName: placed.file.fileName }
}

function byRules(mail: IncomingMail, { ownAddresses }: TriageDeps): Verdict {
  const [reason] = skipReasons(mail, ownAddresses)
  return reason ? { kind: 'skip', reason } : { kind: 'task', domain: 'email', risk: [] }
}

/** undefined: this mail cannot be put into a task file, now or ever; trying again would block all mail behind it. */
function writable(
  mail: IncomingMail,
  sorted: Sorted & { readonly key: string; readonly thread: string },
  { account, provider }: TriageDeps,
): ArrivingTask | undefined {
  try {
    return arrivingTask(mail, { ...sorted, id: mailTaskId(sorted.key, mail.receivedAt), account, provider })
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'ERR_TASK_FILE_INVALID') return undefined
    throw error
  }
}

async function skip(
  reason: SkipReason | 'unwritable',
  mail: IncomingMail,
  key: string,
  deps: TriageDeps,
  classified?: Decision,
): Promise<TriageOutcome> {
  await deps.ledger.append('mail.skipped', {
    data: {
      ...{ reason, message: `sha256:${key}`, sender_domain: senderDomain(mail) },
      ...(classified && { classified: { ...classified } }),
    },
  })
  deps.seen.add(key, { at: deps.clock.now() })
  return { kind: 'skipped', reason }
}

function senderDomain(mail: IncomingMail): string {
  return oneLine(maskSecrets(mail.from?.address.split('@').at(-1) ?? '').text, 100)
}
