import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { ERROR_CODES, type ErrorCode } from '#core/errors.ts'

interface Definition {
  readonly kind: 'counter' | 'gauge'
  readonly help: string
  readonly labels: Readonly<Record<string, readonly string[] | 'open'>>
}

const QUEUES = ['draft', 'execute', 'sync'] as const

/**
 * Every metric of this program, with the closed set of values of each label: never a task id, an address or a file
 * name. `open` marks a vocabulary of the code (rule names) that is checked by form only.
 */
export const METRICS = {
  countersign_build_info: {
    kind: 'gauge',
    help: '1, labelled with the version that runs.',
    labels: { version: 'open' },
  },
  countersign_heartbeat_timestamp_seconds: {
    kind: 'gauge',
    help: 'When this process last made progress at its own work.',
    labels: {},
  },
  countersign_errors_total: {
    kind: 'counter',
    help: 'Errors that ended an attempt, by code; a fault of the program counts as ERR_UNEXPECTED.',
    labels: { code: [...(Object.keys(ERROR_CODES) as ErrorCode[]), 'ERR_UNEXPECTED'] },
  },
  countersign_mails_total: {
    kind: 'counter',
    help: 'Mails that triage looked at, by what became of them.',
    labels: { outcome: ['task', 'duplicate', 'skipped', 'failed'] },
  },
  countersign_tasks_total: {
    kind: 'counter',
    help: 'Changes of state of a task made or first seen here.',
    labels: { outcome: ['created', 'claimed', 'drafted', 'approved', 'rejected', 'redraft', 'returned', 'done'] },
  },
  countersign_drafts_total: {
    kind: 'counter',
    help: 'Attempts at a draft.',
    labels: { outcome: ['drafted', 'lost', 'failed'] },
  },
  countersign_sync_cycles_total: {
    kind: 'counter',
    help: 'Sync cycles, by outcome.',
    labels: { outcome: ['success', 'noop', 'error'] },
  },
  countersign_sync_last_success_timestamp_seconds: {
    kind: 'gauge',
    help: 'When vault and hub were last known to agree.',
    labels: {},
  },
  countersign_sync_held_files: {
    kind: 'gauge',
    help: 'Files that sync does not carry now: for a secret in them, or by another rule.',
    labels: { reason: ['secret', 'other'] },
  },
  countersign_sync_check_timestamp_seconds: {
    kind: 'gauge',
    help: 'When vault, memory, clone, hub and ledgers were last held against each other.',
    labels: {},
  },
  countersign_sync_check_problems: {
    kind: 'gauge',
    help: 'What that check found wrong.',
    labels: {},
  },
  countersign_sync_open_conflicts: {
    kind: 'gauge',
    help: 'Conflict copies in the vault that the person has not settled yet.',
    labels: {},
  },
  countersign_sync_conflicts_total: { kind: 'counter', help: 'Conflict copies kept for the person.', labels: {} },
  countersign_claims_total: {
    kind: 'counter',
    help: 'Claims pushed to the hub.',
    labels: { outcome: ['won', 'lost', 'unknown'] },
  },
  countersign_gate_refusals_total: {
    kind: 'counter',
    help: 'Commits of the hub that were refused here, by the first rule they broke.',
    labels: { rule: 'open' },
  },
  countersign_hub_rollbacks_total: {
    kind: 'counter',
    help: 'Times the hub came back with an older history (a restored backup) and got back what is known here.',
    labels: {},
  },
  countersign_executions_total: {
    kind: 'counter',
    help: 'Approved actions, by what became of them.',
    labels: { outcome: ['done', 'refused', 'failed', 'unknown', 'cancelled'] },
  },
  countersign_notifications_total: {
    kind: 'counter',
    help: 'Notices to the person, by way; absent: this machine has no desktop to show one on.',
    labels: { way: ['desktop', 'ntfy', 'webhook'], outcome: ['sent', 'failed', 'absent'] },
  },
  countersign_jobs_total: {
    kind: 'counter',
    help: 'Jobs taken from a queue; dropped: the payload was not of the catalogue.',
    labels: { queue: QUEUES, outcome: ['done', 'failed', 'dropped'] },
  },
  countersign_queue_jobs: {
    kind: 'gauge',
    help: 'Jobs standing in a queue now.',
    labels: { queue: QUEUES, state: ['waiting', 'active', 'delayed', 'failed'] },
  },
} as const satisfies Record<string, Definition>

