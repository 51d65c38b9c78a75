import { z } from 'zod'
import type { ActionFault, ActionLimits } from './action.ts'
import { textFault } from './email-action.ts'
import type { PostImage, SocialPost } from './ports/social-network.ts'
import type { ActionParts } from './risk.ts'
import { ACCOUNT_EXAMPLES, isAccountOf, type SocialAccountName } from './social-accounts.ts'
import { altText, type DescribedImage, imagesProblem, postImagesSchema } from './social-image.ts'
import { measuresOf, NETWORK_NAMES, NETWORKS, type Network } from './social-text.ts'
import { BODY_CONTROL, visibleLine } from './visible-text.ts'

/** For whom this machine may post, and where images may come from; by its settings. */
export interface SocialLimits {
  readonly accounts: readonly SocialAccountName[]
  /** The address that every image's begins with; undefined: no images. */
  readonly imagesAt: string | undefined
}

/** Networks that keep a post until its time and publish it by themselves. The others know no such thing, nor drafts. */
const SCHEDULING = ['mastodon', 'facebook'] as const
/** How long before its time (ms) such a network wants to have the post; Facebook keeps one for 30 days at most. */
const LEAST_NOTICE_MS: Readonly<Record<(typeof SCHEDULING)[number], number>> = {
  mastodon: 5 * 60_000,
  facebook: 10 * 60_000,
}
const MOST_NOTICE_MS: Readonly<Record<(typeof SCHEDULING)[number], number>> = {
  mastodon: 365 * 86_400_000,
  facebook: 30 * 86_400_000,
}

const time = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{3})?)?Z$/, 'not a UTC time such as 2026-11-20T10:00:00Z')
  .refine((text) => Number.isFinite(Date.parse(text)), 'no such day or time')
const body = z
  .string()
  .min(1)
  .max(63_206)
  .refine((text) => !BODY_CONTROL.test(text), 'contains control characters')
/** Instagram fetches the image itself; it takes no file. */
const image = z
  .string()
  .max(1_000)
  .regex(/^https:\/\/[a-z0-9-]+(\.[a-z0-9-]+)+\/[A-Za-z0-9._~%/+-]+$/, 'not the plain https address of an image')
  // As a browser would read it: a path that climbs out of its folder says another one.
  .refine((address) => URL.parse(address)?.href === address, 'not written as it is read')

/** `social.publish_post`: published when it is executed, or as soon after `not_before` as this machine is on. */
export const publishPostSchema = z
  .strictObject({
    tool: z.literal('social.publish_post'),
    network: z.enum(NETWORKS),
    account: visibleLine(100),
    not_before: time.optional(),
    image: image.optional(),
    alt_text: altText.optional(),
    images: postImagesSchema.optional(),
    body,
  })
  .superRefine((action, context) => {
    const fault = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    if (action.network === 'instagram' && action.image === undefined)
      fault('image', 'Instagram takes no post without one')
    if (action.network !== 'instagram' && action.image !== undefined)
      fault('image', 'only Instagram gets an address; the others get a file')
    if ((action.image === undefined) !== (action.alt_text === undefined))
      fault('alt_text', action.image === undefined ? 'there is no image' : 'missing: say what the image shows')
  })
  .superRefine(checkImages)
  .superRefine(checkText)

/** `social.create_post`: handed over when it is executed; the network publishes it at `publish_at`, this machine on or not. */
export const createPostSchema = z
  .strictObject({
    tool: z.literal('social.create_post'),
    network: z.enum(SCHEDULING, 'only Mastodon and Facebook keep posts until their time; use social.publish_post'),
    account: visibleLine(100),
    publish_at: time,
    images: postImagesSchema.optional(),
    body,
  })
  .superRefine(checkImages)
  .superRefine(checkText)

export type PublishPostAction = z.output<typeof publishPostSchema>
export type CreatePostAction = z.output<typeof createPostSchema>
export type SocialAction = PublishPostAction | CreatePostAction

function checkImages(
  { network, images }: { network: Network; images?: readonly DescribedImage[] | undefined },
  context: z.RefinementCtx,
): void {
  const message = images && imagesProblem(network, images)
  if (message !== undefined) context.addIssue({ code: 'custom', path: ['images'], message })
}

function checkText(action: { network: Network; account: string; body: string }, context: z.RefinementCtx): void {
  const name = NETWORK_NAMES[action.network]
  if (!isAccountOf(action.network, action.account)) {
    const message = `no account of ${name} such as ${ACCOUNT_EXAMPLES[action.network]}`
    context.addIssue({ code: 'custom', path: ['account'], message })
  }
  for (const { count, max, unit } of measuresOf(action.network, action.body)) {
    const message = `${count} ${unit}; ${name} takes ${max}`
    if (count > max) context.addIssue({ code: 'custom', path: ['body'], message })
  }
}

/** Why this post may not go from this machine, or not as it stands. */
export function socialFault(action: SocialAction, limits: ActionLimits): ActionFault | undefined {
  const { accounts = [], imagesAt } = limits.social ?? {}
  if (!accounts.some((one) => one.network === action.network && one.account === action.account)) {
    const known = accounts.map(({ network, account }) => `${NETWORK_NAMES[network]} ${account}`).join(', ')
    const say = `This machine posts as ${known || 'nobody'} only, not as ${NETWORK_NAMES[action.network]} ${action.account}.`
    return { rule: 'account-unknown', say }
  }
  const image = action.tool === 'social.publish_post' ? action.image : undefined
  if (image !== undefined && (imagesAt === undefined || !image.startsWith(imagesAt))) {
    const place = imagesAt === undefined ? 'nowhere: COUNTERSIGN_INSTAGRAM_IMAGES is not set' : imagesAt
    return { rule: 'image-place', say: `Images may come from ${place} only, not from ${image}.` }
  }
  return textFault(action.body)
}

/** What readers of the post get to see. */
export function socialParts(action: SocialAction): ActionParts {
  const images = action.images ?? []
  const shown = action.tool === 'social.publish_post' ? [action.alt_text ?? ''] : []
  const text = [action.body, ...shown, ...images.map(({ alt_text }) => alt_text)].join('\n').trim()
  return { recipients: [], text, attachments: images.map(({ name }) => name) }
}

/** The post as the network gets it; `files`: its images, read. */
export function postOf(action: SocialAction, files: readonly PostImage[] = []): SocialPost {
  const images = files.length > 0 && { images: files }
  if (action.tool === 'social.create_post')
    return { text: action.body, publishAt: Date.parse(action.publish_at), image: undefined, ...images }
  const { image, alt_text } = action
  return {
    ...images,
    text: action.body,
    publishAt: undefined,
    image: image === undefined ? undefined : { url: image, altText: alt_text ?? '' },
  }
}

export type Timing =
  | { readonly kind: 'now' }
  /** Its time has not come (ms). */
  | { readonly kind: 'later'; readonly at: number }
  /** The network would not take it for that time any more, or not yet. */
  | { readonly kind: 'passed' | 'too-early'; readonly at: number }

/** Whether the time for the action has come. */
export function timingOf(action: SocialAction, now: number): Timing {
  if (action.tool === 'social.publish_post') {
    const at = action.not_before === undefined ? now : Date.parse(action.not_before)
    return at > now ? { kind: 'later', at } : { kind: 'now' }
  }
  const at = Date.parse(action.publish_at)
  if (at < now + LEAST_NOTICE_MS[action.network]) return { kind: 'passed', at }
  return at > now + MOST_NOTICE_MS[action.network] ? { kind: 'too-early', at } : { kind: 'now' }
}
