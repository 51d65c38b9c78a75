import { CountersignError } from '#core/errors.ts'
import { type InvoiceOrder, invoiceTotals, sayDifference } from '#core/invoice.ts'
import type { Accounting, BookedDraft } from '#core/ports/accounting.ts'
import type { DraftResult, WriteDraft } from '#core/ports/drafting.ts'
import { fenceUntrusted } from '#core/prompt-fence.ts'
import { type InvoiceData, orderOf } from '#core/read-invoice.ts'
import { parseUsd, renderUsd } from '#core/spend.ts'
import { renderTaskFile, type TaskFile, withFront } from '#core/task-file.ts'
import { type DrafterDeps, draftReply } from './draft-reply.ts'
import { type Claimed, type DraftOutcome, forbiddenHere } from './hand-in.ts'
import { type InvoiceDataDeps, invoiceDataOf } from './invoice-data.ts'
import { readOwnNote } from './made-by.ts'

export interface DraftInvoiceDeps extends DrafterDeps {
  readonly invoices: InvoiceDataDeps & {
    /** Unset where no books are configured: then the data stay in the file. */
    readonly books?: Accounting | undefined
  }
}

/** What became of the invoice. `facts`: for the reply; `remark`: for the person. */
interface Prepared {
  readonly invoice: Record<string, unknown> | undefined
  readonly facts: string | undefined
  readonly remark: string
  readonly costUsd: string
}

/**
 * Drafts one claimed accounting task: the invoice's data go into its file (front matter `invoice`), a draft invoice into the
 * books where there are any, and the reply says what was understood and what is missing. The invoice never keeps the
 * reply waiting: what could not be done about it is in the remark, and *Redraft* tries again.
 */
export async function draftInvoice(claimed: Claimed, deps: DraftInvoiceDeps): Promise<DraftOutcome> {
  const { task, path } = claimed
  const forbidden = await forbiddenHere(task, deps)
  if (forbidden) return forbidden
  const prepared = await prepare(task, deps)
  const { facts, costUsd, invoice } = prepared
  const draft = async (front: object, remark: string) => {
    await deps.vault.replace(path, renderTaskFile(withFront(task, front)))
    const write: WriteDraft = async (request) => alsoSaying(await deps.write({ ...request, facts }), remark, costUsd)
    return draftReply({ taskId: task.front.id, generation: task.front.generation }, { ...deps, write })
  }
  try {
    return await draft({ invoice }, prepared.remark)
  } catch (error) {
    const isTooLong = error instanceof CountersignError && error.code === 'ERR_TASK_FILE_INVALID'
    if (!isTooLong || invoice === undefined) throw error
    return draft({ invoice: undefined }, `${prepared.remark}. Its data are too long for this file`)
  }
}

async function prepare(task: TaskFile, deps: DraftInvoiceDeps): Promise<Prepared> {
  const handbook = await readOwnNote('Company_Handbook.md', deps.vault)
  const outcome = await invoiceDataOf(task, handbook.text, deps.invoices)
  const { costUsd } = outcome
  if (outcome.kind === 'unread')
    return { invoice: undefined, facts: undefined, remark: `No invoice was drafted: ${outcome.say}`, costUsd }
  const { data } = outcome
  const verdict = orderOf(data, task.front.id)
  const booked = 'order' in verdict ? await book(verdict.order, deps.invoices.books) : undefined
  const remark = booked?.remark ?? `No invoice was drafted; missing: ${'lacks' in verdict ? verdict.lacks : 'nothing'}`
  const totals = 'order' in verdict ? invoiceTotals(verdict.order) : undefined
  const sums = totals && { net: totals.net, total: totals.total }
  const invoice = { ...frontOf(data), ...sums, ...(booked?.id !== undefined && { odoo_id: String(booked.id) }) }
  return { invoice, facts: factsOf(data, sums), remark, costUsd }
}

/** Never throws: an error of the books is one more thing that the person reads. */
async function book(order: InvoiceOrder, books: Accounting | undefined): Promise<{ id?: number; remark: string }> {
  if (!books) return { remark: 'The data of the invoice are in this file; no books are set up to draft it in' }
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
          id: outcome.draft.id,
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

/** Leaves are strings, as everywhere in front matter. */
function frontOf({ customer, lines, missing, unsaid, ...rest }: InvoiceData): Record<string, unknown> {
  const none = [...missing, ...unsaid]
  return {
    ...(Object.keys(customer).length > 0 && { customer }),
    ...(lines.length > 0 && { lines }),
    ...rest,
    ...(none.length > 0 && { missing: none }),
  }
}

function factsOf(data: InvoiceData, sums: object | undefined): string {
  const { missing, unsaid, ...said } = data
  const material = fenceUntrusted('invoice', JSON.stringify({ ...said, ...sums }, null, 1))
  const asked = [...missing, ...unsaid]
  const rest = asked.length > 0 ? `Ask for what is missing: ${asked.join('; ')}.` : 'Nothing is missing.'
  return `They ask for an invoice. This was understood of it; say so, and nothing else about amounts:\n\n${material}\n\n${rest} A person looks at the invoice before it goes out.`
}

function alsoSaying(result: DraftResult, remark: string, costUsd: string): DraftResult {
  const spent = (parseUsd(result.costUsd) ?? 0n) + (parseUsd(costUsd) ?? 0n)
  const remarks = [remark, ...(result.remark === undefined ? [] : [result.remark])]
  return { ...result, costUsd: renderUsd(spent), remark: remarks.join('. ') }
}
