import { readAction } from '#core/action.ts'
import { postingOf } from '#core/books-action.ts'
import { withHistory } from '#core/claim.ts'
import { CountersignError } from '#core/errors.ts'
import { readHandbookRules } from '#core/handbook-rules.ts'
import type { TaskId } from '#core/ids.ts'
import type { Accounting, BookedDraft } from '#core/ports/accounting.ts'
import { postingTask } from '#core/posting-task.ts'
import { renderTaskFile, type TaskFile, withFront } from '#core/task-file.ts'
import { placeOf, taskPath } from '#core/vault-path.ts'
import { CannotDraft } from './give-back.ts'
import { type Claimed, type DraftOutcome, type HandInDeps, handIn } from './hand-in.ts'
import { readOwnNote } from './made-by.ts'

export interface DraftPostingDeps extends HandInDeps {
  readonly expiresAfterMs: number
}

/** What became of the task that posts an invoice. */
export interface Posting {
  readonly id: TaskId
  /** rejected: the person does not want it posted. */
  readonly state: 'waits' | 'done' | 'rejected'
}

/** Writes the task that posts a draft, unless it was written before, wherever it stands by now. */
export async function writePosting(
  request: TaskFile,
  draft: BookedDraft,
  { vault }: Pick<HandInDeps, 'vault'>,
): Promise<Posting> {
  const { id, fileName, task } = postingTask(request, draft)
  const standing = await vault.find(fileName)
  if (standing === undefined) {
    await vault.create(taskPath({ kind: 'needs-action', domain: 'accounting' }, fileName), renderTaskFile(task))
    return { id, state: 'waits' }
  }
  const { kind } = placeOf(standing)
  return { id, state: kind === 'done' ? 'done' : kind === 'rejected' ? 'rejected' : 'waits' }
}

/**
 * Drafts the posting of one invoice: the action is what the books hold now, and no model has a word in it. Throws
 * CannotDraft where there is nothing to post, and what is retryable.
 */
export async function draftPosting(
  claimed: Claimed,
  requestId: string,
  books: Accounting | undefined,
  deps: DraftPostingDeps,
): Promise<DraftOutcome> {
  if (!books) throw new CannotDraft('no books are set up in this zone')
  const draft = await lookUp(requestId, books)
  const { odoo_id } = (claimed.task.front.invoice ?? {}) as Record<string, unknown>
  if (!draft || (odoo_id !== undefined && odoo_id !== String(draft.id)))
    throw new CannotDraft(`the books have no draft ${String(odoo_id)} for ${requestId} any more`)
  return handInPosting(claimed, draft, requestId, deps)
}

async function lookUp(requestId: string, books: Accounting): Promise<BookedDraft | undefined> {
  try {
    return await books.findDraft(requestId)
  } catch (error) {
    if (!(error instanceof CountersignError) || error.retryable) throw error
    throw new CannotDraft(`the books cannot be asked (${error.code}): ${error.message}`)
  }
}

/** A claimed task as one that posts a draft invoice, before the person. */
export async function handInPosting(
  claimed: Claimed,
  draft: BookedDraft,
  requestId: string,
  deps: DraftPostingDeps,
): Promise<DraftOutcome> {
  const { task } = claimed
  const now = deps.clock.now()
  const at = new Date(now).toISOString()
  const handbook = await readOwnNote('Company_Handbook.md', deps.vault)
  const expiresAfterMs = readHandbookRules(handbook.text).expiry.accounting ?? deps.expiresAfterMs
  const ready = withFront(task, {
    drafted: { by: 'cloud-odoo-draft', model: 'none', at, cost_usd: '0' },
    expires: new Date(now + expiresAfterMs).toISOString(),
    action: draft.isDraft ? actionOf(draft, requestId) : undefined,
    ...(!draft.isDraft && { outcome: { status: 'undraftable', at, reason: `${NO_DRAFT} (${draft.id})` } }),
  })
  const handedIn = withHistory(ready, `Pending_Approval/${task.front.domain}`, deps.agent, at)
  if (!draft.isDraft) return handIn(claimed, { task: handedIn, problem: NO_DRAFT }, deps)
  const verdict = readAction(handedIn)
  if (!verdict.ok) throw new CannotDraft(`the posting could not be written: ${verdict.problem}`)
  return handIn(claimed, { task: handedIn }, deps)
}

/** What the books hold need not be what may be posted: an invoice over nothing, say. */
function actionOf(draft: BookedDraft, requestId: string) {
  try {
    return { ...postingOf(draft, requestId) }
  } catch (error) {
    throw new CannotDraft(`invoice ${draft.id} cannot be posted as it stands in the books`, { cause: error })
  }
}

const NO_DRAFT = 'the invoice is no draft any more: somebody posted or cancelled it in the books'
