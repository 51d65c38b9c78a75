import type { Network } from '../social-text.ts'
import type { MailFile } from './mail.ts'

/** An image with its bytes. */
export interface PostImage extends MailFile {
  readonly altText: string
}

/** One post as it goes to a network. */
export interface SocialPost {
  readonly text: string
  /** When the network itself publishes it (ms); undefined: at once. */
  readonly publishAt: number | undefined
  /** By its address: Instagram fetches it. */
  readonly image: { readonly url: string; readonly altText: string } | undefined
  /** Uploaded before the post; absent: none. A post is looked for without them. */
  readonly images?: readonly PostImage[]
}

/** By what a post is known again. */
export interface PostKey {
  /** The same for every try of one approval, and for no other. */
  readonly key: string
  /** When it was meant to be posted, or the earliest time it can have been posted; ms. */
  readonly since: number
}

export type PublishOutcome =
  /** The network took it. `link`: where it can be seen, where the network says so. */
  | { readonly kind: 'accepted'; readonly id: string; readonly link: string | undefined }
  /** Definite: nothing was posted. `permanent`: the same post would be refused again. `retryAt`: not before (ms). */
  | { readonly kind: 'refused'; readonly permanent: boolean; readonly say: string; readonly retryAt?: number }
  /** The request went out, at least in part, and no answer came that says what became of it. */
  | { readonly kind: 'unknown'; readonly reason: string }

export type Found =
  | { readonly kind: 'found'; readonly id: string; readonly link: string | undefined }
  | { readonly kind: 'not-found' }
  /** The network does not let itself be asked. `reason`: a sentence for the person. */
  | { readonly kind: 'cannot-tell'; readonly reason: string }

/** One account at one network. */
export interface SocialNetwork {
  readonly network: Network
  /** As an action names it. */
  readonly account: string
  /** Whether the credential is that of this account. Throws ERR_SOCIAL_AUTH or ERR_SOCIAL_UNREACHABLE. */
  verify(): Promise<void>
  /** Posts once; never tries again by itself and never throws for what the network does. */
  publish(post: SocialPost, key: PostKey): Promise<PublishOutcome>
  /** Only looks. Throws ERR_SOCIAL_AUTH or ERR_SOCIAL_UNREACHABLE when the network cannot be asked now. */
  find(post: SocialPost, key: PostKey): Promise<Found>
}
