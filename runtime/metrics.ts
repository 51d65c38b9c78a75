import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { ERROR_CODES, type ErrorCode } from '#core/errors.ts'
import { MODEL_METRICS } from './model-metrics.ts'

// size: two thirds are the catalogue, a table; it would not be plainer in two files.
export interface Definition {
  /** age: told as the moment since when something waits, exposed as seconds at each scrape. */
  readonly kind: 'counter' | 'gauge' | 'age' | 'histogram'
  readonly help: string
  readonly labels: Readonly<Record<string, readonly string[] | 'open'>>
  /** Of a histogram, in seconds. */
  readonly buckets?: readonly number[]
}

const QUEUES = ['draft', 'execute', 'sync'] as const
const TOOLS = [
  'email.send_email',
  'odoo.post_invoice',
  'odoo.record_payment',
  'payment.pay',
  'social.create_post',
  'social.publish_post',
  'whatsapp.send_message',
] as const
const DEPENDENCIES = [
  'redis',
  'hub',
  'mailbox',
  'sending',
  'social',
  'whatsapp',
  'payment',
  'odoo',
  'model',
  'disk',
] as const

/**
 * Every metric of this program, with the closed set of values of each label: never a task id, an address or a file
 * name. `open` marks a vocabulary of the code or of the settings (names of rules, of mailboxes), checked by form only.
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
  countersign_boots_total: {
    kind: 'counter',
    help: 'Tries of this process to open what it works with; failed: something it needs was away, or its set-up is wrong.',
    labels: { outcome: ['ready', 'failed'] },
  },
  countersign_synthetic_age_seconds: {
    kind: 'age',
    help: 'Since a synthetic task last came through this service, or it began: in the drafter of the cloud one that triage made of a mail, in the executor one that was approved.',
    labels: {},
  },
  countersign_canary_age_seconds: {
    kind: 'age',
    help: 'Since a canary last came through, or this process began: in the local zone from the cloud, in the cloud there and back.',
    labels: {},
  },
  countersign_canary_round_seconds: {
    kind: 'histogram',
    help: 'From sending a canary to its coming back: the cloud, the hub, the local zone, and the same way back. A local zone that is off makes it long.',
    labels: {},
    buckets: [1, 2, 5, 10, 30, 60, 300, 3600, 43_200],
  },
  countersign_disk_used_ratio: {
    kind: 'gauge',
    help: 'How full the disk is that the zone keeps this on, 0 to 1.',
    labels: { of: ['vault', 'state'] },
  },
  countersign_dependency_up: {
    kind: 'gauge',
    help: '1: what a service works with answered when it last met it; 0: it did not.',
    labels: { dependency: DEPENDENCIES, of: 'open' },
  },
  countersign_certificate_expiry_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the certificate ends that a server shows.',
    labels: { of: 'open' },
  },
  countersign_clock_skew_seconds: {
    kind: 'gauge',
    help: 'How far another clock is surely ahead of this machine’s or (negative) behind; 0 where it may be right.',
    labels: { of: 'open' },
  },
  countersign_component_failed_restarts: {
    kind: 'gauge',
    help: 'Starts of a service, told by the health service, that did not lead to a minute of work since the last one that did.',
    labels: { component: 'open' },
  },
  countersign_component_ready: {
    kind: 'gauge',
    help: '1: the health service found this service ready; 0: not.',
    labels: { component: 'open' },
  },
  countersign_component_recovery_seconds: {
    kind: 'histogram',
    help: 'From the first look that found a service not ready to the first that found it ready again.',
    labels: {},
    buckets: [1, 2, 5, 10, 20, 30, 45, 60, 120, 300],
  },
  countersign_proof_last_timestamp_seconds: {
    kind: 'gauge',
    help: 'When `countersign prove` last tried what this zone must not be able to do.',
    labels: {},
  },
  countersign_proof_lines: {
    kind: 'gauge',
    help: 'What that found: ok, it was refused or is not there; failed, it is there or was done; skipped, it could not be looked at.',
    labels: { result: ['ok', 'failed', 'skipped'] },
  },
  countersign_egress_total: {
    kind: 'counter',
    help: 'Connections that somebody asked the way out for; refused: to a place that is not on its list.',
    labels: { outcome: ['opened', 'unreachable', 'refused'] },
  },
  countersign_mails_total: {
    kind: 'counter',
    help: 'Mails that triage looked at, by what became of them.',
    labels: { outcome: ['task', 'joined', 'duplicate', 'skipped', 'failed'] },
  },
  countersign_classified_total: {
    kind: 'counter',
    help: 'Mails that were sorted, by what decided and as what.',
    labels: {
      by: ['handbook', 'rule', 'model', 'default'],
      as: ['email', 'accounting', 'payment', 'social', 'skipped'],
    },
  },
  countersign_mailbox_watched: {
    kind: 'gauge',
    help: '1 while triage watches the mailbox, 0 while it cannot.',
    labels: { mailbox: 'open' },
  },
  countersign_mail_token_expiry_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the token that the mailbox is read with ends; there only where the provider said so.',
    labels: { mailbox: 'open' },
  },
  countersign_whatsapp_session: {
    kind: 'gauge',
    help: '1 for what the linked WhatsApp session is doing, 0 for the rest.',
    labels: { state: ['logged-out', 'starting', 'qr', 'ready', 'lost', 'conflict', 'blocked'] },
  },
  countersign_whatsapp_received_total: {
    kind: 'counter',
    help: 'WhatsApp messages that were taken in, as they came, and again when they were edited or deleted.',
    labels: { state: ['whole', 'edited', 'deleted'] },
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
  countersign_arrival_to_draft_seconds: {
    kind: 'histogram',
    help: 'From the arrival of a mail in the mailbox to its first draft being handed in.',
    labels: {},
    buckets: [0.5, 1, 2, 5, 15, 30, 60, 120, 300, 600, 1800],
  },
  countersign_task_oldest_age_seconds: {
    kind: 'age',
    help: 'How long the oldest task has been waiting for the next step of this program; 0: none waits. needs_action: to be claimed here. drafting: claimed, no draft yet. approved: may go out, is not done.',
    labels: { state: ['needs_action', 'drafting', 'approved'] },
  },
  countersign_sync_cycles_total: {
    kind: 'counter',
    help: 'Sync cycles, by outcome.',
    labels: { outcome: ['success', 'noop', 'error'] },
  },
  countersign_git_seconds: {
    kind: 'histogram',
    help: 'How long git took at the hub, whatever came of it.',
    labels: { operation: ['fetch', 'push'] },
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 60],
  },
  countersign_ledger_entries_total: {
    kind: 'counter',
    help: 'Entries that this process put into its zone’s ledger.',
    labels: { type: 'open' },
  },
  countersign_ledger_append_seconds: {
    kind: 'histogram',
    help: 'From asking for an entry to its being on the disk; an action waits for it.',
    labels: {},
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  },
  countersign_sync_last_success_timestamp_seconds: {
    kind: 'gauge',
    help: 'When vault and hub were last known to agree.',
    labels: {},
  },
  countersign_sync_propagation_seconds: {
    kind: 'histogram',
    help: 'From the second of a commit of another agent to its content in this vault; of the newest of each round, unless this zone had been away from the hub for longer than a quarter of an hour.',
    labels: {},
    buckets: [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800],
  },
  countersign_zone_last_heard_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the newest commit of another agent of this zone was made, as far as the gate here has let it in.',
    labels: { of: ['cloud', 'local'] },
  },
  countersign_zone_health: {
    kind: 'gauge',
    help: 'What another zone says of itself in its last heartbeat. 0: all is well, 1: something needs a look, 2: a service is away, 3: its health service is silent.',
    labels: { of: ['cloud', 'local'] },
  },
  countersign_zone_tasks: {
    kind: 'gauge',
    help: 'Tasks in another zone’s vault by its last heartbeat, and conflict copies there.',
    labels: {
      of: ['cloud', 'local'],
      state: ['needs_action', 'in_progress', 'pending', 'approved', 'conflicts'],
    },
  },
  countersign_zone_oldest_approved_seconds: {
    kind: 'gauge',
    help: 'How long the oldest approved task had been waiting in another zone at its last heartbeat; 0: none waited.',
    labels: { of: ['cloud', 'local'] },
  },
  countersign_zone_executions_total: {
    kind: 'counter',
    help: 'Approved actions in another zone by what became of them, as far as its heartbeats told.',
    labels: { of: ['cloud', 'local'], outcome: ['done', 'refused', 'failed', 'unknown', 'cancelled'] },
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
    labels: { tool: TOOLS, outcome: ['done', 'refused', 'failed', 'unknown', 'cancelled'] },
  },
  countersign_approval_to_execution_seconds: {
    kind: 'histogram',
    help: 'From the end of the undo window of an approved task, or of a wait by a rule of yours, to it being done at the provider.',
    labels: {},
    buckets: [0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300],
  },
  countersign_returns_total: {
    kind: 'counter',
    help: 'Approved tasks put before the person again without being done, by the rule.',
    labels: { rule: 'open' },
  },
  countersign_duplicates_prevented_total: {
    kind: 'counter',
    help: 'Times something would have been done twice. found: no answer came, and the provider had it. spent: a receipt was used before. fenced: a newer executor runs.',
    labels: { how: ['found', 'spent', 'fenced'] },
  },
  countersign_notifications_total: {
    kind: 'counter',
    help: 'Notices to the person, by way; absent: this machine has no desktop to show one on.',
    labels: { way: ['desktop', 'ntfy', 'webhook'], outcome: ['sent', 'failed', 'absent'] },
  },
  countersign_backup_last_success_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the last backup was begun that succeeded.',
    labels: {},
  },
  countersign_restore_drill_last_success_timestamp_seconds: {
    kind: 'gauge',
    help: 'When a backup was last put back in a scratch place and found whole.',
    labels: {},
  },
  countersign_backup_failing: {
    kind: 'gauge',
    help: '1: the last one failed; of a drill: the backup is damaged, or could not be looked at. 0: it succeeded.',
    labels: { of: ['backup', 'drill'] },
  },
  countersign_backup_runs_total: {
    kind: 'counter',
    help: 'Backups and restore drills since the service began, by outcome.',
    labels: { of: ['backup', 'drill'], outcome: ['done', 'failed'] },
  },
  ...MODEL_METRICS,
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
  countersign_queue_oldest_age_seconds: {
    kind: 'age',
    help: 'How long the job that is next has been waiting in its queue; 0: none waits.',
    labels: { queue: QUEUES },
  },
} as const satisfies Record<string, Definition>

type Catalogue = typeof METRICS
type NamesOf<Kind> = { [N in keyof Catalogue]: Catalogue[N]['kind'] extends Kind ? N : never }[keyof Catalogue]
export type CounterName = NamesOf<'counter'>
export type GaugeName = NamesOf<'gauge'>
export type AgeName = NamesOf<'age'>
export type HistogramName = NamesOf<'histogram'>
export type LabelsOf<N extends keyof Catalogue> = {
  readonly [L in keyof Catalogue[N]['labels']]: Catalogue[N]['labels'][L] extends readonly (infer V)[] ? V : string
}

/** The metrics of one process. */
export interface Metrics {
  count<N extends CounterName>(name: N, labels: LabelsOf<N>, by?: number): void
  set<N extends GaugeName>(name: N, value: number, labels: LabelsOf<N>): void
  /** Since when (ms since the epoch) the oldest has been waiting; undefined: none waits. */
  since<N extends AgeName>(name: N, atMs: number | undefined, labels: LabelsOf<N>): void
  /** Less than nothing (two clocks that disagree) counts as 0. */
  observe<N extends HistogramName>(name: N, seconds: number, labels: LabelsOf<N>): void
  /** What a counter or a gauge stands at now, for each set of its labels that there is. */
  read(
    name: CounterName | GaugeName | AgeName,
  ): Promise<readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]>
  /** Runs before each scrape, for gauges that are asked for rather than told. A failure leaves the old value. */
  beforeScrape(collect: () => Promise<void>): void
  expose(): Promise<string>
  readonly contentType: string
}

