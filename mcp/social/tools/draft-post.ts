import { z } from 'zod'
import { isTaskId, type TaskId } from '#core/ids.ts'
import { NETWORKS, type Network } from '#core/social-text.ts'
import { toolFailure, toolResult } from '../../shared/tool-result.ts'
import type { SocialTool } from '../server.ts'

const input = z.strictObject({
  task_id: z
    .string()
    .refine(isTaskId, 'not a task id')
    .describe('The id in the front matter of a task of the domain social, claimed by this zone'),
  network: z.enum(NETWORKS),
  text: z.string().min(1).max(63_206).describe('The whole text, with its links and hashtags; plain text'),
  not_before: z
    .string()
    .max(30)
    .optional()
    .describe('Published at this time (ISO 8601, UTC) or later, by the local machine'),
  publish_at: z
    .string()
    .max(30)
    .optional()
    .describe('Instead: the network keeps it and publishes it at this time (Mastodon and Facebook)'),
  image: z
    .string()
    .max(1_000)
    .optional()
    .describe('Instagram only, required there: the public https address of the image'),
  alt_text: z.string().max(1_000).optional().describe('What the image shows'),
})

export type HandInPostOutcome =
  | { readonly kind: 'drafted'; readonly path: string }
  | { readonly kind: 'lost' }
  | { readonly kind: 'left' }
  | { readonly kind: 'forbidden'; readonly rule: string }
  | { readonly kind: 'unusable'; readonly problem: string }

/** Writes the post into the claimed task and hands it in for approval. The account comes from the person's settings. */
export type HandInPost = (
  taskId: TaskId,
  post: {
    network: Network
    text: string
    notBefore: string | undefined
    publishAt: string | undefined
    image: string | undefined
    altText: string | undefined
  },
) => Promise<HandInPostOutcome>

/** `draft_post`: hands in the post of a task that this zone has claimed. Nothing leaves the vault. */
export function draftPostTool(handIn: HandInPost): SocialTool {
  return (server) => {
    server.registerTool(
      'draft_post',
      {
        title: 'Draft a post',
        description:
          'Writes the post of a claimed task and moves it to Pending_Approval, where a person decides. Posts nothing; the account comes from the settings.',
        inputSchema: input,
        outputSchema: z.strictObject({
          outcome: z.enum(['drafted', 'lost', 'forbidden', 'unusable']),
          path: z.string().optional(),
          reason: z.string().optional(),
        }),
        annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
      },
      async ({ task_id, network, text, not_before, publish_at, image, alt_text }) => {
        try {
          const times = { notBefore: not_before, publishAt: publish_at }
          const outcome = await handIn(task_id as TaskId, { network, text, ...times, image, altText: alt_text })
          return toolResult(describe(outcome), outcome.kind !== 'drafted')
        } catch (error) {
          return toolFailure(error)
        }
      },
    )
  }
}

function describe(outcome: HandInPostOutcome) {
  switch (outcome.kind) {
    case 'drafted':
      return { outcome: 'drafted', path: outcome.path }
    case 'lost':
    case 'left':
      return { outcome: 'lost', reason: 'This zone does not hold that task (any more).' }
    case 'forbidden':
      return { outcome: 'forbidden', reason: outcome.rule }
    case 'unusable':
      return { outcome: 'unusable', reason: outcome.problem }
  }
}
