import { z } from 'zod'
import type { TaskId } from '#core/ids.ts'
import { type InvoiceOrder, invoiceOrder, sayDifference } from '#core/invoice.ts'
import type { BookedDraft, CreateDraftOutcome } from '#core/ports/accounting.ts'
import { claimedTaskId } from '../../shared/drafting-tool.ts'
import { toolFailure, toolResult } from '../../shared/tool-result.ts'
import type { OdooTool } from '../server.ts'

const { request_id: _, ...fields } = invoiceOrder.shape
const input = z.strictObject({
  task_id: claimedTaskId('The id in the front matter of a task claimed by this zone: one invoice for each'),
  ...fields,
})

/** Amounts are decimal strings. */
const output = z.strictObject({
  outcome: z.enum(['created', 'exists', 'refused', 'unknown', 'lost']),
  invoice: z
    .strictObject({
      id: z.int(),
      customer: z.string(),
      net: z.string(),
      tax: z.string(),
      total: z.string(),
      currency: z.string(),
      is_draft: z.boolean(),
      /** Nothing was posted for this customer so far: it may have been created for this draft. */
      is_new_customer: z.boolean(),
      due: z.string().optional(),
      /** As the books hold them. */
      lines: z.array(z.string()),
      /** Digest of the whole draft. */
      content: z.string(),
    })
    .optional(),
  /** In words: other figures, other invoices, or why there is none. */
  reason: z.string().optional(),
})

/** Makes the draft of a task that this zone holds; undefined where it holds no such task. */
export type DraftInvoice = (taskId: TaskId, order: InvoiceOrder) => Promise<CreateDraftOutcome | undefined>

/** `create_draft`: leaves a draft invoice in Odoo, where a person posts it. The same task never gets a second one. */
export function createDraftTool(draftInvoice: DraftInvoice): OdooTool {
  return (server) => {
    server.registerTool(
      'create_draft',
      {
        title: 'Draft an invoice',
        description:
          'Leaves a draft invoice in Odoo for a task that this zone has claimed. Posts nothing and sends nothing. Called again for the same task it answers with the draft that is there. Prices are without tax; every line names its taxes, [] for none.',
        inputSchema: input,
        outputSchema: output,
        annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
      },
      async ({ task_id, ...fields }) => {
        try {
          const order: InvoiceOrder = { request_id: task_id, ...fields }
          const outcome = await draftInvoice(task_id as TaskId, order)
          const described = describe(order, outcome)
          return toolResult(described, !('invoice' in described))
        } catch (error) {
          return toolFailure(error)
        }
      },
    )
  }
}

function describe(order: InvoiceOrder, outcome: CreateDraftOutcome | undefined): z.output<typeof output> {
  if (outcome === undefined) return { outcome: 'lost', reason: 'This zone does not hold that task (any more).' }
  switch (outcome.kind) {
    case 'refused':
      return { outcome: 'refused', reason: `Nothing was created: ${outcome.say}` }
    case 'unknown':
      return { outcome: 'unknown', reason: `It may have been created: ${outcome.reason}. Call again: it looks first.` }
    default: {
      const { draft } = outcome
      const reasons = [
        sayDifference(order, draft),
        draft.isDraft ? undefined : 'it is no draft any more',
        outcome.kind === 'exists' && outcome.more.length > 0
          ? `there is more than one for this task: ${outcome.more.join(', ')} too`
          : undefined,
      ].filter((one) => one !== undefined)
      return {
        outcome: outcome.kind,
        invoice: invoiceOf(draft),
        ...(reasons.length > 0 && { reason: reasons.join('; ') }),
      }
    }
  }
}

function invoiceOf(draft: BookedDraft): z.output<typeof output>['invoice'] {
  const { id, customer, net, tax, total, currency, due, lines, content } = draft
  return {
    ...{ id, customer, net, tax, total, currency, content },
    lines: [...lines],
    ...{ is_draft: draft.isDraft, is_new_customer: draft.isNewCustomer },
    ...(due !== undefined && { due }),
  }
}
