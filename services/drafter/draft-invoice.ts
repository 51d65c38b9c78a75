import { CountersignError } from '#core/errors.ts'
import { shortId } from '#core/ids.ts'
import { type InvoiceOrder, type InvoiceTotals, invoiceFront, invoiceTotals, sayDifference } from '#core/invoice.ts'
import { renderInvoiceNote } from '#core/invoice-note.ts'
import type { Accounting, BookedDraft } from '#core/ports/accounting.ts'
import type { DraftResult, WriteDraft } from '#core/ports/drafting.ts'
import { fenceUntrusted } from '#core/prompt-fence.ts'
import { type InvoiceData, orderOf } from '#core/read-invoice.ts'
import { parseUsd, renderUsd } from '#core/spend.ts'
import { renderTaskFile, withFront } from '#core/task-file.ts'
import { fileNameOf, vaultPath } from '#core/vault-path.ts'
import { type DrafterDeps, draftReply } from './draft-reply.ts'
import { linkText } from './give-back.ts'
import { type Claimed, type DraftOutcome, forbiddenHere } from './hand-in.ts'
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
  /** Of the front matter. */
  readonly invoice: ReturnType<typeof invoiceFront> | undefined
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
 * books where there are any (front matter `invoice`); the reply says what was understood and asks for what is missing.
 * The invoice never keeps the reply waiting: what could not be done about it is in the remark, and *Redraft* tries again.
 */
export async function draftInvoice(claimed: Claimed, deps: DraftInvoiceDeps): Promise<DraftOutcome> {
  const { task, path, text } = claimed
  const forbidden = await forbiddenHere(task, deps)
  if (forbidden) return forbidden
  const prepared = await prepare(claimed, deps)
  const { facts, missing, invoice } = prepared
  if (invoice) {
    const noted = await deps.vault.replaceIf(path, text, renderTaskFile(withFront(task, { invoice })))
    // The books have the draft: the next run finds it there.
    if (noted !== 'replaced') return { kind: 'lost', isChanged: noted === 'changed' }
  }
  const write: WriteDraft = async (request) => alsoSaying(await deps.write({ ...request, facts, missing }), prepared)
  return draftReply({ taskId: task.front.id, generation: task.front.generation }, { ...deps, write })
}

async function prepare(claimed: Claimed, deps: DraftInvoiceDeps): Promise<Prepared> {
  const { front } = claimed.task
  const handbook = await readOwnNote('Company_Handbook.md', deps.vault)
  const outcome = await invoiceDataOf(claimed.task, handbook.text, deps.invoices)
  const { costUsd } = outcome
  const nothing = { invoice: undefined, facts: undefined, missing: [], flags: [], costUsd }
  if (outcome.kind === 'unread') return { ...nothing, remark: `No invoice was drafted: ${outcome.say}` }
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
    invoice: booked?.draft && invoiceFront(booked.draft),
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

function alsoSaying(result: DraftResult, { remark, costUsd, flags }: Prepared): DraftResult {
  const spent = (parseUsd(result.costUsd) ?? 0n) + (parseUsd(costUsd) ?? 0n)
  const remarks = [remark, ...(result.remark === undefined ? [] : [result.remark])]
  return {
    ...result,
    costUsd: renderUsd(spent),
    flags: [...new Set([...(result.flags ?? []), ...flags])],
    remark: remarks.join('. '),
  }
}
