import { createPublicKey, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readGuard } from '#adapters/keys/guard-file.ts'
import { readTrust } from '#adapters/keys/trust-files.ts'
import { readPrivateKey } from '#adapters/keys/zone-keys.ts'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { answerProof } from '#adapters/proof/cloud-proof.ts'
import { openDoorbell } from '#adapters/queue/doorbell.ts'
import { connectRedis } from '#adapters/queue/redis.ts'
import { startWorker } from '#adapters/queue/worker.ts'
import { openReceived } from '#adapters/received/received.ts'
import { SECRETLINT_TRIGGERS } from '#adapters/secretlint/triggers.ts'
import { answerMaintenance, askedMaintenance } from '#adapters/state-files/maintenance.ts'
import { openRequests } from '#adapters/state-files/requests.ts'
import { noteSetBack, readRestoreMark } from '#adapters/state-files/restore-mark.ts'
import { openTrash, readStatus, writeStateFile } from '#adapters/state-files/state-files.ts'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import { placesOf, watchCertificates, webPlace } from '#adapters/tls/watch-certificates.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { watchTree } from '#adapters/vault-fs/watch-tree.ts'
import { openWorkTree } from '#adapters/vault-fs/work-tree.ts'
import { guardScan, lazyScan, rememberingScan, ruleScan, scanInLayers } from '#core/content-scan.ts'
import type { Finding } from '#core/finding.ts'
import { gateTrust } from '#core/gate.ts'
import { BEAT_EVERY_MS } from '#core/heartbeat.ts'
import type { Oid } from '#core/ports/repo.ts'
import { loadServiceConfig, settingNames } from '#runtime/config.ts'
import { sentinelsOf } from '#runtime/redis-sentinels.ts'
import { runService, type Start } from '#runtime/service.ts'
import { Attention } from './attention.ts'
import { checkEverything, lastCheck } from './care/check-everything.ts'
import { retriedOnDiskFault } from './care/disk-fault.ts'
import { startMaintenance } from './care/maintain.ts'
import { repairOpenClone, repairSync } from './care/repair-sync.ts'
import { standingReasons } from './care/verify-vault.ts'
import { CLAIMS_PER_PUSH } from './claims/claim-tasks.ts'
import { createCourtesy } from './claims/courtesy.ts'
import { syncSettings } from './config.ts'
import { keepBeating } from './hub/heartbeats.ts'
import { pollHub } from './hub/poll-hub.ts'
import { reopeningRepo } from './hub/reopening-repo.ts'
import { heedRestore } from './hub/restore-hub.ts'
import { timedRepo } from './hub/timed-repo.ts'
import { zoneMetrics } from './hub/zone-metrics.ts'
import { careFor, checkpointKeys, MEMORY } from './main-care.ts'
import { tries } from './main-proof.ts'
import { runSync } from './run-sync.ts'
import type { SyncDeps } from './sync-deps.ts'
import { createScanner } from './work-tree/scan-work-tree.ts'

const config = loadServiceConfig('sync', syncSettings)
const clock = { now: Date.now }
const time = { now: () => performance.now() }
/** Each call to git has a limit of its own; this is for what never comes back. */
const LONGEST_ROUND_MS = 180_000
const IDLE_BEAT_MS = 5_000
const TIDY_MS = 3_600_000
/** Between a few files of a check, which is in no hurry. */
const BREATH_MS = 5
/** Twenty megabytes that most zones never need. */
const loadSecretlint = async () => (await import('#adapters/secretlint/secretlint.ts')).secretlintScan()

