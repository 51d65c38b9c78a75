import { createPublicKey, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { openHeartbeats } from '#adapters/git/heartbeats.ts'
import { repairClone } from '#adapters/git/repair-clone.ts'
import { openRepo, type RepoOptions } from '#adapters/git/repo.ts'
import { readTrust } from '#adapters/keys/trust-files.ts'
import { asideFolder } from '#adapters/state-files/aside.ts'
import { inspectDatabase, mendDatabase } from '#adapters/state-files/mend-database.ts'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import type { HeartbeatsPort } from '#core/ports/heartbeats.ts'
import type { RepoPort } from '#core/ports/repo.ts'
import type { WorkTreePort } from '#core/ports/work-tree.ts'
import { findInVault } from './care/find-in-vault.ts'
import { cachedRepo } from './hub/cached-repo.ts'

// What the service and the command `countersign sync --repair` share: opening what sync works with, and mending it.

/** Where a zone's sync has its things. */
export interface CarePlace {
  readonly state: string
  readonly keys: string
  readonly trust: string
  readonly hubUrl: string
  readonly agent: string
}

export interface Care {
  open(): Promise<RepoPort>
  heartbeats(): Promise<HeartbeatsPort>
  /** As `open`, and a clone that git refuses to work with is mended first. */
  openMended(onMended: (findings: readonly Finding[]) => void): Promise<RepoPort>
  /** Of a clone that is closed. */
  mendClone(): Promise<Finding[]>
  /** Of a memory that is closed. */
  mendMemory(): Finding
  /** The databases that sync shares with the zone's other processes. */
  inspectShared(): Finding[]
}

export const MEMORY = 'sync.sqlite'
const SHARED = {
  'received.sqlite':
    'Stop the zone and move the file away: every open card is then shown to you anew, and nothing is approved.',
  'ledger.sqlite': 'Stop the zone and move the file away: the ledger goes on from its last line in Logs/.',
}

export async function careFor(place: CarePlace, workTree: Pick<WorkTreePort, 'list' | 'read'>): Promise<Care> {
  const options = await cloneOptions(place)
  const file = (name: string) => join(place.state, name)
  const aside = () => asideFolder(place.state, Date.now())
  const open = async () => cachedRepo(await openRepo(options))
  const mendClone = () =>
    repairClone({ ...options, asideDir: aside(), findInVault: (wanted) => findInVault(wanted, workTree) })
  return {
    open,
    heartbeats: () => openHeartbeats({ ...options, gitDir: file('heartbeats.git') }),
    mendClone,
    async openMended(onMended) {
      try {
        return await open()
      } catch (error) {
        if (!(error instanceof CountersignError && error.code === 'ERR_GIT_FAILED')) throw error
        onMended(await mendClone())
        return open()
      }
    },
    mendMemory: () => mendDatabase(file(MEMORY), aside()),
    inspectShared: () => Object.entries(SHARED).map(([name, hint]) => inspectDatabase(file(name), hint)),
  }
}

export async function cloneOptions({ state, keys, trust, hubUrl, agent }: CarePlace): Promise<RepoOptions> {
  const { agents } = await readTrust(trust)
  return {
    ...{ gitDir: join(state, 'repo.git'), hubUrl, agent, agents },
    signingKeyFile: join(keys, 'signing'),
    ssh: { deployKeyFile: join(keys, 'deploy'), knownHostsFile: join(trust, 'known_hosts') },
  }
}

/** Every key that an agent's checkpoints were ever signed with, former agents too. */
export async function checkpointKeys(trustDir: string): Promise<Map<string, KeyObject[]>> {
  const { agents, revoked } = await readTrust(trustDir)
  const keys = new Map<string, KeyObject[]>()
  for (const { name, ledger } of [...agents, ...revoked]) {
    const key = createPublicKey({ key: Buffer.from(ledger, 'base64'), format: 'der', type: 'spki' })
    keys.set(name, [...(keys.get(name) ?? []), key])
  }
  return keys
}