const OPEN_LABEL = /^[a-z0-9.-]{1,40}$/

/** Between two looks at the event loop; `nodejs_eventloop_lag_*` tells the whole time between them. */
export const LOOP_LAG_EVERY_MS = 1_000

/** Makes the catalogue's metrics; counters with closed labels start at 0, so that a first event is an increase. */
export function createMetrics(
  process: { service: string; zone: string; version: string },
  now: () => number = Date.now,
): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ service: process.service, zone: process.zone })
  // Its default, a wake-up every 10 ms, is most of what an idle service costs.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_LAG_EVERY_MS })
  const counters = new Map<string, Counter>()
  const gauges = new Map<string, Gauge>()
  const histograms = new Map<string, Histogram>()
  const waiting = new Map<string, () => void>()
  for (const [name, { kind, help, labels, buckets = [] }] of Object.entries<Definition>(METRICS)) {
    const options = { name, help, labelNames: Object.keys(labels), registers: [registry] }
    if (kind === 'counter') counters.set(name, initialised(new Counter(options), labels))
    if (kind === 'histogram') histograms.set(name, new Histogram({ ...options, buckets: [...buckets] }))
  }
  // Not before it is told: the library begins a gauge at 0, which for a moment in time is 1970.
  const gaugeOf = (name: keyof Catalogue) => {
    const { help, labels } = METRICS[name]
    const known = gauges.get(name) ?? new Gauge({ name, help, labelNames: Object.keys(labels), registers: [registry] })
    gauges.set(name, known)
    return known
  }
  const collectors: (() => Promise<void>)[] = []
  const metrics: Metrics = {
    contentType: registry.contentType,
    count: (name, labels, by = 1) => counters.get(name)?.inc(checked(name, labels), by),
    set: (name, value, labels) => gaugeOf(name).set(checked(name, labels), value),
    since(name, atMs, labels) {
      const told = checked(name, labels)
      const age = () => (atMs === undefined ? 0 : Math.max(0, now() - atMs) / 1000)
      waiting.set(JSON.stringify([name, told]), () => gaugeOf(name).set(told, age()))
    },
    observe: (name, seconds, labels) => histograms.get(name)?.observe(checked(name, labels), Math.max(0, seconds)),
    async read(name) {
      for (const age of waiting.values()) age()
      const found = await (counters.get(name) ?? gauges.get(name))?.get()
      return (found?.values ?? []).map(({ labels, value }) => ({ labels: labels as Record<string, string>, value }))
    },
    beforeScrape: (collect) => void collectors.push(collect),
    async expose() {
      await Promise.allSettled(collectors.map((collect) => collect()))
      for (const age of waiting.values()) age()
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
