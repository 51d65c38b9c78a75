import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openRepo } from '#adapters/git/repo.ts'
import { readAgents } from '#adapters/keys/trust-files.ts'
import { askSync, openRequests } from '#adapters/state-files/requests.ts'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import { openWorkTree } from '#adapters/vault-fs/work-tree.ts'
import { ruleScan } from '#core/content-scan.ts'
import { CountersignError } from '#core/errors.ts'
import type { TaskJob } from '#core/jobs.ts'
import type { Zone } from '#core/zone-policy.ts'
import { Attention } from '#services/sync/attention.ts'
import { createCourtesy } from '#services/sync/claims/courtesy.ts'
import { cachedRepo } from '#services/sync/hub/cached-repo.ts'
import { syncCycle } from '#services/sync/sync-cycle.ts'
import type { SyncDeps } from '#services/sync/sync-deps.ts'
import { createScanner } from '#services/sync/work-tree/scan-work-tree.ts'
import { type CloneSetup, endWithParent } from './setup.ts'
import { writeTold } from './told.ts'

// One clone of the zone `cloud`: the real engine on real files and a real repository, round after round, without the
// rest of the service (queue, health, watchers). Its claims are told to a file instead of a drafter.
const setup = JSON.parse(process.argv[2] ?? '') as CloneSetup
endWithParent()
const state = join(setup.dir, 'state')
const vault = join(setup.dir, 'vault')
for (const folder of [state, vault]) mkdirSync(folder, { recursive: true })

const clock = { now: Date.now }
const monotonic = () => performance.now()
const agents = await readAgents(setup.trust)
const zones = new Map<string, Zone>(agents.map((one) => [one.name, one.zone]))
const clone = await openRepo({
  gitDir: join(setup.dir, 'repo.git'),
  hubUrl: setup.hubUrl,
  agent: setup.agent,
  signingKeyFile: join(setup.keys, 'signing'),
  agents,
  ssh: { deployKeyFile: join(setup.keys, 'deploy'), knownHostsFile: join(setup.trust, 'known_hosts') },
})
const repo = cachedRepo(clone)
const store = openSyncStore(join(state, 'sync.sqlite'))
const workTree = openWorkTree(vault)
const requests = await openRequests(state, clock.now())
const asking = await askSync(state)
const courtesy = createCourtesy({
  agent: setup.agent,
  agents: setup.isCourteous ? zones : new Map([[setup.agent, 'cloud' as const]]),
  random: Math.random,
  now: monotonic,
  onTurn: () => {},
})

async function tell(job: TaskJob): Promise<void> {
  writeTold(setup.toldFile, { agent: setup.agent, ...job, at: Date.now() })
  // Near the end nobody would be left to take it.
  if (job.generation !== 1 || !isGivenBack(job.taskId) || existsSync(setup.stopFile)) return
  const path = [...store.hubOf([fileNameOf(job.taskId)]).keys()][0]
  if (path?.startsWith(`In_Progress/${setup.agent}/`))
    await asking.ask({
      ...{ kind: 'give-back', id: randomBytes(16).toString('hex'), task: job.taskId, file: fileNameOf(job.taskId) },
      ...{ holder: setup.agent, generation: 1 },
    })
}

function isGivenBack(taskId: string): boolean {
  const digest = createHash('sha256').update(taskId).digest().readUInt32BE(0)
  return setup.giveBackOneIn > 0 && digest % setup.giveBackOneIn === 0
}

function fileNameOf(taskId: string): string {
  return `EMAIL_2026-11-20_task_${taskId.slice(-6).toLowerCase()}.md`
}

const deps: SyncDeps = {
  ...{ zone: 'cloud', agent: setup.agent, repo, workTree, store, clock, requests, courtesy },
  trust: async () => ({ agents: zones }),
  scanner: createScanner({ workTree, repo, store, clock }),
  scan: ruleScan,
  attention: new Attention(),
  carriesPrivate: false,
  claimsPerPush: setup.claimsPerPush,
  notOurs: new Set(),
  // A ledger would be carried like any other file; here only claims are.
  ledger: { append: async () => ({}) as never },
  ledgerKey: generateKeyPairSync('ed25519').privateKey,
  ledgerKeys: new Map(),
  received: { note: () => {} },
  doorbell: { ring: async (_queue, _job, payload) => tell(payload as TaskJob) },
  nonce: () => randomBytes(16).toString('hex'),
  keepInTrash: async () => {},
  pause: (attempt) => delay(Math.random() * Math.min(2_000, 50 * 2 ** attempt)),
  at: () => {},
}

/** Resolves when the hub has told of a push, or after a while. */
let news = Promise.withResolvers<void>()
const hubWatch = clone.watch(() => news.resolve())
async function untilNews(): Promise<void> {
  await Promise.race([news.promise, delay(1_000 + Math.random() * 1_000)])
  news = Promise.withResolvers<void>()
}

process.stdout.write('ready\n')
for (;;) {
  let isQuiet = false
  try {
    const outcome = await syncCycle(deps)
    isQuiet = outcome.kind === 'synced' && !outcome.report.pushed && outcome.report.appliedCount === 0
    if (!['synced', 'idle', 'contended'].includes(outcome.kind)) process.stdout.write(`${JSON.stringify(outcome)}\n`)
  } catch (error) {
    // What a killed git or a cut line makes; the service would back off and try again.
    if (!(error instanceof CountersignError && error.retryable)) throw error
    process.stdout.write(`${error.message}\n`)
  }
  const isOver = isQuiet && existsSync(setup.stopFile) && store.hubUnder('Needs_Action/').size === 0
  if (isOver && (await requests.open()).length === 0) break
  if (isQuiet) await untilNews()
  else await delay(20)
}
await hubWatch?.[Symbol.asyncDispose]()
await clone[Symbol.asyncDispose]()
