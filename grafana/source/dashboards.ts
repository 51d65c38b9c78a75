import type { HistogramName, METRICS } from '#runtime/metrics.ts'
import type { Dashboard, Panel } from './panels.ts'
import { eventCount, lateShare, PROMISES } from './promises.ts'
import { all, buckets, builtIn, metric } from './promql.ts'

type Named = keyof typeof METRICS
type Counter = { [N in Named]: (typeof METRICS)[N]['kind'] extends 'counter' ? N : never }[Named]

const perHour = (name: Counter, by: string) => `sum by (${by}) (increase(${metric(name)}[1h]))`
const within = (histogram: HistogramName, kept: string) =>
  `sum by (zone) (increase(${kept}[1d])) / (sum by (zone) (increase(${all(histogram)}[1d])) > 0)`
const quantile = (share: number, histogram: HistogramName) =>
  `histogram_quantile(${share}, sum by (zone, le) (rate(${buckets(histogram)}[1h])))`
const oldest = metric('countersign_task_oldest_age_seconds')

const OVERVIEW: Dashboard = {
  uid: 'countersign-overview',
  title: 'Overview',
  panels: [
    {
      title: 'Services that answer',
      description: 'Each service: 1 when Prometheus reached it at its last look.',
      ...{ kind: 'stat', width: 12, goodAbove: 1, queries: [[builtIn('up'), '{{zone}} {{service}}']] },
    },
    {
      title: 'Alerts that fire now',
      description: 'How many of each urgency. 0 is good; docs/runbook.md says what to do for each.',
      ...{ kind: 'stat', width: 6, badAbove: 1 },
      queries: [['sum by (severity) (ALERTS{alertstate="firing"}) or vector(0)', '{{severity}}']],
    },
    {
      title: 'Since vault and hub last agreed',
      description: 'While nothing happens, up to ten minutes are usual.',
      ...{ kind: 'stat', width: 6, unit: 's', badAbove: 1500 },
      queries: [[`time() - ${metric('countersign_sync_last_success_timestamp_seconds')}`, '{{zone}}']],
    },
    ...PROMISES.map(
      ({ title, histogram, kept, bound }): Panel => ({
        title: `${title}: kept, of the last 24 h`,
        description: `The share that took no longer than ${bound} s. Empty when nothing happened.`,
        ...{ kind: 'stat', width: 6, unit: 'percentunit', goodAbove: 0.99 },
        queries: [[within(histogram, kept), '{{zone}}']],
      }),
    ),
    {
      title: 'Done for you, last 24 h',
      description: 'Approved actions that were done, by tool.',
      ...{ kind: 'stat', width: 6 },
      queries: [
        [
          `sum by (tool) (increase(${metric('countersign_executions_total', { outcome: 'done' })}[1d])) > 0`,
          '{{tool}}',
        ],
      ],
    },
    {
      title: 'How long the oldest task waits',
      description: 'For the next step of the program, by step; what waits for you is not counted. 0: nothing waits.',
      ...{ kind: 'timeseries', width: 12, unit: 's', queries: [[oldest, '{{zone}} {{state}}']] },
    },
    {
      title: 'Tasks',
      description: 'Changes of state of tasks, in the hour before.',
      ...{ kind: 'timeseries', width: 12, queries: [[perHour('countersign_tasks_total', 'outcome'), '{{outcome}}']] },
    },
  ],
}

const FLOW: Dashboard = {
  uid: 'countersign-flow',
  title: 'Flow and promises',
  panels: [
    ...PROMISES.map(
      ({ title, histogram, aimed }): Panel => ({
        title: `${title}: as fast as aimed at`,
        description: 'The share of the last 24 h within the bound that is aimed at, not only the one that is promised.',
        ...{ kind: 'stat', width: 8, unit: 'percentunit', queries: [[within(histogram, aimed), '{{zone}}']] },
      }),
    ),
    ...PROMISES.map(
      ({ title, histogram, bound }): Panel => ({
        title: `${title}: how long`,
        description: `Half and 99 of 100 took no longer, in the hour before. ${bound} s are promised.`,
        ...{ kind: 'timeseries', width: 8, unit: 's' },
        queries: [
          [quantile(0.5, histogram), '{{zone}} half'],
          [quantile(0.99, histogram), '{{zone}} 99 of 100'],
        ],
      }),
    ),
    {
      title: 'Too late, share',
      description: 'Of the hour and of the six hours before. An alert is raised when 14 % (6 %) and more are late.',
      ...{ kind: 'timeseries', width: 12, unit: 'percentunit' },
      queries: [
        [lateShare('1h'), '{{promise}} {{zone}} 1 h'],
        [lateShare('6h'), '{{promise}} {{zone}} 6 h'],
      ],
    },
    {
      title: 'Budget of 30 days',
      description: '1 of 100 may be late. 1: nothing of it used; 0: used up; less: the promise of the month is broken.',
      ...{ kind: 'timeseries', width: 12, unit: 'percentunit' },
      queries: [[`1 - ${lateShare('30d')} / 0.01`, '{{promise}} {{zone}}']],
    },
    {
      title: 'How many',
      description: 'Drafts, crossings and executions that were measured, in the hour before.',
      ...{ kind: 'timeseries', width: 12, queries: [[eventCount('1h'), '{{promise}} {{zone}}']] },
    },
    {
      title: 'Mails looked at',
      description: 'What became of the mails that triage saw, in the hour before.',
      ...{ kind: 'timeseries', width: 12, queries: [[perHour('countersign_mails_total', 'outcome'), '{{outcome}}']] },
    },
  ],
}