type Catalogue = typeof METRICS
type NamesOf<Kind> = { [N in keyof Catalogue]: Catalogue[N]['kind'] extends Kind ? N : never }[keyof Catalogue]
export type CounterName = NamesOf<'counter'>
export type GaugeName = NamesOf<'gauge'>
export type LabelsOf<N extends keyof Catalogue> = {
  readonly [L in keyof Catalogue[N]['labels']]: Catalogue[N]['labels'][L] extends readonly (infer V)[] ? V : string
}

/** The metrics of one process. */
export interface Metrics {
  count<N extends CounterName>(name: N, labels: LabelsOf<N>, by?: number): void
  set<N extends GaugeName>(name: N, value: number, labels: LabelsOf<N>): void
  /** Runs before each scrape, for gauges that are asked for rather than told. A failure leaves the old value. */
  beforeScrape(collect: () => Promise<void>): void
  expose(): Promise<string>
  readonly contentType: string
}

const OPEN_LABEL = /^[a-z0-9.-]{1,40}$/

const LOOP_LAG_EVERY_MS = 1_000

/** Makes the catalogue's metrics; counters with closed labels start at 0, so that a first event is an increase. */
export function createMetrics(process: { service: string; zone: string; version: string }): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ service: process.service, zone: process.zone })
  // Its default, a wake-up every 10 ms, is most of what an idle service costs.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_LAG_EVERY_MS })
  const counters = new Map<string, Counter>()
  const gauges = new Map<string, Gauge>()
  for (const [name, { kind, help, labels }] of Object.entries<Definition>(METRICS)) {
    const options = { name, help, labelNames: Object.keys(labels), registers: [registry] }
    if (kind === 'gauge') gauges.set(name, new Gauge(options))
    else counters.set(name, initialised(new Counter(options), labels))
  }
  const collectors: (() => Promise<void>)[] = []
  const metrics: Metrics = {
    contentType: registry.contentType,
    count: (name, labels, by = 1) => counters.get(name)?.inc(checked(name, labels), by),
    set: (name, value, labels) => gauges.get(name)?.set(checked(name, labels), value),
    beforeScrape: (collect) => void collectors.push(collect),
    async expose() {
      await Promise.allSettled(collectors.map((collect) => collect()))
      return registry.metrics()
    },
  }
  metrics.set('countersign_build_info', 1, { version: process.version })
  return metrics
}

function initialised(counter: Counter, labels: Definition['labels']): Counter {
  let combinations: Record<string, string>[] = [{}]
  for (const [label, values] of Object.entries(labels)) {
    if (values === 'open') return counter
    combinations = combinations.flatMap((known) => values.map((value) => ({ ...known, [label]: value })))
  }
  for (const combination of combinations) counter.inc(combination, 0)
  return counter
}

/** Untyped callers and open vocabularies cannot grow the number of series without limit. */
function checked<N extends keyof Catalogue>(name: N, labels: LabelsOf<N>): Record<string, string> {
  const allowed: Definition['labels'] = METRICS[name].labels
  return Object.fromEntries(
    Object.entries(allowed).map(([label, values]) => {
      const value = (labels as Readonly<Record<string, string>>)[label] ?? ''
      const known = values === 'open' ? OPEN_LABEL.test(value) : values.includes(value)
      return [label, known ? value : 'other']
    }),
  )
}
