import type { BooksAction } from '#core/books-action.ts'
import { makeTaskId, type TaskId } from '#core/ids.ts'
import { newTaskFile, renderSection, renderTaskFile } from '#core/task-file.ts'
import { taskFileName } from '#core/vault-path.ts'

let counter = 0

/** The draft of something to be booked, as it is handed in: its file name and its text. */
export function makeBooksDraft(
  action: BooksAction,
  options: { readonly atMs?: number } = {},
): { id: TaskId; fileName: string; text: string } {
  const seed = Buffer.alloc(10)
  seed.writeUInt32BE(++counter, 6)
  const atMs = options.atMs ?? Date.parse('2026-11-20T11:00:00.000Z')
  const id = makeTaskId(atMs, seed)
  const title = action.tool === 'odoo.post_invoice' ? 'Post an invoice' : 'Record a payment'
  const task = newTaskFile(
    {
      ...{ id, schema: '1', kind: 'INVOICE', domain: 'accounting', title },
      ...{ created: new Date(atMs).toISOString(), generation: '1', action: { ...action } },
    },
    [`# ${title}`, renderSection('original', 'Please send us an invoice.'), ''].join('\n\n'),
  )
  return {
    id,
    fileName: taskFileName({ kind: 'INVOICE', dayIso: '2026-11-20', title, id }),
    text: renderTaskFile(task),
  }
}
