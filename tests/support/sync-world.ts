import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { type MemoryHub, memoryHub, memoryRepo } from '#adapters/memory/repo.ts'
import { type MemoryRequests, memoryRequests } from '#adapters/memory/requests.ts'
import { type MemoryWorkTree, memoryWorkTree } from '#adapters/memory/work-tree.ts'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import { ruleScan } from '#core/content-scan.ts'
import type { TaskJob } from '#core/jobs.ts'
import { chainEntry, type LedgerHead, parseLedgerLine, renderLedgerLine } from '#core/ledger.ts'
import type { ContentScan } from '#core/ports/content-scan.ts'
import type { Doorbell } from '#core/ports/doorbell.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import type { RepoPort } from '#core/ports/repo.ts'
import type { SyncStore } from '#core/ports/sync-store.ts'
import type { Zone } from '#core/zone-policy.ts'
import { Attention } from '#services/sync/attention.ts'
import { createCourtesy } from '#services/sync/courtesy.ts'
import { createScanner } from '#services/sync/scan-work-tree.ts'
import { type CycleOutcome, syncCycle } from '#services/sync/sync-cycle.ts'
import type { SyncDeps } from '#services/sync/sync-deps.ts'

/** Thrown at a crash point; nothing in the engine catches it. */
export class Crash extends Error {}

/** One zone's sync on a vault in memory. `restart` forgets all that a process forgets when it dies. */
export interface SyncZone {
  readonly zone: Zone
  readonly files: MemoryWorkTree
  readonly repo: RepoPort
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
  sync(): Promise<CycleOutcome>
  restart(): void
  ledger: LedgerPort
}

export interface SyncWorld {
  readonly hub: MemoryHub
  readonly cloud: SyncZone
  readonly local: SyncZone
  readonly keys: Record<Zone, { publicKey: KeyObject; privateKey: KeyObject }>
  /** Milliseconds; moves on by itself with every look. */
  now: number
  /** Called at each crash point of either engine; throw a Crash there. */
  at: (zone: Zone, point: string) => void | Promise<void>
}

const AGENTS = new Map<string, Zone>([
  ['cloud', 'cloud'],
  ['local', 'local'],
])
export const LEDGER_DAY = '2026-11-20'

export function makeSyncWorld(): SyncWorld {
  const hub = memoryHub()
  const keys = { cloud: generateKeyPairSync('ed25519'), local: generateKeyPairSync('ed25519') }
  const world: SyncWorld = {
    hub,
    keys,
    now: Date.parse(`${LEDGER_DAY}T10:00:00Z`),
    at: () => {},
    cloud: undefined as never,
    local: undefined as never,
  }
  return Object.assign(world, { cloud: makeZone(world, 'cloud'), local: makeZone(world, 'local') })
}

function makeZone(world: SyncWorld, zone: Zone): SyncZone {
  const clock = { now: () => ++world.now }
  const files = memoryWorkTree(clock.now)
  const repo = memoryRepo(world.hub, zone, clock)
  const rung: TaskJob[] = []
  const trash: string[] = []
  const received: string[] = []
  const doorbell: Doorbell = {
    ring: async (_queue, _job, payload) => void rung.push(payload as TaskJob),
  }
  let serial = 0
  const self: SyncZone = {
    zone,
    files,
    repo,
    rung,
    trash,
    received,
    requests: memoryRequests(),
    store: openSyncStore(':memory:'),
    scan: ruleScan,
    ledger: memoryLedger(files, zone, clock.now),
    deps: () => deps,
    sync: () => syncCycle(deps),
    restart: () => {
      deps = makeDeps()
    },
  }
  const makeDeps = (): SyncDeps => {
    const scanner = createScanner({ workTree: files, repo, store: self.store, clock })
    // As the watcher does.
    files.onTouch = scanner.mark
    return { ...ports(), scanner, attention: new Attention() }
  }
  const ports = (): Omit<SyncDeps, 'scanner' | 'attention'> => ({
    zone,
    agent: zone,
    trust: async () => ({ agents: AGENTS }),
    repo,
    workTree: files,
    scan: { scan: (content) => self.scan.scan(content) },
    store: self.store,
    ledger: self.ledger,
    requests: self.requests,
    courtesy: createCourtesy({ agent: zone, agents: AGENTS, random: () => 0, now: clock.now, onTurn: () => {} }),
    notOurs: new Set(),
    carriesPrivate: false,
    received: { note: (fileName) => void received.push(fileName) },
    ledgerKey: world.keys[zone].privateKey,
    ledgerKeys: new Map([
      ['cloud', world.keys.cloud.publicKey],
      ['local', world.keys.local.publicKey],
    ]),
    doorbell,
    clock,
    nonce: () => `${zone}-${++serial}`,
    keepInTrash: async (path, bytes) => void trash.push(`${path}: ${Buffer.from(bytes).toString('utf8')}`),
    pause: async () => {},
    at: (point) => world.at(zone, point),
  })
  let deps = makeDeps()
  return self
}

/** A ledger that stands in the vault in memory, as the real one stands in the folder. */
function memoryLedger(files: MemoryWorkTree, agent: Zone, now: () => number): LedgerPort {
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
