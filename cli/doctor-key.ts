import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parsePrivateKey, readCountersignFile, spkiOf } from '#adapters/keys/countersign-key.ts'
import { readAgents } from '#adapters/keys/trust-files.ts'
import type { Finding } from '#core/finding.ts'
import { passphraseIn } from './countersign-key.ts'
import { attempt } from './finding.ts'
import type { ZoneHome } from './zone-home.ts'

const CHECK = 'countersigning key'

/** Whether the executor can countersign: the key is there, private, opens, and is the one that the zones know. */
export async function keyFindings(home: ZoneHome, env: Record<string, string>): Promise<Finding[]> {
  if (home.zone !== 'local') return []
  if (!existsSync(home.secrets) && !existsSync(join(home.keys, 'countersign.pem')))
    return [{ check: CHECK, result: 'skipped', found: 'not to be seen from here: run doctor on the host' }]
  return [
    await attempt(CHECK, '', async () => {
      const { path, pem, isLocked } = await readCountersignFile(home.keys)
      const mode = (await stat(path)).mode & 0o777
      if (mode & 0o077) throw new Error(`${path} has mode ${mode.toString(8)}: others can read it; chmod 600`)
      const file = isLocked ? env.COUNTERSIGN_KEY_PASSPHRASE_FILE : undefined
      const key = parsePrivateKey(path, pem, file === undefined ? undefined : passphraseIn(file))
      if (existsSync(join(home.keys, 'countersign-next.pub')))
        throw new Error('its rotation was interrupted: run `countersign rotate countersign-key` again, it completes it')
      const known = (await readAgents(home.trust)).find((agent) => agent.name === home.agent)
      if (known?.countersign !== spkiOf(key))
        throw new Error(`${path} does not belong to the public key of ${home.agent} in ${home.trust}/agents.json`)
      return isLocked ? 'opens with the passphrase that the executor is given' : 'is there, without a passphrase'
    }),
  ]
}
