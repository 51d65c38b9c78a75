import { existsSync } from 'node:fs'
import { isGuardFresh, readGuard } from '#adapters/keys/guard-file.ts'
import type { Finding } from '#core/finding.ts'
import { MIN_SECRET_BYTES } from '#core/secret-guard.ts'
import { attempt } from './finding.ts'
import type { ZoneHome } from './zone-home.ts'
import { knownSecrets, notGuardable } from './zone-secrets.ts'

/** Whether keys/guard.json knows the secrets of now, and which of them it cannot know. */
export async function guardFindings(home: ZoneHome): Promise<Finding[]> {
  if (!existsSync(home.secrets))
    return [
      { check: 'guard', result: 'skipped', found: 'the secrets are not to be seen from here: run doctor on the host' },
    ]
  const secrets = await knownSecrets(home)
  const again = `run init ${home.zone} again, then restart sync`
  const fresh = await attempt('guard', 'knows every secret of this zone', async () => {
    await readGuard(home.keys)
    if (!(await isGuardFresh(home.keys, secrets))) throw new Error(`a secret was changed since it was made: ${again}`)
  })
  return [
    fresh,
    ...notGuardable(secrets).map(
      (name): Finding => ({
        check: 'guard',
        result: 'failed',
        found: `${name} is shorter than ${MIN_SECRET_BYTES} bytes and is not recognised in the vault: choose a longer one`,
      }),
    ),
  ]
}
