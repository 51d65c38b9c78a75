import { z } from 'zod'
import { NETWORKS, type Network } from './social-text.ts'

/** An account that posts may be made for, by the person's settings. */
export interface SocialAccountName {
  readonly network: Network
  readonly account: string
}

/** How each network names an account; one way of writing each, so that a digest means one account. */
const ACCOUNT: Readonly<Record<Network, RegExp>> = {
  mastodon: /^@[A-Za-z0-9_.-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$/,
  bluesky: /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/,
  linkedin: /^urn:li:(person|organization):[A-Za-z0-9_-]{1,50}$/,
  x: /^@[A-Za-z0-9_]{1,15}$/,
  facebook: /^\d{5,25}$/,
  instagram: /^\d{5,25}$/,
}

export const ACCOUNT_EXAMPLES: Readonly<Record<Network, string>> = {
  mastodon: '@you@social.example',
  bluesky: 'you.bsky.social',
  linkedin: 'urn:li:organization:5515715',
  x: '@you',
  facebook: 'the id of the page, 546349135390552',
  instagram: 'the id of the account, 17841405822304914',
}

export function isAccountOf(network: Network, account: string): boolean {
  return ACCOUNT[network].test(account)
}

/** `mastodon:@you@social.example, x:@you`: one account for each network; empty when absent. */
export const socialAccountList: z.ZodType<readonly SocialAccountName[], string | undefined> = z
  .string()
  .optional()
  .transform((text, context) => {
    const accounts: SocialAccountName[] = []
    const fault = (message: string) => context.addIssue({ code: 'custom', message })
    for (const item of (text ?? '')
      .split(',')
      .map((one) => one.trim())
      .filter(Boolean)) {
      const [name = '', account = ''] = item.split(/:(.*)/s)
      const network = NETWORKS.find((known) => known === name)
      if (!network) fault(`expected network:account with a network of ${NETWORKS.join(', ')}`)
      else if (!isAccountOf(network, account))
        fault(`expected an account of ${network} such as ${ACCOUNT_EXAMPLES[network]}`)
      else if (accounts.some((one) => one.network === network)) fault(`expected one account of ${network}`)
      else accounts.push({ network, account })
    }
    return accounts
  })
