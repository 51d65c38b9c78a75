import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readTrust, renewAgent } from '#adapters/keys/trust-files.ts'
import { createAgentKeys, publicIdentity, publicKeysIn } from '#adapters/keys/zone-keys.ts'
import { signOfUse } from '#adapters/zone-copy/running.ts'
import { CountersignError } from '#core/errors.ts'
import type { Oid } from '#core/ports/repo.ts'
import { sshFingerprint } from '#core/trust.ts'
import { renewGuard } from '../countersign-key.ts'
import { pairingFileOf, readPairing, writePairing } from '../init/pairing.ts'
import { lastVerified } from '../last-verified.ts'
import type { ZoneHome } from '../zone-home.ts'
import { giveToOwner } from './give-to-owner.ts'

const FILES = ['signing', 'signing.pub', 'deploy', 'deploy.pub', 'ledger.pem'] as const

export interface KeysRotation {
  /** Fingerprints of the signing keys. */
  readonly old: string
  readonly new: string
  /** The last commit for which the old signing key counts. */
  readonly after: string
  readonly pairingFile: string
  readonly isFinished: boolean
}

/**
 * Gives this agent a new signing key, deploy key and ledger key: they are one identity, and replaced together. What the old signing
 * key signed up to `after` (default: the newest commit that this zone has verified) still counts, nothing later does; the old deploy key opens
 * nothing here from that moment on. New keys are made in full beside the old ones before anything is told of them; a run that died after that
 * is completed by the next. Throws ERR_USAGE while the zone's sync runs, which would go on signing with the old one.
 */
export async function rotateAgentKeys(home: ZoneHome, given: Oid | undefined, now: number): Promise<KeysRotation> {
  const folder = join(home.keys, '.next')
  const isBegun = existsSync(folder)
  const used = await signOfUse(home.root, now)
  if (used !== undefined)
    throw new CountersignError(
      'ERR_USAGE',
      `replacing the keys of ${home.agent}: ${used}; stop the zone first (docker compose -f compose.${home.zone}.yml stop)`,
    )
  const before = await agentOf(home)
  const made = join(folder, 'made')
  if (!existsSync(made)) {
    await rm(folder, { recursive: true, force: true })
    await createAgentKeys(join(folder, 'making'), home.agent)
    await rename(join(folder, 'making'), made)
  }
  // Some of the keys may have been put in their place already.
  const fresh = await publicKeysIn(made).catch(() => publicKeysIn(home.keys))
  if (before.signing !== fresh.signing) {
    const after = given ?? lastVerified(home)
    await renewAgent(home.trust, { ...before, ...fresh }, after)
  }
  for (const name of FILES) {
    const file = join(made, name)
    if (!existsSync(file)) continue
    await giveToOwner(home, file)
    await rename(file, join(home.keys, name))
  }
  const hub = (await readPairing(pairingFileOf(home)).catch(() => undefined))?.hub
  const pairingFile = await writePairing(home, await publicIdentity(home.root, home.zone, home.agent), hub)
  await renewGuard(home)
  await rm(folder, { recursive: true, force: true })
  const { revoked } = await readTrust(home.trust)
  const last = revoked.findLast(({ name }) => name === home.agent)
  return {
    ...{ pairingFile, isFinished: isBegun, new: sshFingerprint(fresh.signing) },
    ...{ old: last ? sshFingerprint(last.signing) : '', after: last?.after ?? '' },
  }
}

async function agentOf(home: ZoneHome) {
  const known = (await readTrust(home.trust)).agents.find(({ name }) => name === home.agent)
  if (known) return known
  throw new CountersignError(
    'ERR_CONFIG_INVALID',
    `replacing the keys of ${home.agent}: ${home.trust}/agents.json does not know it; run init first`,
  )
}
