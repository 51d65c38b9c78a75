import { createPublicKey, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openRepo } from '#adapters/git/repo.ts'
import { readGuard } from '#adapters/keys/guard-file.ts'
import { readTrust } from '#adapters/keys/trust-files.ts'
import { readPrivateKey } from '#adapters/keys/zone-keys.ts'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { openDoorbell } from '#adapters/queue/doorbell.ts'
import { connectRedis } from '#adapters/queue/redis.ts'
import { startWorker } from '#adapters/queue/worker.ts'
import { openReceived } from '#adapters/received/received.ts'
import { SECRETLINT_TRIGGERS } from '#adapters/secretlint/triggers.ts'
import { openRequests } from '#adapters/state-files/requests.ts'
import { openTrash, writeStateFile } from '#adapters/state-files/state-files.ts'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { watchTree } from '#adapters/vault-fs/watch-tree.ts'
import { openWorkTree } from '#adapters/vault-fs/work-tree.ts'
import { guardScan, lazyScan, rememberingScan, ruleScan, scanInLayers } from '#core/content-scan.ts'
import { gateTrust } from '#core/gate.ts'
import type { Oid } from '#core/ports/repo.ts'
import { loadConfig } from '#runtime/config.ts'
import { runService } from '#runtime/service.ts'
import { Attention } from './attention.ts'
import { cachedRepo } from './cached-repo.ts'
import { syncSettings } from './config.ts'
import { createCourtesy } from './courtesy.ts'
import { pollHub } from './poll-hub.ts'
import { runSync } from './run-sync.ts'
import { createScanner } from './scan-work-tree.ts'

const config = loadConfig('sync', syncSettings)
const clock = { now: Date.now }
const time = { now: () => performance.now() }
/** Each call to git has a limit of its own; this is for what never comes back. */
const LONGEST_ROUND_MS = 180_000
const IDLE_BEAT_MS = 5_000
const TIDY_MS = 3_600_000
/** Twenty megabytes that most zones never need. */
const loadSecretlint = async () => (await import('#adapters/secretlint/secretlint.ts')).secretlintScan()

await runService('sync', config, async ({ log, metrics, resources, check, progress, fail }) => {
  const { agents } = await readTrust(config.trust)
  const key = (name: string) => join(config.keys, name)
  const trust = (name: string) => join(config.trust, name)
  const clone = resources.use(
    await openRepo({
      gitDir: join(config.state, 'repo.git'),
      hubUrl: config.hubUrl,
      agent: config.agent,
      signingKeyFile: key('signing'),
      agents,
      ssh: { deployKeyFile: key('deploy'), knownHostsFile: trust('known_hosts') },
    }),
  )
  const repo = cachedRepo(clone)
  const scan = scanInLayers([
    guardScan(await readGuard(config.keys)),
    ruleScan,
    lazyScan(SECRETLINT_TRIGGERS, loadSecretlint),
  ])
  const store = resources.use(openSyncStore(join(config.state, 'sync.sqlite')))
  const redis = resources.use(await connectRedis(config.redisUrl, config.redisPassword?.read(), log))
  const vault = await openVault(config.vault, { watch: { pollMs: config.vaultPollMs } })
  const workTree = openWorkTree(vault.root)
  const scanner = createScanner({ workTree, repo, store, clock })
  const ledger = resources.use(
    openLedger({ vaultRoot: vault.root, stateDir: config.state, agent: config.agent, clock }),
  )
  const publicKeys = agents.map(
    (one) =>
      [one.name, createPublicKey({ key: Buffer.from(one.ledger, 'base64'), format: 'der', type: 'spki' })] as const,
  )
  const zones = new Map(agents.map((one) => [one.name, one.zone]))
  const courtesy = resources.use(
    createCourtesy({
      ...time,
      agent: config.agent,
      agents: zones,
      random: Math.random,
      onTurn: () => sync.requestNow(),
    }),
  )
  const alive = progress('cycle', LONGEST_ROUND_MS)
  const sync = resources.use(
    runSync(
      {
        ...{ zone: config.zone, agent: config.agent, repo, workTree, store, ledger, clock },
        trust: async () => gateTrust(await readTrust(config.trust)),
        requests: await openRequests(config.state, clock.now()),
        courtesy,
        notOurs: new Set(),
        received: resources.use(openReceived(config.state)),
        scanner,
        scan: rememberingScan(scan),
        attention: new Attention(),
        carriesPrivate: config.privateDomains,
        ledgerKey: await readPrivateKey(key('ledger.pem')),
        ledgerKeys: new Map(publicKeys),
        doorbell: resources.use(await openDoorbell(redis, log)),
        nonce: () => randomBytes(16).toString('hex'),
        keepInTrash: await openTrash(join(config.state, 'trash'), clock.now()),
        // Full jitter: who lost a race comes back at a random moment, later each time.
        pause: (attempt) => delay(Math.random() * Math.min(2_000, 50 * 2 ** attempt)),
        at: () => {},
      },
      {
        ...{ log, metrics, random: Math.random, monotonic: time.now, onFault: fail },
        writeStatus: (status) =>
          writeStateFile(config.state, 'sync-status.json', `${JSON.stringify(status, null, 2)}\n`),
        onProgress: alive,
      },
    ),
  )
  check('redis', () => redis.ping())
  check('hub', sync.hubState)
  check('gate', sync.gateState)
  check('vault', sync.vaultState)

  const onChange = (path: string) => {
    scanner.mark(path)
    sync.request()
  }
  const onLost = () => {
    scanner.markAll()
    sync.request()
  }
  resources.use(watchTree(vault.root, { onChange, onLost }, config.vaultPollMs))
  const onPush = (head?: Oid | null) =>
    sync.requestNow(() => head === undefined || head !== (store.fact('verified') ?? null))
  const hub = repo.watch(onPush)
  if (hub) resources.use(hub)
  const isWatched = () => hub?.isLive() ?? false
  resources.use(pollHub({ repo, store, everyMs: config.pollMs, isWatched, onNews: () => sync.requestNow() }))
  const handlers = { 'sync-now': async () => sync.requestNow() }
  resources.use(await startWorker(redis, 'sync', handlers, { log, onProgress: progress('queue', 60_000) }))
  const reconcile = setInterval(() => {
    scanner.markAll()
    sync.requestNow()
  }, config.reconcileMs)
  // Idle is progress too; a round that does not end is not.
  const idle = setInterval(() => sync.isRunning() || alive(), IDLE_BEAT_MS)
  const tidy = setInterval(
    () => void repo.tidy().catch((error: unknown) => log.warn({ err: error }, 'could not pack objects')),
    TIDY_MS,
  )
  for (const timer of [reconcile, idle, tidy]) resources.defer(() => clearInterval(timer))
  sync.requestNow()
})
