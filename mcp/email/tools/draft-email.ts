import { z } from 'zod'
import type { TaskId } from '#core/ids.ts'
import { answerHandIn, claimedTaskId, drafting, type HandInOutcome } from '../../shared/drafting-tool.ts'
import type { EmailTool } from '../server.ts'

const input = z.strictObject({
  task_id: claimedTaskId('The id in the front matter of a task claimed by this zone'),
  body: z.string().min(1).max(100_000).describe('The whole text of the reply, plain text'),
})

/** Writes the text into the claimed task and hands it in for approval. Recipients and subject come from the thread. */
export type HandInDraft = (taskId: TaskId, body: string) => Promise<HandInOutcome>

/** `draft_email`: hands in the draft of a task that this zone has claimed. Nothing leaves the vault. */
export function draftEmail(handIn: HandInDraft): EmailTool {
  return (server) => {
    server.registerTool(
      'draft_email',
      {
        title: 'Draft an e-mail',
        description:
          'Writes the reply of a claimed task and moves it to Pending_Approval, where a person decides. Sends nothing; recipients and subject come from the thread.',
        inputSchema: input,
        ...drafting,
      },
      ({ task_id, body }) => answerHandIn(() => handIn(task_id as TaskId, body)),
    )
  }
}
