import { CountersignError } from '#core/errors.ts'
import { shortId } from '#core/ids.ts'
import { type InvoiceOrder, type InvoiceTotals, invoiceFront, invoiceTotals, sayDifference } from '#core/invoice.ts'
import { renderInvoiceNote } from '#core/invoice-note.ts'
import { type AnnouncedInvoice, INVOICE_SLOT } from '#core/invoice-slot.ts'
import type { Accounting, BookedDraft } from '#core/ports/accounting.ts'
import type { DraftResult } from '#core/ports/drafting.ts'
import { postedFor, postingTask, withoutPosting } from '#core/posting-task.ts'
import { fenceUntrusted } from '#core/prompt-fence.ts'
import { type InvoiceData, orderOf } from '#core/read-invoice.ts'
import { parseUsd, renderUsd } from '#core/spend.ts'
import { renderTaskFile, type TaskFile, withFront } from '#core/task-file.ts'
import { fileNameOf, vaultPath } from '#core/vault-path.ts'
import { draftPosting, handInPosting, writePosting } from './draft-posting.ts'
import { type DrafterDeps, draftReply } from './draft-reply.ts'
import { linkText } from './give-back.ts'
import { type Claimed, type DraftOutcome, forbiddenHere, type HandInDeps } from './hand-in.ts'
import { type InvoiceDataDeps, invoiceDataOf } from './invoice-data.ts'
import { readOwnNote } from './made-by.ts'

export interface DraftInvoiceDeps extends DrafterDeps {
  readonly invoices: InvoiceDataDeps & {
    /** Unset where no books are configured: then the data stay in the file. */
    readonly books?: Accounting | undefined
  }
}

/** What became of the invoice. */
interface Prepared {
  readonly draft: BookedDraft | undefined
  readonly data: InvoiceData | undefined
  readonly order: InvoiceOrder | undefined
  /** What the reply has to say, and to ask for. */
  readonly facts: string | undefined
  readonly missing: readonly string[]
  readonly flags: readonly string[]
  /** For the person. */
  readonly remark: string
  readonly costUsd: string
}

/**
 * Drafts one claimed accounting task. What its mail says of the invoice becomes a note in Plans/, and a draft invoice in the
 * books where there are any (front matter `invoice`). A draft makes two files of one request: a task of its own that posts
 * it, and the reply, which goes out after that one with the invoice's number and document. Where nobody is to be answered,
 * the request's own file posts it. Without a draft the reply says what was understood and asks for what is missing: the
 * invoice never keeps it waiting, what could not be done about it is in the remark, and *Redraft* tries again.
 */
export async function draftInvoice(claimed: Claimed, deps: DraftInvoiceDeps): Promise<DraftOutcome> {
  const { task, path, text } = claimed
  const forbidden = await forbiddenHere(task, deps)
  if (forbidden) return forbidden
  const { books } = deps.invoices
  const requestId = postedFor(task)
  if (requestId !== undefined) return draftPosting(claimed, requestId, books, deps)
  const prepared = await prepare(claimed, deps)
  const { draft } = prepared
  // Written anew below where this draft of the reply waits for one.
  const after = withoutPosting(task)
  const noted = withFront(task, { ...(draft && { invoice: invoiceFront(draft) }), ...(task.front.after && { after }) })
  const own = { path, text: renderTaskFile(noted), task: noted }
  if (own.text !== text) {
    const change = await deps.vault.replaceIf(path, text, own.text)
    // The books have the draft: the next run finds it there.
    if (change !== 'replaced') return { kind: 'lost', isChanged: change === 'changed' }
  }
  if (draft?.isDraft && !task.front.source?.reply_to?.length) return handInPosting(own, draft, task.front.id, deps)
  const posting = draft && (await awaitedPosting(own.task, draft, prepared.data?.unsaid ?? [], deps))
  return draftReply(
    { taskId: task.front.id, generation: task.front.generation },
    {
      ...deps,
      write: async (request) =>
        alsoSaying(await deps.write({ ...request, ...toSay(prepared, posting) }), prepared, posting),
      announces: posting?.announced,
    },
  )
}

interface AwaitedPosting {
  /** Unset where the person has rejected it: then the reply says nothing of an invoice that comes. */
  readonly announced: AnnouncedInvoice | undefined
  readonly remark: string | undefined
}

/** The task that posts the draft. An invoice that somebody posted in the books has none, unless it was posted by one. */
async function awaitedPosting(
  request: TaskFile,
  draft: BookedDraft,
  unsaid: readonly string[],
  deps: Pick<HandInDeps, 'vault'>,
): Promise<AwaitedPosting | undefined> {
  const known = await deps.vault.find(postingTask(request, draft).fileName)
  if (!draft.isDraft && known === undefined) return undefined
  const { id, state } = await writePosting(request, draft, deps)
  if (state === 'rejected')
    return { announced: undefined, remark: 'You rejected posting it, so this reply does not announce it' }
  const { customer, total, currency } = draft
  const remark = unsaid.length > 0 ? `Nobody said ${unsaid.join(', ')}` : undefined
  return { announced: { task: id, customer, total, currency, document: 'required' }, remark }
}

