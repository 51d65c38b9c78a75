import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { type MemoryHub, type MemoryRepo, memoryHub, memoryRepo } from '#adapters/memory/repo.ts'
import { type MemoryRequests, memoryRequests } from '#adapters/memory/requests.ts'
import { type MemoryWorkTree, memoryWorkTree } from '#adapters/memory/work-tree.ts'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import { ruleScan } from '#core/content-scan.ts'
import type { TaskJob } from '#core/jobs.ts'
import { chainEntry, type LedgerHead, parseLedgerLine, renderLedgerLine } from '#core/ledger.ts'
import type { ContentScan } from '#core/ports/content-scan.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import type { SyncStore } from '#core/ports/sync-store.ts'
import type { Zone } from '#core/zone-policy.ts'
import { Attention } from '#services/sync/attention.ts'
import { createCourtesy } from '#services/sync/claims/courtesy.ts'
import type { CycleOutcome } from '#services/sync/cycle-outcome.ts'
import { syncCycle, type Wake } from '#services/sync/sync-cycle.ts'
import type { SyncDeps } from '#services/sync/sync-deps.ts'
import { createScanner } from '#services/sync/work-tree/scan-work-tree.ts'

/** Thrown at a crash point; nothing in the engine catches it. */
export class Crash extends Error {}

/** One agent's sync on a vault in memory. `restart` forgets all that a process forgets when it dies. */
export interface SyncZone {
  readonly zone: Zone
  readonly agent: string
  readonly files: MemoryWorkTree
  readonly repo: MemoryRepo
  store: SyncStore
  /** The rule pack alone, until a test puts more in its place. */
  scan: ContentScan
  readonly rung: TaskJob[]
  readonly trash: string[]
  /** What commands ask, and what they were answered. */
  readonly requests: MemoryRequests
  /** Task files of which sync noted that the hub's bytes come. */
  readonly received: string[]
  deps(): SyncDeps
  sync(wake?: Wake): Promise<CycleOutcome>
  restart(): void
  ledger: LedgerPort
}

export interface SyncWorld {
  readonly hub: MemoryHub
  /** Every agent, the two of the usual pair among them. */
  readonly zones: readonly SyncZone[]
  readonly cloud: SyncZone
  readonly local: SyncZone
  /** Milliseconds; moves on by itself with every look. */
  now: number
  /** Called at each crash point of an engine; throw a Crash there. */
  at: (agent: string, point: string) => void | Promise<void>
}

/** What an engine asks of the outside; tests put themselves in between. */
export type SyncPorts = Omit<SyncDeps, 'scanner' | 'attention'>

export interface WorldOptions {
  /** Besides `cloud` and `local`. */
  readonly moreAgents?: readonly (readonly [agent: string, zone: Zone])[]
  /** How far an agent's clock is off, ms. */
  readonly skewMs?: (agent: string) => number
  /** Called for each process anew. */
  readonly between?: (zone: SyncZone, ports: SyncPorts) => SyncPorts
  /** Tells a process of what changed in its folder, as its watcher does. */
  readonly onTouch?: (zone: SyncZone, path: string) => void
}

export const LEDGER_DAY = '2026-11-20'
export const START_MS = Date.parse(`${LEDGER_DAY}T10:00:00Z`)

export function makeSyncWorld(options: WorldOptions = {}): SyncWorld {
  const agents = new Map<string, Zone>([['cloud', 'cloud'], ['local', 'local'], ...(options.moreAgents ?? [])])
  const world: SyncWorld & { zones: SyncZone[] } = {
    hub: memoryHub(),
    zones: [],
    now: START_MS,
    at: () => {},
    cloud: undefined as never,
    local: undefined as never,
  }
  for (const [agent, zone] of agents) world.zones.push(makeZone(world, agent, zone, agents, options))
  const [cloud, local] = world.zones
  return Object.assign(world, { cloud, local })
}

