import { z } from 'zod'
import { isTaskId, type TaskId } from '#core/ids.ts'
import { toolFailure, toolResult } from '../../shared/tool-result.ts'
import type { EmailTool } from '../server.ts'

const input = z.strictObject({
  task_id: z
    .string()
    .refine(isTaskId, 'not a task id')
    .describe('The id in the front matter of a task claimed by this zone'),
  body: z.string().min(1).max(100_000).describe('The whole text of the reply, plain text'),
})

export type HandInOutcome =
  | { readonly kind: 'drafted'; readonly path: string }
  | { readonly kind: 'lost' }
  | { readonly kind: 'forbidden'; readonly rule: string }
  | { readonly kind: 'unusable'; readonly problem: string }

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
        outputSchema: z.strictObject({
          outcome: z.enum(['drafted', 'lost', 'forbidden', 'unusable']),
          path: z.string().optional(),
          reason: z.string().optional(),
        }),
        annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
      },
      async ({ task_id, body }) => {
        try {
          const outcome = await handIn(task_id as TaskId, body)
          return toolResult(describe(outcome), outcome.kind !== 'drafted')
        } catch (error) {
          return toolFailure(error)
        }
      },
    )
  }
}

function describe(outcome: HandInOutcome): { outcome: HandInOutcome['kind']; path?: string; reason?: string } {
  switch (outcome.kind) {
    case 'drafted':
      return { outcome: 'drafted', path: outcome.path }
    case 'lost':
      return { outcome: 'lost', reason: 'This zone does not hold that task (any more).' }
    case 'forbidden':
      return { outcome: 'forbidden', reason: outcome.rule }
    case 'unusable':
      return { outcome: 'unusable', reason: outcome.problem }
  }
}