const start: Start = async ({ log, metrics, resources, check, progress, fail, stopping, tell, document }) => {
  const { agents } = await readTrust(config.trust)
  const key = (name: string) => join(config.keys, name)
  const vault = await openVault(config.vault, { watch: { pollMs: config.vaultPollMs } })
  const workTree = openWorkTree(vault.root)
  const care = await careFor(config, workTree)
  const told = (findings: readonly Finding[]) => {
    for (const { check, result, found } of findings)
      if (result !== 'ok') log.warn({ check, outcome: result, reason: found }, 'repair')
  }
  const repo = timedRepo(resources.use(reopeningRepo(await care.openMended(told), care.open)), metrics)
  told([care.mendMemory()])
  const scan = scanInLayers([
    guardScan(await readGuard(config.keys)),
    ruleScan,
    lazyScan(SECRETLINT_TRIGGERS, loadSecretlint),
  ])
  const store = resources.use(openSyncStore(join(config.state, MEMORY)))
  heedRestore(readRestoreMark(config.state)?.id, { store, clock })
  const redis = resources.use(
    await connectRedis(config.redisUrl, config.redisPassword?.read(), log, sentinelsOf(config)),
  )
  const scanner = createScanner({ workTree, repo, store, clock })
  const ledger = resources.use(
    openLedger({ vaultRoot: vault.root, stateDir: config.state, agent: config.agent, clock, metrics }),
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
  const deps: SyncDeps = {
    ...{ zone: config.zone, agent: config.agent, repo, workTree, store, ledger, clock },
    // First: whoever goes on from an older state must know that it is one.
    takeOverLedger: (days, lastAt) => ledger.takeOver(days, () => noteSetBack(config.state, lastAt)),
    trust: async () => gateTrust(await readTrust(config.trust)),
    requests: await openRequests(config.state, clock.now()),
    courtesy,
    notOurs: new Set(),
    received: resources.use(openReceived(config.state)),
    scanner,
    scan: rememberingScan(scan),
    attention: new Attention(),
    carriesPrivate: config.privateDomains,
    claimsPerPush: CLAIMS_PER_PUSH,
    ledgerKey: await readPrivateKey(key('ledger.pem')),
    ledgerKeys: new Map(publicKeys),
    doorbell: resources.use(await openDoorbell(redis, log)),
    nonce: () => randomBytes(16).toString('hex'),
    keepInTrash: await openTrash(join(config.state, 'trash'), clock.now()),
    // Full jitter: who lost a race comes back at a random moment, later each time.
    pause: (attempt) => delay(Math.random() * Math.min(2_000, 50 * 2 ** attempt)),
    at: () => {},
  }
  // Mending has limits of its own, longer than a round's.
  let isMending = false
  const mendClone = async () => {
    isMending = true
    try {
      return await care.mendClone()
    } finally {
      isMending = false
    }
  }
  const tools = { repo, mendClone, inspectShared: care.inspectShared }
  const sync = resources.use(
    runSync(deps, {
      ...{ log, metrics, random: Math.random, monotonic: time.now, onFault: fail },
      writeStatus: (status) => writeStateFile(config.state, 'sync-status.json', `${JSON.stringify(status, null, 2)}\n`),
      onProgress: alive,
      repair: async () => told(await repairOpenClone(deps, tools)),
    }),
  )
  const keys = await checkpointKeys(config.trust)
  const maintenance = resources.use(
    startMaintenance({
      ...{ log, metrics, now: clock.now, hour: config.checkHour, noteCheck: sync.noteCheck },
      lastCheckAt: () => lastCheck(store)?.atMs,
      asked: () => askedMaintenance(config.state),
      answer: (report) => answerMaintenance(config.state, report),
      repair: (mayReset) => sync.exclusive(() => repairSync(deps, tools, mayReset)),
      check: (readAll) =>
        checkEverything(
          {
            ...{ ...deps, nowMs: clock.now(), checkpointKeys: keys, ledgerHead: ledger.head },
            ...{
              ...standingReasons(deps),
              mark: scanner.mark,
              breathe: () => delay(BREATH_MS, undefined, { signal: stopping }),
            },
          },
          { readAll, confirm: sync.exclusive },
        ),
    }),
  )
  resources.use(
    watchCertificates(placesOf({ hub: webPlace(config.hubUrl) }), (of, ends) => tell.ends('certificate', of, ends)),
  )
  const proof = { ...config, service: 'sync', settings: settingNames() }
  answerProof({ document }, { ...proof, tries: () => tries(config, lastCheck(store), clock.now()) })
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
  resources.use(
    keepBeating(
      {
        ...{ agent: config.agent, zone: config.zone, store, clock, log },
        port: resources.use(await care.heartbeats()),
        others: async () => new Map([...(await deps.trust()).agents].filter(([agent]) => agent !== config.agent)),
        status: () => readStatus(config.state),
        onBeats: zoneMetrics(metrics),
        onClock: ({ leastMs, mostMs }) => tell.clock('hub', leastMs, mostMs),
      },
      BEAT_EVERY_MS,
      (isReached) => {
        if (isReached) deps.attention.hubReachedAt = deps.attention.listenedAt = clock.now()
        sync.request()
      },
    ),
  )
  const handlers = {
    'sync-now': async () => {
      sync.requestNow()
      maintenance.look()
    },
  }
  resources.use(await startWorker(redis, 'sync', handlers, { log, metrics, onProgress: progress('queue', 60_000) }))
  const reconcile = setInterval(() => {
    scanner.markAll()
    sync.requestNow()
  }, config.reconcileMs)
  // Idle is progress too; a round that does not end is not.
  const idle = setInterval(() => {
    if (isMending || maintenance.isBusy() || !sync.isRunning()) alive()
    maintenance.look()
  }, IDLE_BEAT_MS)
  const tidy = setInterval(
    () => void repo.tidy().catch((error: unknown) => log.warn({ err: error }, 'could not pack objects')),
    TIDY_MS,
  )
  for (const timer of [reconcile, idle, tidy]) resources.defer(() => clearInterval(timer))
  sync.requestNow()
}

await runService('sync', config, retriedOnDiskFault(start))
