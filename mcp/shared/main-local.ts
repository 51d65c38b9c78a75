import { join } from 'node:path'
import { openJournal } from '#adapters/journal/journal.ts'
import { readCountersignKey } from '#adapters/keys/trust-files.ts'
import { CountersignError } from '#core/errors.ts'
import type { JournalPort } from '#core/ports/journal.ts'
import type { Zone } from '#core/zone-policy.ts'
import type { ActingDeps } from './acting-tool.ts'

/**
 * What the tools that act work with outside the executor: they work under the running executor's epoch, and only with a
 * receipt which that executor journaled, so that another client cannot act by itself. Throws ERR_ZONE_FORBIDDEN for the
 * tool named in any other zone than local, and at once where there is no countersigning key.
 */
export async function actingOutside(
  config: { readonly zone: Zone; readonly trust: string; readonly agent: string; readonly state: string },
  tool: string,
): Promise<ActingDeps> {
  if (config.zone !== 'local')
    throw new CountersignError('ERR_ZONE_FORBIDDEN', `${tool} was asked for in the zone ${config.zone}`)
  // Read for each call: the key may have been replaced since the last one.
  const publicKey = () => readCountersignKey(config.trust, config.agent)
  await publicKey()
  let journal: JournalPort | undefined
  return {
    publicKey,
    clock: { now: () => Date.now() },
    consume(receipt, now) {
      // Joined anew for each call: the executor may have been restarted since the last one.
      journal?.[Symbol.dispose]()
      journal = openJournal(join(config.state, 'journal.sqlite'), { epoch: 'join' })
      return journal.consume(receipt, now)
    },
    isNewest: () => journal?.isNewest() ?? false,
  }
}
