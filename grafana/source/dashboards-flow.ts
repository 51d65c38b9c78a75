import type { Dashboard, Panel } from './panels.ts'
import { eventCount, lateShare, PROMISES } from './promises.ts'
import { builtIn, metric } from './promql.ts'
import { perHour, quantile, within } from './questions.ts'

export const OVERVIEW: Dashboard = {
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
      ...{
        kind: 'timeseries',
        width: 18,
        unit: 's',
        queries: [[metric('countersign_task_oldest_age_seconds'), '{{zone}} {{state}}']],
      },
    },
    {
      title: 'Tasks',
      description: 'Changes of state of tasks, in the hour before.',
      ...{ kind: 'timeseries', width: 24, queries: [[perHour('countersign_tasks_total', 'outcome'), '{{outcome}}']] },
    },
  ],
}

export const FLOW: Dashboard = {
  uid: 'countersign-flow',
  title: 'Flow and promises',
  panels: [
    ...PROMISES.map(
      ({ title, histogram, aimed }): Panel => ({
        title: `${title}: as fast as aimed at`,
        description: 'The share of the last 24 h within the bound that is aimed at, not only the one that is promised.',
        ...{ kind: 'stat', width: 6, unit: 'percentunit', queries: [[within(histogram, aimed), '{{zone}}']] },
      }),
    ),
    ...PROMISES.map(
      ({ title, histogram, bound }): Panel => ({
        title: `${title}: how long`,
        description: `Half and 99 of 100 took no longer, in the hour before. ${bound} s are promised.`,
        ...{ kind: 'timeseries', width: 12, unit: 's' },
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
    {
      title: 'How mails were sorted',
      description:
        'As what, and what decided: the handbook, a rule, the model, or nothing in particular; in the hour before.',
      ...{ kind: 'timeseries', width: 12 },
      queries: [[perHour('countersign_classified_total', 'by, as'), '{{by}}: {{as}}']],
    },
  ],
}

export const EXECUTIONS: Dashboard = {
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
