import { createHash } from 'node:crypto'
import { makeTaskId, type TaskId } from './ids.ts'
import { invoiceFront } from './invoice.ts'
import type { BookedDraft } from './ports/accounting.ts'
import { oneLine, plainMarkdown } from './quote.ts'
import { newTaskFile, renderSection, section, type TaskFile } from './task-file.ts'
import { taskFileName } from './vault-path.ts'

const KIND = 'INVOICE'

/**
 * The task that posts the invoice of a request, in a file of its own: one file, one action. Its id derives from the
 * request's and from the invoice's, so that whoever writes it again finds it.
 */
export function postingTask(
  request: TaskFile,
  draft: Pick<BookedDraft, 'id' | 'customer' | 'total' | 'currency'>,
): { readonly id: TaskId; readonly fileName: string; readonly task: TaskFile } {
  const { id: parent, created, language, title: asked } = request.front
  const id = postingId(request, String(draft.id))
  const title = oneLine(`Post the invoice for ${draft.customer}, ${draft.total} ${draft.currency}`, 300)
  const task = newTaskFile(
    {
      ...{ id, schema: '1', kind: KIND, domain: 'accounting', title, created, generation: '0' },
      ...(language !== undefined && { language }),
      ...{ parent, invoice: invoiceFront(draft) },
    } as Parameters<typeof newTaskFile>[0],
    `\n# ${plainMarkdown(title, 300)}\n\nAsked for by: ${plainMarkdown(asked, 300)}\n\n${renderSection('original', section(request, 'original') ?? '')}\n`,
  )
  return { id, fileName: taskFileName({ kind: KIND, dayIso: created.slice(0, 10), title, id }), task }
}

/** Without the task that posted an earlier draft of it, or the present one, among those that must be done first. */
export function withoutPosting(request: TaskFile): string[] | undefined {
  const { after, invoice } = request.front as TaskFile['front'] & { invoice?: { odoo_id?: unknown } }
  const posting = typeof invoice?.odoo_id === 'string' ? postingId(request, invoice.odoo_id) : undefined
  const others = after?.filter((one) => one !== posting)
  return others?.length ? others : undefined
}

function postingId({ front }: TaskFile, invoice: string): TaskId {
  const seed = createHash('sha256').update(`${front.id}/post/${invoice}`).digest()
  return makeTaskId(Date.parse(front.created), seed)
}

/** Of a task that only posts a draft invoice: the request that the draft was made for. */
export function postedFor({ front }: TaskFile): TaskId | undefined {
  const { parent, source, kind } = front
  const isOne = kind === KIND && source === undefined && (front as Record<string, unknown>).invoice !== undefined
  return isOne ? (parent as TaskId | undefined) : undefined
}
