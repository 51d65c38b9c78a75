import { type PostInvoiceAction, postInvoiceSchema } from '#core/books-action.ts'
import { judgePosting, sayPosted } from '#core/books-world.ts'
import type { ActingBooks } from '#core/ports/accounting.ts'
import type { Report } from '#core/report.ts'
import { type ActingDeps, refused, registerActingTool } from '../../shared/acting-tool.ts'
import type { OdooTool } from '../server.ts'

export interface BooksDeps extends ActingDeps {
  readonly books: ActingBooks
}

/** `post_invoice`: posts one approved draft invoice. */
export function postInvoice(deps: BooksDeps): OdooTool {
  return (server) =>
    registerActingTool(
      server,
      {
        name: 'post_invoice',
        title: 'Post an approved invoice',
        description: 'Posts a draft invoice in Odoo that the person approved in the vault of this machine.',
        schema: postInvoiceSchema,
        whenUnprepared: 'ERR_ODOO_UNREACHABLE',
        prepare: async (action, { key }) => {
          // Read once more: what was approved must be what is posted.
          const judged = judgePosting(action, await deps.books.invoice(Number(action.invoice)))
          if (judged.kind === 'stale') return async () => refused('ERR_ODOO_REFUSED', judged.say)
          return () => post(action, key, deps.books)
        },
      },
      deps,
    )
}

/** Whether it is posted is what the books say afterwards, whatever the answer was. */
async function post(action: PostInvoiceAction, key: string, books: ActingBooks): Promise<Report> {
  const outcome = await books.post(Number(action.invoice))
  const after = await books.invoice(Number(action.invoice)).catch(() => undefined)
  if (outcome.kind === 'refused') {
    const who = after?.state === 'posted' ? `; somebody else posted it meanwhile as ${after.number}` : ''
    return refused(outcome.permanent ? 'ERR_ODOO_REFUSED' : 'ERR_ODOO_UNREACHABLE', `${outcome.say}${who}`)
  }
  if (after?.state === 'posted') return { outcome: 'accepted', key, ...sayPosted(after) }
  if (outcome.kind === 'done' && after)
    return refused('ERR_ODOO_REFUSED', 'Odoo took the call, and the invoice is a draft still: post it there')
  const reason = outcome.kind === 'unknown' ? outcome.reason : 'it was done, and cannot be read back'
  return { outcome: 'unknown', key, code: 'ERR_OUTCOME_UNKNOWN', reason }
}
