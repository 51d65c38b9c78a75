import { createPublicKey, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openRepo } from '#adapters/git/repo.ts'
import { watchHub } from '#adapters/git/watch-hub.ts'
import { readAgents } from '#adapters/keys/trust-files.ts'
import { readPrivateKey } from '#adapters/keys/zone-keys.ts'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { openDoorbell } from '#adapters/queue/doorbell.ts'
import { connectRedis } from '#adapters/queue/redis.ts'
import { startWorker } from '#adapters/queue/worker.ts'
import { openReceived } from '#adapters/received/received.ts'
import { openTrash, writeStateFile } from '#adapters/state-files/state-files.ts'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { openWorkTree, watchRootNotes } from '#adapters/vault-fs/work-tree.ts'
import { VAULT_FOLDERS } from '#core/vault-path.ts'
import { loadConfig } from '#runtime/config.ts'
import { runService } from '#runtime/service.ts'
import { Attention } from './attention.ts'
import { cachedRepo } from './cached-repo.ts'
import { syncSettings } from './config.ts'
import { pollHub } from './poll-hub.ts'
import { runSync } from './run-sync.ts'
import { createScanner } from './scan-work-tree.ts'

const config = loadConfig('sync', syncSettings)
const clock = { now: Date.now }

await runService('sync', config, async ({ log, metrics, resources, check, progress, fail }) => {
  const agents = await readAgents(config.trust)
  const key = (name: string) => join(config.keys, name)
  const trust = (name: string) => join(config.trust, name)
  const clone = resources.use(
    await openRepo({
      gitDir: join(config.state, 'repo.git'),
      hubUrl: config.hubUrl,
      agent: config.agent,
      signingKeyFile: key('signing'),
      allowedSignersFile: trust('allowed_signers'),
      agents,
      sshKeygen: config.sshKeygen,
      ssh: { deployKeyFile: key('deploy'), knownHostsFile: trust('known_hosts') },
    }),
  )
  const repo = cachedRepo(clone)
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
  const sync = resources.use(
    runSync(
      {
        ...{ zone: config.zone, agent: config.agent, repo, workTree, store, ledger, clock },
        agents: new Map(agents.map((one) => [one.name, one.zone])),
        received: resources.use(openReceived(config.state)),
        scanner,
        attention: new Attention(),
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
        ...{ log, metrics, random: Math.random, monotonic: () => performance.now(), onFault: fail },
        writeStatus: (status) =>
          writeStateFile(config.state, 'sync-status.json', `${JSON.stringify(status, null, 2)}\n`),
        onProgress: progress('cycle', config.reconcileMs * 2 + 60_000),
      },
    ),
  )
  check('redis', () => redis.ping())
  check('hub', sync.hubState)
  check('gate', sync.gateState)
  check('vault', sync.vaultState)

  resources.use(await vault.watch(VAULT_FOLDERS, sync.request))
  resources.use(watchRootNotes(vault.root, sync.request))
  const hubWatch = watchHub(config.hubUrl, sync.requestNow)
  if (hubWatch) resources.use(hubWatch)
  resources.use(
    pollHub({ repo, store, everyMs: hubWatch ? config.pollMs * 5 : config.pollMs, onNews: sync.requestNow }),
  )
  const handlers = { 'sync-now': async () => sync.requestNow() }
  resources.use(await startWorker(redis, 'sync', handlers, { log, onProgress: progress('queue', 60_000) }))
  const timer = setInterval(sync.request, config.reconcileMs)
  resources.defer(() => clearInterval(timer))
  sync.requestNow()
})