const EXECUTIONS: Dashboard = {
  uid: 'countersign-executions',
  title: 'Executions and approvals',
  panels: [
    {
      title: 'Outcome unknown, last 24 h',
      description: 'Of these nobody can tell whether they were done: you decide. 0 is good.',
      ...{ kind: 'stat', width: 8, badAbove: 1 },
      queries: [[`sum(increase(${metric('countersign_executions_total', { outcome: 'unknown' })}[1d]))`, 'last 24 h']],
    },
    {
      title: 'Doubles prevented, last 24 h',
      description: 'Times something would have been done twice and was not.',
      ...{
        kind: 'stat',
        width: 8,
        queries: [[`sum by (how) (increase(${metric('countersign_duplicates_prevented_total')}[1d]))`, '{{how}}']],
      },
    },
    {
      title: 'Oldest approved task',
      description: 'How long the oldest task whose undo window is over has been waiting to be done.',
      ...{ kind: 'stat', width: 8, unit: 's', badAbove: 30 },
      queries: [[metric('countersign_task_oldest_age_seconds', { state: 'approved' }), '{{zone}}']],
    },
    {
      title: 'What became of approved actions',
      description: 'By tool and outcome, in the hour before.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[perHour('countersign_executions_total', 'tool, outcome'), '{{tool}} {{outcome}}']],
    },
    {
      title: 'Put before you again',
      description: 'Approved, but not done as they stood, by the rule, in the hour before.',
      ...{ kind: 'timeseries', width: 12, queries: [[perHour('countersign_returns_total', 'rule'), '{{rule}}']] },
    },
    {
      title: 'Notices to you',
      description: 'By way and outcome, in the hour before.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[perHour('countersign_notifications_total', 'way, outcome'), '{{way}} {{outcome}}']],
    },
    {
      title: 'From approval to done',
      description: 'After the undo window; half and 99 of 100, in the hour before.',
      ...{ kind: 'timeseries', width: 12, unit: 's' },
      queries: [
        [quantile(0.5, 'countersign_approval_to_execution_seconds'), 'half'],
        [quantile(0.99, 'countersign_approval_to_execution_seconds'), '99 of 100'],
      ],
    },
  ],
}

const SYNC: Dashboard = {
  uid: 'countersign-sync',
  title: 'Sync and claims',
  panels: [
    {
      title: 'Pushed commits refused here',
      description: 'Anything but 0 means that someone pushed what they may not. Last 24 h.',
      ...{ kind: 'stat', width: 6, badAbove: 1 },
      queries: [[`sum(increase(${metric('countersign_gate_refusals_total')}[1d])) or vector(0)`, 'last 24 h']],
    },
    {
      title: 'Held back',
      description: 'Files that sync does not carry now: for a secret in them, or by another rule.',
      ...{ kind: 'stat', width: 6, badAbove: 1 },
      queries: [[metric('countersign_sync_held_files'), '{{zone}} {{reason}}']],
    },
    {
      title: 'Conflict copies',
      description: 'Waiting for you; both versions are kept until you choose.',
      ...{ kind: 'stat', width: 6, badAbove: 1 },
      queries: [[metric('countersign_sync_open_conflicts'), '{{zone}}']],
    },
    {
      title: 'Found wrong by the nightly check',
      description: 'Vault, clone, hub and ledgers held against each other.',
      ...{ kind: 'stat', width: 6, badAbove: 1 },
      queries: [[metric('countersign_sync_check_problems'), '{{zone}}']],
    },
    {
      title: 'Rounds of sync',
      description: 'By outcome, in the hour before.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[perHour('countersign_sync_cycles_total', 'zone, outcome'), '{{zone}} {{outcome}}']],
    },
    {
      title: 'Claims',
      description: 'Won, lost to others, and those of which nothing was heard, in the hour before.',
      ...{ kind: 'timeseries', width: 12, queries: [[perHour('countersign_claims_total', 'outcome'), '{{outcome}}']] },
    },
    {
      title: 'From one zone into the other',
      description: 'Half and 99 of 100 took no longer, in the hour before.',
      ...{ kind: 'timeseries', width: 12, unit: 's' },
      queries: [
        [quantile(0.5, 'countersign_sync_propagation_seconds'), '{{zone}} half'],
        [quantile(0.99, 'countersign_sync_propagation_seconds'), '{{zone}} 99 of 100'],
      ],
    },
    {
      title: 'Since the other zone was last heard of',
      description: 'Grows while nothing happens there or nothing comes through.',
      ...{ kind: 'timeseries', width: 12, unit: 's' },
      queries: [[`time() - ${metric('countersign_zone_last_heard_timestamp_seconds')}`, '{{of}}, seen from {{zone}}']],
    },
    {
      title: 'Refused, by rule',
      description: 'In the hour before; a rule appears with its first refusal.',
      ...{ kind: 'timeseries', width: 12, queries: [[perHour('countersign_gate_refusals_total', 'rule'), '{{rule}}']] },
    },
    {
      title: 'Conflicts kept',
      description: 'New conflict copies, in the hour before.',
      ...{
        kind: 'timeseries',
        width: 12,
        queries: [[perHour('countersign_sync_conflicts_total', 'zone'), '{{zone}}']],
      },
    },
  ],
}

