import type { Alert } from './alerts.ts'
import { burning } from './promises.ts'
import { metric } from './promql.ts'

const oldest = (state: 'needs_action' | 'drafting' | 'approved') =>
  // Each replica of a service tells the same.
  `max by (zone, state, service) (${metric('countersign_task_oldest_age_seconds', { state })})`
const LOGS = 'the log of the service says why (`docker compose logs`)'

/** Ages page, since nothing that is stuck ever ends in a histogram; ratios tell what became slow. */
export const FLOW_ALERTS: readonly Alert[] = [
  {
    name: 'CountersignPromiseBroken',
    query: [
      burning({ long: '1h', short: '5m', times: 14.4, atLeast: 10 }),
      burning({ long: '6h', short: '30m', times: 6, atLeast: 20 }),
    ].join(' or '),
    above: 0,
    severity: 'page',
    summary: 'In the {{ $labels.zone }} zone, {{ $value | humanizePercentage }} came too late: {{ $labels.promise }}.',
    description:
      'Of a promise that 99 of 100 are to keep (draft: 5 minutes, propagation: 5 minutes, execution: 30 seconds), far more are broken now. The dashboard "Flow and promises" shows since when.',
  },
  {
    name: 'CountersignPromiseSlipping',
    query: burning({ long: '1d', short: '2h', times: 3, atLeast: 30 }),
    above: 0,
    severity: 'ticket',
    summary:
      'In the {{ $labels.zone }} zone, {{ $value | humanizePercentage }} of a day came too late: {{ $labels.promise }}.',
    description:
      'The promise is being broken slowly but steadily. The dashboard "Flow and promises" shows how long things take.',
  },
  {
    name: 'CountersignTaskUnclaimed',
    query: oldest('needs_action'),
    above: 300,
    for: '1m',
    severity: 'page',
    summary: 'A task has been waiting in Needs_Action for {{ $value | humanizeDuration }} and nobody takes it.',
    description: `Sync of the {{ $labels.zone }} zone could claim it and does not; ${LOGS}.`,
  },
  {
    name: 'CountersignDraftWaiting',
    query: oldest('drafting'),
    above: 300,
    for: '1m',
    severity: 'page',
    summary: 'A claimed task has been without a draft for {{ $value | humanizeDuration }}.',
    description: `The drafter works on it in vain or not at all; ${LOGS}.`,
  },
  {
    name: 'CountersignApprovedWaiting',
    query: oldest('approved'),
    above: 30,
    for: '1m',
    severity: 'page',
    summary: 'Something you approved has not been done for {{ $value | humanizeDuration }}.',
    description:
      'Its undo window is over and it still waits. `Dashboard.md` says for what: HALT.md, a mail server that is away, a file that is being changed.',
  },
  {
    name: 'CountersignOutcomeUnknown',
    query: `increase(${metric('countersign_executions_total', { outcome: 'unknown' })}[1h])`,
    above: 0,
    severity: 'page',
    summary: 'Nobody can tell whether something you approved was done ({{ $labels.tool }}).',
    description:
      'It is not tried again by itself. The task is back in Pending_Approval: look at the provider, then tick *It was done* or *It was not done*.',
  },
  {
    name: 'CountersignExecutionFailed',
    query: `increase(${metric('countersign_executions_total', { outcome: 'failed' })}[1h])`,
    above: 0,
    severity: 'ticket',
    summary: 'Something you approved was refused by the provider ({{ $labels.tool }}).',
    description:
      'Nothing was done. The task is back in Pending_Approval with the reason; correct what it names and approve again.',
  },
  {
    name: 'CountersignDuplicatePrevented',
    query: `increase(${metric('countersign_duplicates_prevented_total', { how: ['spent', 'fenced'] })}[1h])`,
    above: 0,
    severity: 'ticket',
    summary: 'Something was about to be done a second time and was kept from it ({{ $labels.how }}).',
    description:
      'Nothing was done twice. Two executors run on one journal, or a receipt was used again: see that only one executor runs.',
  },
  {
    name: 'CountersignNoticeFailed',
    query: `increase(${metric('countersign_notifications_total', { outcome: 'failed' })}[1h])`,
    above: 0,
    severity: 'ticket',
    summary: 'Notices to you could not be sent ({{ $labels.way }}).',
    description: 'What waits for you is not told. `countersign notify --test` tries each way.',
  },
  {
    name: 'CountersignMailFailed',
    query: `increase(${metric('countersign_mails_total', { outcome: 'failed' })}[1h])`,
    above: 0,
    severity: 'ticket',
    summary: 'A mail could not be made into a task.',
    description: `It is still in the mailbox and is tried again; ${LOGS}.`,
  },
  {
    name: 'CountersignDraftFailed',
    query: `increase(${metric('countersign_drafts_total', { outcome: 'failed' })}[1h])`,
    above: 0,
    severity: 'ticket',
    summary: 'A task came to you without a draft.',
    description:
      'Nothing could be drafted from it, or its zone may not. The file in Pending_Approval says which; where the task went back, the note on the dashboard.',
  },
]
