import { type DraftInvoiceDeps, draftInvoice } from './draft-invoice.ts'
import { type DraftPostsDeps, draftPosts } from './draft-posts.ts'
import { draftReply } from './draft-reply.ts'
import type { Drafts } from './draft-task.ts'
import type { GiveBack } from './give-back.ts'
import type { Claimed } from './hand-in.ts'

export interface CloudDraftsDeps extends DraftInvoiceDeps {
  readonly giveBack: GiveBack
  readonly posts: DraftPostsDeps
}

/** What the cloud zone drafts. */
export function cloudDrafts(deps: CloudDraftsDeps): Drafts {
  const reply = ({ task: { front } }: Claimed) => draftReply({ taskId: front.id, generation: front.generation }, deps)
  return {
    email: reply,
    general: reply,
    social: (claimed) => draftPosts(claimed, { ...deps.posts, giveBack: deps.giveBack }),
    accounting: (claimed) => draftInvoice(claimed, deps),
  }
}
