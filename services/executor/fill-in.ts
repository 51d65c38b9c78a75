import { type Action, actionDigest, readAction } from '#core/action.ts'
import { documentName, fillMail, type PostedInvoice } from '#core/announced-invoice.ts'
import { type Attachment, describeFile } from '#core/attachment.ts'
import { CountersignError } from '#core/errors.ts'
import { isDone } from '#core/execution.ts'
import type { TaskId } from '#core/ids.ts'
import { MAX_ATTACHMENT_BYTES } from '#core/path-ownership.ts'
import type { TaskFile } from '#core/task-file.ts'
import { parseVaultPath } from '#core/vault-path.ts'
import type { ExecutorDeps } from './deps.ts'
import { finder } from './predecessors.ts'

/** An approved action as it is done. `filled`: by what it differs from the one that was approved. */
export interface Ready {
  readonly action: Action
  readonly digest: string
  readonly filled?: { readonly approved: string; readonly from: string }
}

export type FillOutcome =
  | ({ readonly kind: 'ready' } & Ready)
  /** Back to the person. */
  | { readonly kind: 'stale'; readonly rule: string; readonly say: string }

/**
 * Puts into an approved mail what it left open: the number and the document of the invoice that was posted before it. The
 * same for the same outcome, so that a start after a crash makes the same mail. Any other action is done as it stands.
 */
export async function fillIn(
  { task, action, digest }: { readonly task: TaskFile; readonly action: Action; readonly digest: string },
  deps: Pick<ExecutorDeps, 'vault' | 'journal'>,
): Promise<FillOutcome> {
  if (action.tool !== 'email.send_email' || action.invoice === undefined) return { kind: 'ready', action, digest }
  const from = action.invoice.task
  if (!task.front.after?.includes(from)) return { kind: 'stale', ...NOT_AWAITED }
  const posted = await postedBy(from as TaskId, deps)
  if ('rule' in posted) return { kind: 'stale', ...posted }
  const filled = fillMail(action, posted)
  if (!filled.ok) return { kind: 'stale', rule: filled.rule, say: filled.say }
  return {
    kind: 'ready',
    action: filled.action,
    digest: actionDigest(filled.action),
    filled: { approved: digest, from },
  }
}

const NOT_AWAITED = {
  rule: 'invoice-not-awaited',
  say: 'The mail speaks of an invoice and does not wait until it is posted. Put its task under "after:", or take "invoice" out of the action to send the mail without it.',
}

/** What the journal knows of it, and its file in Done/, where nobody but this zone writes; both must be of one action. */
async function postedBy(
  id: TaskId,
  { vault, journal }: Pick<ExecutorDeps, 'vault' | 'journal'>,
): Promise<PostedInvoice | { rule: string; say: string }> {
  const found = await finder(vault)(id)
  const read = found && readAction(found.task)
  const lost = {
    rule: 'invoice-not-found',
    say: `The file of the task that posted the invoice (${id}) is not in Done/ as it was done. Write the number into the text yourself, and take "invoice" out of the action.`,
  }
  if (!found?.path.startsWith('Done/') || !isDone(found.task) || !read?.ok) return lost
  const { action } = read
  const intent = journal.lastIntentOf(id)
  if (action.tool !== 'odoo.post_invoice' || (intent && intent.digest !== actionDigest(action))) return lost
  // A journal that was made anew knows nothing of it.
  const { number, document: path } = intent?.facts ?? (found.task.front.outcome as Record<string, unknown>)
  const document = typeof path === 'string' ? await fileAt(path, number, vault) : undefined
  const { customer, total, currency } = action
  return { customer, total, currency, number, document }
}

/** The file under its hash; undefined where it is not there, or is another. */
async function fileAt(
  path: string,
  number: unknown,
  vault: Pick<ExecutorDeps['vault'], 'readBytes'>,
): Promise<Attachment | undefined> {
  const verdict = parseVaultPath(path)
  if (!verdict.ok || verdict.place.kind !== 'attachment') return undefined
  const bytes = await vault.readBytes(verdict.path, MAX_ATTACHMENT_BYTES).catch(notPlain)
  if (bytes === undefined || bytes.length === 0) return undefined
  const file = describeFile(documentName(number, path), bytes)
  return path.startsWith(`Attachments/${file.sha256}`) ? { ...file, path } : undefined
}

function notPlain(error: unknown): undefined {
  if (error instanceof CountersignError && error.code === 'ERR_VAULT_UNREADABLE') return undefined
  throw error
}
