import type { Dashboard } from './panels.ts'
import { builtIn, metric } from './promql.ts'
import { perHour, quantile } from './questions.ts'

export const SYNC: Dashboard = {
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
      title: 'The other zone',
      description:
        'By its last heartbeat. 0: all is well there, 1: something needs a look, 2: a service is away, 3: its health service is silent.',
      ...{ kind: 'stat', width: 4, badAbove: 1 },
      queries: [[metric('countersign_zone_health'), '{{of}}']],
    },
    {
      title: 'What waits there',
      description: 'Tasks in the other zone’s vault, by its last heartbeat.',
      ...{ kind: 'timeseries', width: 8 },
      queries: [[metric('countersign_zone_tasks'), '{{of}} {{state}}']],
    },
    {
      title: 'Oldest approved there',
      description: 'How long it had been waiting at the last heartbeat.',
      ...{ kind: 'stat', width: 4, unit: 's', badAbove: 600 },
      queries: [[metric('countersign_zone_oldest_approved_seconds'), '{{of}}']],
    },
    {
      title: 'What was done there',
      description:
        'Approved actions by outcome, in the hour before, as heartbeats told. Unknown: the person there was asked.',
      ...{ kind: 'timeseries', width: 8 },
      queries: [[perHour('countersign_zone_executions_total', 'of, outcome'), '{{of}} {{outcome}}']],
    },
    {
      title: 'Since a canary came through',
      description: 'One crosses each hour. In the cloud it has to come back: a local zone that is off makes it wait.',
      ...{ kind: 'timeseries', width: 12, unit: 's' },
      queries: [[metric('countersign_canary_age_seconds'), '{{zone}}']],
    },
    {
      title: 'Round of a canary',
      description: 'From the cloud into your vault and back, half and 99 of 100, in the hour before.',
      ...{ kind: 'timeseries', width: 12, unit: 's' },
      queries: [
        [quantile(0.5, 'countersign_canary_round_seconds'), 'half'],
        [quantile(0.99, 'countersign_canary_round_seconds'), '99 of 100'],
      ],
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

export const QUEUES: Dashboard = {
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

export const COMPONENTS: Dashboard = {
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
      title: 'Ready',
      description:
        '1: the health service found it ready a moment ago. 0: it is starting, waits for something, or is away.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[metric('countersign_component_ready'), '{{zone}} {{component}}']],
    },
    {
      title: 'Restarts that failed',
      description: 'Since the service last did its work for a minute. You are told of the third.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[metric('countersign_component_failed_restarts'), '{{zone}} {{component}}']],
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
      title: 'Disks',
      description: 'How full the disks are that the zones keep vault and state on.',
      ...{ kind: 'timeseries', width: 12, unit: 'percentunit' },
      queries: [[metric('countersign_disk_used_ratio'), '{{zone}} {{of}}']],
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
      title: 'Mailboxes watched',
      description: '1: triage watches it. 0: it cannot, and tries again.',
      ...{ kind: 'stat', width: 12, goodAbove: 1, queries: [[metric('countersign_mailbox_watched'), '{{mailbox}}']] },
    },
    {
      title: 'Until the mailbox’s token ends',
      description: 'Where the provider said when. Below two days: `countersign auth gmail` gets a new one.',
      ...{ kind: 'stat', width: 12, unit: 's', goodAbove: 172_800 },
      queries: [[`${metric('countersign_mail_token_expiry_timestamp_seconds')} - time()`, '{{mailbox}}']],
    },
    {
      title: 'Since a synthetic task came through',
      description:
        'One each minute: from mail to draft in the cloud, from approval to done in the local zone, beside the vault and without any effect.',
      ...{ kind: 'timeseries', width: 12, unit: 's' },
      queries: [[metric('countersign_synthetic_age_seconds'), '{{zone}} {{service}}']],
    },
    {
      title: 'What the zones work with',
      description: '1: it answered when it was last met. 0: it did not; `countersign status` says why, and what to do.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[metric('countersign_dependency_up'), '{{zone}} {{dependency}} ({{of}})']],
    },
    {
      title: 'Until certificates end',
      description: 'As the servers show them. Below two weeks: one that should renew itself did not.',
      ...{ kind: 'stat', width: 6, unit: 's', goodAbove: 1_209_600 },
      queries: [[`${metric('countersign_certificate_expiry_timestamp_seconds')} - time()`, '{{zone}} {{of}}']],
    },
    {
      title: 'Clocks',
      description: 'How far another clock is surely ahead or behind; 0 where it may be right.',
      ...{ kind: 'stat', width: 6, unit: 's', badAbove: 60 },
      queries: [[`abs(${metric('countersign_clock_skew_seconds')})`, '{{zone}} {{of}}']],
    },
    {
      title: 'Versions',
      description: 'What runs.',
      ...{ kind: 'stat', width: 12, queries: [[metric('countersign_build_info'), '{{zone}} {{service}} {{version}}']] },
    },
  ],
}
