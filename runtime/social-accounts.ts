import { join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import { type ConfigOf, SecretFile } from './config.ts'
import type { socialSettings } from './settings.ts'

/** What adapters/social opens the networks with; a credential is read again at each use. */
export function networkOptionsOf(config: ConfigOf<typeof socialSettings>) {
  const { mastodonUrl, blueskyUrl, linkedinVersion, socialSecrets } = config
  return {
    ...{ mastodonUrl, blueskyUrl, linkedinVersion },
    secretOf(network: string): string {
      if (socialSecrets === undefined)
        throw new CountersignError('ERR_SOCIAL_AUTH', `${network}: COUNTERSIGN_SOCIAL_SECRETS names no folder`)
      try {
        return new SecretFile(join(socialSecrets, network)).read()
      } catch (cause) {
        throw new CountersignError('ERR_SOCIAL_AUTH', (cause as Error).message, { cause })
      }
    },
  }
}