/** What the reply has to say, and to ask for. */
function toSay({ data, order, draft, facts, missing }: Prepared, posting: AwaitedPosting | undefined) {
  if (!posting?.announced || !data || !draft) return { facts, missing }
  // Where the books have other figures, only theirs are said.
  const isSame = order !== undefined && sayDifference(order, draft) === undefined
  const { total, currency, net } = draft
  const { missing: _, unsaid: __, ...said } = data
  const what = { ...(isSame ? said : { customer: said.customer }), net, total, currency }
  return {
    facts: `${ANNOUNCE}\n\n${fenceUntrusted('invoice', JSON.stringify(what, null, 1))}`,
    missing: [],
    slot: INVOICE_SLOT,
  }
}

const ANNOUNCE = `They ask for an invoice. It is drafted; the owner posts it, and this mail goes out after that with the invoice attached. Say that the invoice is attached, and of amounts only what stands here. Where its number belongs write ${INVOICE_SLOT}, letter for letter, once: the number is put in when it is known, and this is the one place that may be left open.`

async function prepare(claimed: Claimed, deps: DraftInvoiceDeps): Promise<Prepared> {
  const { front } = claimed.task
  const handbook = await readOwnNote('Company_Handbook.md', deps.vault)
  const outcome = await invoiceDataOf(claimed.task, handbook.text, deps.invoices)
  const { costUsd } = outcome
  const nothing = {
    ...{ draft: undefined, data: undefined, order: undefined, facts: undefined },
    missing: [],
    flags: [],
  }
  if (outcome.kind === 'unread') return { ...nothing, costUsd, remark: `No invoice was drafted: ${outcome.say}` }
  const { data } = outcome
  const verdict = orderOf(data, front.id)
  const order = 'order' in verdict ? verdict.order : undefined
  const totals = order && invoiceTotals(order)
  const note = vaultPath(`Plans/Invoice ${shortId(front.id)}-${front.generation}.md`)
  const link = `[[Pending_Approval/${front.domain}/${fileNameOf(claimed.path)}|${linkText(front.title)}]]`
  await deps.vault.create(note, renderInvoiceNote(data, totals, front.title, link))
  const booked = order && (await book(order, deps.invoices.books))
  const lacks = 'lacks' in verdict ? `No invoice was drafted; missing: ${verdict.lacks}` : ''
  return {
    ...{ draft: booked?.draft, data, order },
    facts: factsOf(data, totals),
    missing: [...data.missing, ...data.unsaid],
    flags: order ? [] : ['facts-missing'],
    remark: `${booked?.remark ?? lacks}. What the mail says of it: ${note}`,
    costUsd,
  }
}

/** Never throws: an error of the books is one more thing that the person reads. */
async function book(
  order: InvoiceOrder,
  books: Accounting | undefined,
): Promise<{ draft?: BookedDraft; remark: string }> {
  if (!books) return { remark: 'No invoice was drafted: no books are set up for it' }
  try {
    const outcome = await books.createDraft(order)
    switch (outcome.kind) {
      case 'refused':
        return { remark: `No invoice was drafted: ${outcome.say}` }
      case 'unknown':
        return {
          remark: `It is not known whether the invoice was drafted (${outcome.reason}): look for ${order.request_id}`,
        }
      default:
        return {
          draft: outcome.draft,
          remark: sayBooked(order, outcome.draft, outcome.kind === 'exists' ? outcome.more : []),
        }
    }
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error
    return { remark: `No invoice was drafted (${error.code}): ${error.message}` }
  }
}

function sayBooked(order: InvoiceOrder, draft: BookedDraft, more: readonly number[]): string {
  const said = `Invoice ${draft.id} in Odoo, ${draft.total} ${draft.currency} for ${draft.customer}`
  const rest = [
    draft.isDraft ? 'a draft' : 'no draft any more',
    sayDifference(order, draft),
    more.length > 0 ? `there is more than one for this task: ${more.join(', ')} too` : undefined,
  ].filter((one) => one !== undefined)
  return `${said}: ${rest.join('; ')}`
}

function factsOf({ missing, unsaid, ...said }: InvoiceData, totals: InvoiceTotals | undefined): string {
  const sums = totals && { net: totals.net, total: totals.total }
  const material = fenceUntrusted('invoice', JSON.stringify({ ...said, ...sums }, null, 1))
  return `They ask for an invoice. This was understood of it; say so, and nothing else about amounts. The owner looks at the invoice before it goes out.\n\n${material}`
}

function alsoSaying(
  result: DraftResult,
  { remark, costUsd, flags }: Prepared,
  posting: AwaitedPosting | undefined,
): DraftResult {
  const spent = (parseUsd(result.costUsd) ?? 0n) + (parseUsd(costUsd) ?? 0n)
  const remarks = [posting?.remark, remark, result.remark].filter((one) => one !== undefined)
  return {
    ...result,
    costUsd: renderUsd(spent),
    flags: [...new Set([...(result.flags ?? []), ...flags])],
    remark: remarks.join('. '),
  }
}
