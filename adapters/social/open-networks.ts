import { CountersignError } from '#core/errors.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { SocialNetwork } from '#core/ports/social-network.ts'
import type { SocialAccountName } from '#core/social-accounts.ts'
import type { SocialAccount } from './account.ts'
import { bluesky } from './bluesky.ts'
import { facebook } from './facebook.ts'
import { GRAPH_URL } from './graph.ts'
import { instagram } from './instagram.ts'
import { LINKEDIN_URL, linkedin } from './linkedin.ts'
import { mastodon } from './mastodon.ts'
import { X_URL, x } from './x.ts'

/** What the settings say beside the accounts. */
export interface NetworkOptions {
  /** undefined: https and the domain in the account's name. */
  readonly mastodonUrl: string | undefined
  readonly blueskyUrl: string
  /** YYYYMM */
  readonly linkedinVersion: string
  /** The credential of a network. Throws ERR_SOCIAL_AUTH. */
  secretOf(network: SocialAccountName['network']): string
  readonly clock: Clock
}

/** A client for each account. */
export function openNetworks(accounts: readonly SocialAccountName[], options: NetworkOptions): SocialNetwork[] {
  return accounts.map((one) => definite(open(one, options)))
}

function open({ network, account }: SocialAccountName, options: NetworkOptions): SocialNetwork {
  const at = (baseUrl: string): SocialAccount => {
    return { account, baseUrl, secret: () => options.secretOf(network), clock: options.clock }
  }
  switch (network) {
    case 'mastodon':
      return mastodon(at(options.mastodonUrl ?? `https://${account.slice(account.lastIndexOf('@') + 1)}`))
    case 'bluesky':
      return bluesky(at(options.blueskyUrl))
    case 'linkedin':
      return linkedin({ ...at(LINKEDIN_URL), version: options.linkedinVersion })
    case 'x':
      return x(at(X_URL))
    case 'facebook':
      return facebook(at(GRAPH_URL))
    case 'instagram':
      return instagram(at(GRAPH_URL))
  }
}

/**
 * The request itself never throws, so what does throw one of our errors (a credential that cannot be read) came before
 * it: nothing was posted.
 */
export function definite(network: SocialNetwork): SocialNetwork {
  return {
    network: network.network,
    account: network.account,
    verify: () => network.verify(),
    find: (post, key) => network.find(post, key),
    async publish(post, key) {
      try {
        return await network.publish(post, key)
      } catch (error) {
        if (!(error instanceof CountersignError)) throw error
        return { kind: 'refused', permanent: false, say: error.message }
      }
    },
  }
}
