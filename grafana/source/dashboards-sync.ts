import type { Dashboard } from './panels.ts'
import { buckets, metric } from './promql.ts'
import { perHour, quantile } from './questions.ts'

const gitTakes = (share: number) =>
  `histogram_quantile(${share}, sum by (zone, operation, le) (rate(${buckets('countersign_git_seconds')}[1h])))`

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
      title: 'How long the hub takes',
      description: 'Fetching and pushing, half and 99 of 100, in the hour before.',
      ...{ kind: 'timeseries', width: 12, unit: 's' },
      queries: [
        [gitTakes(0.5), '{{zone}} {{operation}} half'],
        [gitTakes(0.99), '{{zone}} {{operation}} 99 of 100'],
      ],
    },
    {
      title: 'Ledger',
      description: 'Entries by type, in the hour before; each type appears with its first.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[perHour('countersign_ledger_entries_total', 'zone, type'), '{{zone}} {{type}}']],
    },
    {
      title: 'Writing the ledger',
      description: 'Until an entry is on the disk, half and 99 of 100, in the hour before. Every action waits for one.',
      ...{ kind: 'timeseries', width: 12, unit: 's' },
      queries: [
        [quantile(0.5, 'countersign_ledger_append_seconds'), '{{zone}} half'],
        [quantile(0.99, 'countersign_ledger_append_seconds'), '{{zone}} 99 of 100'],
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