function makeZone(
  world: SyncWorld,
  agent: string,
  zone: Zone,
  agents: ReadonlyMap<string, Zone>,
  options: WorldOptions,
): SyncZone {
  const clock = { now: () => ++world.now + (options.skewMs?.(agent) ?? 0) }
  const files = memoryWorkTree(clock.now)
  const repo = memoryRepo(world.hub, agent, clock)
  let serial = 0
  const self: SyncZone = {
    ...{ zone, agent, files, repo, rung: [], trash: [], received: [] },
    requests: memoryRequests(),
    store: openSyncStore(':memory:'),
    scan: ruleScan,
    ledger: memoryLedger(files, agent, clock.now),
    deps: () => deps,
    sync: (wake) => syncCycle(deps, wake),
    restart: () => {
      deps = makeDeps()
    },
  }
  const makeDeps = (): SyncDeps => {
    const ports = (options.between ?? ((_zone, plain) => plain))(self, plainPorts())
    const scanner = createScanner(ports)
    files.onTouch = (path) => (options.onTouch ? options.onTouch(self, path) : scanner.mark(path))
    return { ...ports, scanner, attention: new Attention() }
  }
  const plainPorts = (): SyncPorts => ({
    ...{ zone, agent, repo, clock, workTree: files, store: self.store, ledger: self.ledger },
    trust: async () => ({ agents }),
    scan: { scan: (content) => self.scan.scan(content) },
    requests: self.requests,
    courtesy: createCourtesy({ agent, agents, random: () => 0, now: clock.now, onTurn: () => {} }),
    notOurs: new Set(),
    claimsPerPush: 50,
    carriesPrivate: false,
    received: { note: (fileName) => void self.received.push(fileName) },
    ledgerKey: ledgerKeyOf(agent).privateKey,
    ledgerKeys: new Map([...agents.keys()].map((one) => [one, ledgerKeyOf(one).publicKey])),
    doorbell: { ring: async (_queue, _job, payload) => void self.rung.push(payload as TaskJob) },
    nonce: () => `${agent}-${++serial}`,
    keepInTrash: async (path, bytes) => void self.trash.push(`${path}: ${Buffer.from(bytes).toString('utf8')}`),
    pause: async () => {},
    at: (point) => world.at(agent, point),
  })
  let deps = makeDeps()
  return self
}

const ledgerKeys = new Map<string, { publicKey: KeyObject; privateKey: KeyObject }>()

/** The same key for the same agent each time, so that a schedule can be replayed to the byte. */
function ledgerKeyOf(agent: string): { publicKey: KeyObject; privateKey: KeyObject } {
  const known = ledgerKeys.get(agent)
  if (known) return known
  const secret = createHash('sha256').update(agent).digest()
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), secret])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const pair = { privateKey, publicKey: createPublicKey(privateKey) }
  ledgerKeys.set(agent, pair)
  return pair
}

/** A ledger that stands in the vault in memory, as the real one stands in the folder. */
function memoryLedger(files: MemoryWorkTree, agent: string, now: () => number): LedgerPort {
  return {
    async append(type, entry = {}) {
      const at = new Date(now()).toISOString()
      const path = `Logs/${agent}/${at.slice(0, 10)}.jsonl`
      const text = files.text(path) ?? ''
      const last = parseLedgerLine(text.trimEnd().split('\n').at(-1) ?? '')
      const head: LedgerHead | null = last ? { seq: last.seq, hash: last.hash } : null
      const sealed = chainEntry(head, { at, agent, type, ...JSON.parse(JSON.stringify(entry)) })
      files.put(path, `${text}${renderLedgerLine(sealed)}\n`)
      return sealed
    },
  }
}

/** A valid task file; `more` are further lines of front matter, `body` the note. */
export function taskText(options: { generation?: number; body?: string; more?: string; id?: string } = {}): string {
  const { generation = 0, body = 'text', more = '', id = '01K9ZZZZZZZZZZZZZZZZ7H3K9Q' } = options
  return `---
id: ${id}
schema: "1"
kind: EMAIL
domain: email
title: Invoice for March
created: "2026-11-20T10:00:00Z"
generation: "${generation}"
${more}---
${body}
`
}

export const PRESENTED = 'presented:\n  digest: sha256:aa\n  at: "2026-11-20T10:00:00Z"\n'

/** One round that must agree with the hub; its report. */
export async function synced(zone: SyncZone) {
  const outcome = await zone.sync()
  if (outcome.kind !== 'synced') throw new Error(`expected a synced cycle, got ${JSON.stringify(outcome)}`)
  return outcome.report
}

/** Cycles until neither side changes anything any more. */
export async function quiesce({ cloud, local }: SyncWorld): Promise<void> {
  for (let round = 0; round < 12; round++) {
    const reports = [await synced(cloud), await synced(local)]
    if (reports.every((report) => !report.pushed && report.appliedCount === 0)) return
  }
  throw new Error('the two zones do not come to rest')
}

/** A task in Pending_Approval/email on both sides. */
export async function pendingEverywhere(
  world: SyncWorld,
  fileName: string,
  text = taskText({ generation: 1, body: 'draft one' }),
): Promise<void> {
  const { files } = world.cloud
  files.put(`Needs_Action/email/${fileName}`, taskText())
  await quiesce(world)
  files.put(`In_Progress/cloud/${fileName}`, text)
  files.rename(`In_Progress/cloud/${fileName}`, `Pending_Approval/email/${fileName}`)
  await quiesce(world)
}

export function withoutLogs(files: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...files].filter(([path]) => !path.startsWith('Logs/')).sort())
}
