import type { Clock } from '#core/ports/clock.ts'
import type { PostImage, PublishOutcome } from '#core/ports/social-network.ts'

export type Refused = Extract<PublishOutcome, { kind: 'refused' }>

/** One image may take so long on a slow line, ms. */
export const UPLOAD_LIMIT_MS = 60_000
/** Uploads of one post that take longer are given up: what is left must be enough for the post itself. */
const ALL_UPLOADS_MS = 90_000

/**
 * Uploads the images of a post one after the other, and stops at the first that fails. An image without a post is seen by
 * nobody and goes away by itself: nothing was posted, whatever became of it.
 */
export async function uploadAll<T extends object>(
  images: readonly PostImage[],
  clock: Clock,
  upload: (image: PostImage) => Promise<T | Refused>,
): Promise<readonly T[] | Refused> {
  const startedAt = clock.now()
  const uploaded: T[] = []
  for (const image of images) {
    if (clock.now() - startedAt > ALL_UPLOADS_MS) return nothing('the images took too long to upload')
    const one = await upload(image)
    if (isRefused(one)) return one
    uploaded.push(one)
  }
  return uploaded
}

export function isRefused(value: object): value is Refused {
  return 'kind' in value && value.kind === 'refused'
}

/** What a failed upload means: it is no post, so nothing about it is unknown. */
export function notUploaded(image: PostImage, failed: Exclude<PublishOutcome, { kind: 'accepted' }>): Refused {
  const what = `the image ${JSON.stringify(image.name)}`
  return failed.kind === 'refused'
    ? { ...failed, say: `${what}: ${failed.say}` }
    : nothing(`${what}: ${failed.reason}; nothing was posted`)
}

/** Before the post, every failure is definite. */
export function nothing(say: string, permanent = false): Refused {
  return { kind: 'refused', permanent, say }
}
