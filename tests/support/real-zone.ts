import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { openRepo } from '#adapters/git/repo.ts'
import { readTrust } from '#adapters/keys/trust-files.ts'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { openReceived } from '#adapters/received/received.ts'
import { secretlintScan } from '#adapters/secretlint/secretlint.ts'
import { SECRETLINT_TRIGGERS } from '#adapters/secretlint/triggers.ts'
import { noteSetBack } from '#adapters/state-files/restore-mark.ts'
import { openTrash } from '#adapters/state-files/state-files.ts'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { openWorkTree } from '#adapters/vault-fs/work-tree.ts'
import { lazyScan, ruleScan, scanInLayers } from '#core/content-scan.ts'
import { gateTrust } from '#core/gate.ts'
import { type LedgerEntry, parseLedgerLine } from '#core/ledger.ts'
import type { Oid, RepoPort } from '#core/ports/repo.ts'
import { Attention } from '#services/sync/attention.ts'
import { CLAIMS_PER_PUSH } from '#services/sync/claims/claim-tasks.ts'
import { createCourtesy } from '#services/sync/claims/courtesy.ts'
import type { CycleOutcome } from '#services/sync/cycle-outcome.ts'
import { cachedRepo } from '#services/sync/hub/cached-repo.ts'
import { syncCycle } from '#services/sync/sync-cycle.ts'
import type { SyncDeps } from '#services/sync/sync-deps.ts'
import { createScanner } from '#services/sync/work-tree/scan-work-tree.ts'
import type { Zones } from './git-zones.ts'

/** The local zone's sync on real files with a real clone, one round at a time. */
export interface RealZone extends AsyncDisposable {
  readonly repo: RepoPort
  readonly gitDir: string
  sync(): Promise<CycleOutcome>
  put(path: string, text: string): void
  move(from: string, to: string): void
  /** Every file of the vault but its own ledger. */
  files(): Record<string, string>
  ledger(): LedgerEntry[]
}

/** `dir` holds `vault/` and `state/`; what is there is gone on with. */
export async function openRealZone(zones: Zones, dir: string, hubUrl: string): Promise<RealZone> {
  const [vaultRoot, stateDir, home] = [join(dir, 'vault'), join(dir, 'state'), zones.home('local')]
  for (const folder of [vaultRoot, stateDir]) mkdirSync(folder, { recursive: true })
  const closing = new AsyncDisposableStack()
  const clock = { now: Date.now }
  const gitDir = join(stateDir, 'repo.git')
  const { agents } = await readTrust(join(home, 'trust'))
  const signingKeyFile = join(home, 'keys', 'signing')
  const repo = closing.use(await openRepo({ gitDir, hubUrl, agent: 'local', signingKeyFile, agents }))
  const store = closing.use(openSyncStore(join(stateDir, 'sync.sqlite')))
  const ledger = closing.use(openLedger({ vaultRoot, stateDir, agent: 'local', clock }))
  const workTree = openWorkTree((await openVault(vaultRoot)).root)
  const cached = cachedRepo(repo)
  const deps: SyncDeps = {
    ...{ zone: 'local', agent: 'local', carriesPrivate: true, repo: cached, workTree, store, ledger, clock },
    takeOverLedger: (days, lastAt) => ledger.takeOver(days, () => noteSetBack(stateDir, lastAt)),
    trust: async () => gateTrust(await readTrust(join(home, 'trust'))),
    scan: scanInLayers([ruleScan, lazyScan(SECRETLINT_TRIGGERS, async () => secretlintScan())]),
    requests: { open: async () => [], answer: async () => {} },
    courtesy: createCourtesy({ agent: 'local', agents: new Map(), random: () => 0, now: clock.now, onTurn: () => {} }),
    notOurs: new Set<Oid>(),
    claimsPerPush: CLAIMS_PER_PUSH,
    received: closing.use(openReceived(stateDir)),
    scanner: createScanner({ workTree, repo: cached, store, clock }),
    attention: new Attention(),
    ledgerKey: generateKeyPairSync('ed25519').privateKey,
    ledgerKeys: new Map(),
    doorbell: { ring: async () => {} },
    nonce: () => 'nonce',
    keepInTrash: await openTrash(join(stateDir, 'trash'), clock.now()),
    pause: async () => {},
    at: () => {},
  }
  return {
    ...{ repo, gitDir },
    sync: () => {
      deps.scanner.markAll()
      return syncCycle(deps)
    },
    put(path, text) {
      mkdirSync(dirname(join(vaultRoot, path)), { recursive: true })
      writeFileSync(join(vaultRoot, path), text)
    },
    move(from, to) {
      mkdirSync(dirname(join(vaultRoot, to)), { recursive: true })
      renameSync(join(vaultRoot, from), join(vaultRoot, to))
    },
    files: () => Object.fromEntries(filesIn(vaultRoot).filter(([path]) => !path.startsWith('Logs/local/'))),
    ledger: () =>
      filesIn(join(vaultRoot, 'Logs', 'local')).flatMap(([, text]) =>
        text.split('\n').flatMap((line) => parseLedgerLine(line) ?? []),
      ),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

function filesIn(root: string): [string, string][] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [relative(root, path), readFileSync(path, 'latin1')])
}
