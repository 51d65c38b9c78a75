import { z } from 'zod'
import type { TaskId } from '#core/ids.ts'
import { NETWORKS, type Network } from '#core/social-text.ts'
import { answerHandIn, claimedTaskId, drafting, type HandInOutcome } from '../../shared/drafting-tool.ts'
import type { SocialTool } from '../server.ts'

const input = z.strictObject({
  task_id: claimedTaskId('The id in the front matter of a task of the domain social, claimed by this zone'),
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
  alt_text: z.string().max(1_000).optional().describe('What that image shows'),
  images: z
    .array(
      z.strictObject({
        path: z.string().max(100).describe('A file of the vault: Attachments/…'),
        alt_text: z.string().max(1_000).describe('What the image shows'),
      }),
    )
    .max(20)
    .optional()
    .describe('The other networks: JPEG, PNG, GIF or WebP files that stand in Attachments/ already'),
})

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
    images: readonly { readonly path: string; readonly altText: string }[] | undefined
  },
) => Promise<HandInOutcome>

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
        ...drafting,
      },
      ({ task_id, network, text, not_before, publish_at, image, alt_text, images }) => {
        const times = { notBefore: not_before, publishAt: publish_at }
        const files = images?.map(({ path, alt_text }) => ({ path, altText: alt_text }))
        return answerHandIn(() =>
          handIn(task_id as TaskId, { network, text, ...times, image, altText: alt_text, images: files }),
        )
      },
    )
  }
}