const QUEUES: Dashboard = {
  uid: 'countersign-queues',
  title: 'Queues',
  panels: [
    {
      title: 'Oldest job',
      description:
        'How long the job that is next has been waiting, by queue. Seconds at most; minutes: its worker is stuck.',
      ...{ kind: 'timeseries', width: 12, unit: 's' },
      queries: [[metric('countersign_queue_oldest_age_seconds'), '{{zone}} {{queue}}']],
    },
    {
      title: 'Jobs standing in queues',
      description: 'By queue and state. Queues are doorbells: what stands here is no work that could be lost.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[metric('countersign_queue_jobs'), '{{zone}} {{queue}} {{state}}']],
    },
    {
      title: 'Jobs taken',
      description: 'By queue and outcome, in the hour before.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[perHour('countersign_jobs_total', 'zone, queue, outcome'), '{{zone}} {{queue}} {{outcome}}']],
    },
    {
      title: 'Drafts',
      description: 'Attempts by outcome, in the hour before. Lost: the task was no longer the drafter’s.',
      ...{ kind: 'timeseries', width: 12, queries: [[perHour('countersign_drafts_total', 'outcome'), '{{outcome}}']] },
    },
  ],
}

const COMPONENTS: Dashboard = {
  uid: 'countersign-components',
  title: 'Components',
  panels: [
    {
      title: 'Up since',
      description: 'How long each service has been running.',
      ...{ kind: 'stat', width: 12, unit: 's' },
      queries: [[`time() - ${builtIn('process_start_time_seconds')}`, '{{zone}} {{service}}']],
    },
    {
      title: 'Since it last got on with its work',
      description: 'Idle counts as progress. Up to a few minutes are usual for the watcher of a quiet mailbox.',
      ...{ kind: 'stat', width: 12, unit: 's', badAbove: 600 },
      queries: [[`time() - ${metric('countersign_heartbeat_timestamp_seconds')}`, '{{zone}} {{service}}']],
    },
    {
      title: 'Starts',
      description: 'New starts of each service, in the hour before.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[`changes(${builtIn('process_start_time_seconds')}[1h])`, '{{zone}} {{service}}']],
    },
    {
      title: 'Starts that did not get ready',
      description: 'Something the service needs was away; it tries again by itself. In the hour before.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [
        [
          `sum by (zone, service) (increase(${metric('countersign_boots_total', { outcome: 'failed' })}[1h]))`,
          '{{zone}} {{service}}',
        ],
      ],
    },
    {
      title: 'Errors',
      description: 'By code, in the hour before; docs/errors.md explains each.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [
        [`sum by (service, code) (increase(${metric('countersign_errors_total')}[1h])) > 0`, '{{service}} {{code}}'],
      ],
    },
    {
      title: 'Memory',
      description: 'Resident memory of each service. Its container ends it at 192 MB.',
      ...{ kind: 'timeseries', width: 12, unit: 'bytes' },
      queries: [[builtIn('process_resident_memory_bytes'), '{{zone}} {{service}}']],
    },
    {
      title: 'CPU',
      description: 'Share of one core, over five minutes.',
      ...{ kind: 'timeseries', width: 12, unit: 'percentunit' },
      queries: [[`rate(${builtIn('process_cpu_seconds_total')}[5m])`, '{{zone}} {{service}}']],
    },
    {
      title: 'Event loop',
      description: 'How long a service kept everything else in it waiting, 99 of 100.',
      ...{ kind: 'timeseries', width: 12, unit: 's' },
      queries: [[builtIn('nodejs_eventloop_lag_p99_seconds'), '{{zone}} {{service}}']],
    },
    {
      title: 'Versions',
      description: 'What runs.',
      ...{ kind: 'stat', width: 12, queries: [[metric('countersign_build_info'), '{{zone}} {{service}} {{version}}']] },
    },
  ],
}

export const DASHBOARDS: readonly Dashboard[] = [OVERVIEW, FLOW, EXECUTIONS, SYNC, QUEUES, COMPONENTS]
