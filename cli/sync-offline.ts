import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { readGuard } from '#adapters/keys/guard-file.ts'
import { readTrust } from '#adapters/keys/trust-files.ts'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import { openWorkTree } from '#adapters/vault-fs/work-tree.ts'
import { guardScan, ruleScan, scanInLayers } from '#core/content-scan.ts'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import { gateTrust } from '#core/gate.ts'
import type { RepoPort } from '#core/ports/repo.ts'
import type { SyncStore } from '#core/ports/sync-store.ts'
import { placeOf, type VaultPath } from '#core/vault-path.ts'
import { checkEverything } from '#services/sync/care/check-everything.ts'
import { repairHub } from '#services/sync/care/repair-hub.ts'
import { inspectVault, readAnew } from '#services/sync/care/repair-sync.ts'
import { careFor, checkpointKeys, MEMORY } from '#services/sync/main-care.ts'
import type { HubDeps } from '#services/sync/sync-deps.ts'
import { environmentOf, type ZoneHome } from './zone-home.ts'

/**
 * Repairs what sync works with while sync does not run: under the clone's lock, like sync itself. Throws ERR_CLONE_IN_USE
 * when it does run.
 */
export async function repairOffline(home: ZoneHome, mayReset: boolean): Promise<Finding[]> {
  const { care, workTree } = await openCare(home)
  const clone = await care.mendClone()
  const findings = [...clone, care.mendMemory(), ...care.inspectShared(), await inspectVault(workTree)]
  // Without a whole clone nothing can be said about the hub's history.
  if (clone.some(({ result }) => result === 'failed')) return findings
  await using repo = await care.open()
  using store = openSyncStore(join(home.state, MEMORY))
  using ledger = ledgerOf(home)
  const deps = await hubDeps(home, repo, store, ledger)
  await readAnew(deps)
  return [...findings, await repairHub(deps, mayReset)]
}

/** The check of everything while sync does not run. Throws ERR_CLONE_IN_USE when it does. */
export async function verifyOffline(home: ZoneHome): Promise<Finding[]> {
  const { care, workTree } = await openCare(home)
  await using repo = await care.open()
  using store = openSyncStore(join(home.state, MEMORY))
  using ledger = ledgerOf(home)
  const held = new Set(heldPaths(store))
  return checkEverything(
    {
      ...{ repo, store, workTree, agent: home.agent, nowMs: Date.now(), ledgerHead: ledger.head },
      trust: async () => gateTrust(await readTrust(home.trust)),
      checkpointKeys: await checkpointKeys(home.trust),
      // Whatever base and hub differ in is merged by the next round, when there is one.
      isOpen: () => true,
      isHeld: (path) => held.has(path) || (home.zone === 'local' && placeOf(path).kind === 'approved'),
      mark: () => {},
      breathe: async () => {},
    },
    { readAll: true, confirm: (act) => act() },
  )
}

async function openCare(home: ZoneHome) {
  // In sync's container its environment has it, and the zone's file has not.
  const hubUrl = environmentOf(home).COUNTERSIGN_HUB_URL || process.env.COUNTERSIGN_HUB_URL
  if (!hubUrl) throw new CountersignError('ERR_CONFIG_INVALID', `${home.envFile}: COUNTERSIGN_HUB_URL is not set`)
  const workTree = openWorkTree(home.vault)
  const { state, keys, trust, agent } = home
  return { workTree, care: await careFor({ state, keys, trust, agent, hubUrl }, workTree) }
}

function ledgerOf(home: ZoneHome) {
  return openLedger({ vaultRoot: home.vault, stateDir: home.state, agent: home.agent, clock: Date })
}

async function hubDeps(
  home: ZoneHome,
  repo: RepoPort,
  store: SyncStore,
  ledger: ReturnType<typeof ledgerOf>,
): Promise<HubDeps> {
  return {
    ...{ repo, store, ledger, clock: Date, agent: home.agent },
    trust: async () => gateTrust(await readTrust(home.trust)),
    scan: scanInLayers([guardScan(await readGuard(home.keys)), ruleScan]),
    nonce: () => randomBytes(16).toString('hex'),
    at: () => {},
    scanner: { markAll() {} },
  }
}

/** As sync last reported them: `<rule> <path>`. */
function heldPaths(store: SyncStore): VaultPath[] {
  const lines = JSON.parse(store.fact('held') ?? '[]') as string[]
  return lines.map((line) => line.slice(line.indexOf(' ') + 1) as VaultPath)
}
