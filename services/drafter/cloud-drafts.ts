import { isBillByNow } from '#core/bill-by-now.ts'
import { type DraftInvoiceDeps, draftInvoice } from './draft-invoice.ts'
import { type DraftPostsDeps, draftPosts } from './draft-posts.ts'
import { draftReply } from './draft-reply.ts'
import type { Drafts } from './draft-task.ts'
import { type GiveBack, handOverTask, type TaskOutcome } from './give-back.ts'
import type { Claimed } from './hand-in.ts'

export interface CloudDraftsDeps extends DraftInvoiceDeps {
  readonly giveBack: GiveBack
  readonly posts: DraftPostsDeps
}

const BILL = { domain: 'payment', why: 'Its newest message is a bill' } as const

/** What the cloud zone drafts. */
export function cloudDrafts(deps: CloudDraftsDeps): Drafts {
  const draft = ({ task: { front } }: Claimed) => draftReply({ taskId: front.id, generation: front.generation }, deps)
  /** A thread may turn into a bill after it was sorted: that is the local zone's alone. */
  const unlessBill = (otherwise: (claimed: Claimed) => Promise<TaskOutcome>) => (claimed: Claimed) =>
    isBillByNow(claimed.task) ? handOverTask(claimed, BILL, deps) : otherwise(claimed)
  return {
    email: unlessBill(draft),
    general: unlessBill(draft),
    social: (claimed) => draftPosts(claimed, { ...deps.posts, giveBack: deps.giveBack }),
    accounting: unlessBill((claimed) => draftInvoice(claimed, deps)),
  }
}
