import { LOOP_LAG_EVERY_MS } from '#runtime/metrics.ts'
import type { Dashboard } from './panels.ts'
import { builtIn, metric } from './promql.ts'
import { perHour } from './questions.ts'

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
      title: 'What the cloud must not be able to do',
      description:
        'Lines of the daily proof. Failed: something was not refused, or is where it must not be. Skipped: it could not be looked at.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[metric('countersign_proof_lines'), '{{zone}} {{result}}']],
    },
    {
      title: 'Since the last proof',
      description: 'How long ago the cloud zone last tried what it must not be able to do. A day is usual.',
      ...{ kind: 'stat', width: 12, unit: 's', badAbove: 172_800 },
      queries: [[`time() - ${metric('countersign_proof_last_timestamp_seconds')}`, '{{zone}}']],
    },
    {
      title: 'Way out',
      description:
        'Connections that containers asked for, in the hour before. Refused: to a place that is not on the list; `docker compose logs egress` names it.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[perHour('countersign_egress_total', 'zone, outcome'), '{{zone}} {{outcome}}']],
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
      queries: [
        [
          // What is measured is the time from look to look, which is a second when nothing keeps it waiting.
          `clamp_min(${builtIn('nodejs_eventloop_lag_p99_seconds')} - ${LOOP_LAG_EVERY_MS / 1000}, 0)`,
          '{{zone}} {{service}}',
        ],
      ],
    },
    {
      title: 'Mailboxes watched',
      description: '1: triage watches it. 0: it cannot, and tries again.',
      ...{ kind: 'stat', width: 12, goodAbove: 1, queries: [[metric('countersign_mailbox_watched'), '{{mailbox}}']] },
    },
    {
      title: 'WhatsApp session',
      description: '1 for what it is doing: ready, or why not. Nothing is shown where WhatsApp is not set up.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[`${metric('countersign_whatsapp_session')} > 0`, '{{state}}']],
    },
    {
      title: 'WhatsApp messages taken in',
      description: 'An hour, as they came, and again when they were edited or deleted.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[`sum by (state) (increase(${metric('countersign_whatsapp_received_total')}[1h]))`, '{{state}}']],
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
