import { CountersignError } from '#core/errors.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { Endpoint } from './http.ts'

/** What every network's adapter is made from. */
export interface SocialAccount {
  /** As an action names it. */
  readonly account: string
  /** Another server than the network's own: https, or loopback. */
  readonly baseUrl: string
  /** Read again at each use, so that a renewed one is taken up. */
  secret(): string
  readonly clock: Clock
  readonly limitMs?: number
  /** How often, and how long in between (ms), the network is asked whether it is done with an image. */
  readonly patience?: { readonly tries: number; readonly pauseMs: number }
}

export function endpointOf(network: string, account: SocialAccount): Endpoint {
  const { baseUrl, limitMs } = account
  return { name: `${network} ${account.account}`, baseUrl, ...(limitMs !== undefined && { limitMs }) }
}

export function bearer(account: SocialAccount): Record<string, string> {
  return { authorization: `Bearer ${account.secret()}` }
}

/** Throws ERR_SOCIAL_AUTH when the credential turns out to be that of another account. */
export function requireSame(endpoint: Endpoint, wanted: string, found: string): void {
  if (wanted.toLowerCase() === found.toLowerCase()) return
  const seen = found.replace(/\s+/g, ' ').slice(0, 100)
  throw new CountersignError('ERR_SOCIAL_AUTH', `${endpoint.name}: the credential is that of ${seen}`)
}
