import { CountersignError } from '#core/errors.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { SocialNetwork } from '#core/ports/social-network.ts'
import { NETWORK_NAMES } from '#core/social-text.ts'
import type { Log } from '#runtime/logger.ts'
import { watchSender } from './sender-watch.ts'

/** Networks count every question: one that was answered well is good for this long (ms). */
const VERIFIED_MS = 10 * 60_000

/** An account that is left alone while its network is away, or for as long as it asked to be. */
export interface PatientNetwork extends SocialNetwork {
  /** True, or what is wrong, in words for the person. */
  state(): true | string
  /** True when it may be posted to now. */
  isReady(): Promise<boolean>
}

export function patientNetwork(network: SocialNetwork, clock: Clock, log: Log): PatientNetwork {
  const name = `${NETWORK_NAMES[network.network]} ${network.account}`
  let verifiedAt = Number.NEGATIVE_INFINITY
  let notBefore = 0
  const verify = async () => {
    const now = clock.now()
    if (now < notBefore) {
      const until = new Date(notBefore).toISOString()
      throw new CountersignError('ERR_SOCIAL_UNREACHABLE', `${name} wants to be left alone until ${until}`)
    }
    if (now - verifiedAt < VERIFIED_MS && now >= verifiedAt) return
    await network.verify()
    verifiedAt = now
  }
  const watch = watchSender(verify, clock, (state, error) =>
    state === true ? log.info({}, `${name} is back`) : log.warn({ err: error }, state),
  )
  return {
    network: network.network,
    account: network.account,
    verify,
    find: (post, key) => network.find(post, key),
    state: () => watch.state(),
    isReady: () => watch.isReady(),
    async publish(post, key) {
      const outcome = await network.publish(post, key)
      if (outcome.kind === 'refused' && outcome.retryAt !== undefined) notBefore = outcome.retryAt
      if (outcome.kind === 'refused' && !outcome.permanent) verifiedAt = Number.NEGATIVE_INFINITY
      return outcome
    },
  }
}
