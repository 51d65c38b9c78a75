import type { Alert } from './alerts.ts'
import { builtIn, metric } from './promql.ts'

export const SERVICE_ALERTS: readonly Alert[] = [
  {
    name: 'CountersignServiceDown',
    query: `1 - ${builtIn('up')}`,
    above: 0,
    for: '2m',
    severity: 'page',
    summary: 'The service {{ $labels.service }} of the {{ $labels.zone }} zone does not answer.',
    description:
      'Docker starts it again by itself; after two minutes it still is not back. `docker compose ps` and `docker compose logs {{ $labels.service }}` say why.',
  },
  {
    name: 'CountersignNoMetrics',
    query: `absent(${builtIn('up')})`,
    above: 0,
    for: '5m',
    severity: 'page',
    summary: 'Prometheus knows of no service of this program.',
    description:
      'Its list of services (prometheus/) is empty or was not loaded: nothing else here can tell of trouble.',
  },
  {
    name: 'CountersignServiceStuck',
    query: `time() - ${metric('countersign_heartbeat_timestamp_seconds')}`,
    above: 600,
    for: '1m',
    severity: 'page',
    summary:
      'The service {{ $labels.service }} of the {{ $labels.zone }} zone has not got on for {{ $value | humanizeDuration }}.',
    description:
      'It answers but its work does not progress, and its own healthcheck did not end it. `docker compose restart {{ $labels.service }}` is safe at any moment.',
  },
  {
    name: 'CountersignRestarting',
    query: `changes(${builtIn('process_start_time_seconds')}[15m])`,
    above: 2,
    severity: 'page',
    summary: 'The service {{ $labels.service }} of the {{ $labels.zone }} zone starts again and again.',
    description:
      'Three new starts or more within a quarter of an hour. Each start is logged with the reason the last one ended: `docker compose logs {{ $labels.service }}`.',
  },
  {
    name: 'CountersignCannotStart',
    query: `increase(${metric('countersign_boots_total', { outcome: 'failed' })}[10m])`,
    above: 2,
    severity: 'page',
    summary: 'The service {{ $labels.service }} of the {{ $labels.zone }} zone cannot open what it works with.',
    description:
      'Redis, the mailbox or the hub is away or refuses it. It keeps trying; `countersign status` says what.',
  },
  {
    name: 'CountersignServiceFailing',
    query: `max by (zone, component) (${metric('countersign_component_failed_restarts')})`,
    above: 2,
    severity: 'page',
    summary:
      'The service {{ $labels.component }} of the {{ $labels.zone }} zone was restarted {{ $value }} times and does not stay up.',
    description:
      'It is tried further, and you were told by a note on the dashboard as well. `docker compose logs {{ $labels.component }}` says what ends it.',
  },
  {
    name: 'CountersignSyntheticLate',
    query: `min by (zone, service) (${metric('countersign_synthetic_age_seconds')})`,
    above: 300,
    for: '2m',
    severity: 'page',
    summary:
      'No synthetic task has come through the {{ $labels.service }} of the {{ $labels.zone }} zone for {{ $value | humanizeDuration }}.',
    description:
      'One goes through each minute, in a folder of its own: real work most likely stands still too. `docker compose logs {{ $labels.service }}` says at which step it ended.',
  },
  {
    name: 'CountersignMailboxAway',
    query: `1 - ${metric('countersign_mailbox_watched')}`,
    above: 0,
    for: '10m',
    severity: 'page',
    summary: 'The mailbox {{ $labels.mailbox }} cannot be read.',
    description:
      'Triage keeps trying, and what arrives meanwhile is found later. `countersign status` in the cloud says what the mail server answers: often a password or a token that counts no more.',
  },
  {
    name: 'CountersignWhatsAppLost',
    query: `max by (zone, state) (${metric('countersign_whatsapp_session')}{state=~"logged-out|lost|conflict|blocked"})`,
    above: 0,
    for: '15m',
    severity: 'ticket',
    summary: 'The WhatsApp session has been away for a quarter of an hour: {{ $labels.state }}.',
    description:
      'No message is taken in and none is sent; approved ones wait. `countersign whatsapp status` says why; logged-out, conflict and blocked need you.',
  },
  {
    name: 'CountersignTokenExpiring',
    query: `48 - (${metric('countersign_mail_token_expiry_timestamp_seconds')} - time()) / 3600`,
    above: 0,
    severity: 'ticket',
    summary: 'The token that the mailbox {{ $labels.mailbox }} is read with ends within two days.',
    description:
      'Get a new one in time: `countersign auth gmail --zone cloud`. Google ends tokens of an app in testing after a week.',
  },
  {
    name: 'CountersignCertificateExpiring',
    query: `14 - (max by (zone, of) (${metric('countersign_certificate_expiry_timestamp_seconds')}) - time()) / 86400`,
    above: 0,
    for: '10m',
    severity: 'ticket',
    summary: 'The certificate of {{ $labels.of }}, seen from the {{ $labels.zone }} zone, ends within two weeks.',
    description:
      'Certificates that renew themselves do so a month before: this one did not. When it ends, nothing connects to that server any more.',
  },
  {
    name: 'CountersignDependencyAway',
    query: `1 - min by (zone, dependency, of) (${metric('countersign_dependency_up', { dependency: ['sending', 'social', 'whatsapp', 'payment', 'odoo', 'model'] })})`,
    above: 0,
    for: '15m',
    severity: 'ticket',
    summary:
      'What {{ $labels.of }} of the {{ $labels.zone }} zone works with does not answer: {{ $labels.dependency }}.',
    description:
      'Nothing is lost: what needs it waits, or a template drafts in the place of a model. `countersign status` says since when, why, and what to do.',
  },
  {
    name: 'CountersignClockWrong',
    query: `abs(max by (zone, of) (${metric('countersign_clock_skew_seconds')}))`,
    above: 60,
    for: '10m',
    severity: 'ticket',
    summary:
      'The clock of {{ $labels.of }} and that of the {{ $labels.zone }} zone differ by {{ $value | humanizeDuration }} at least.',
    description:
      'Expiry of approvals, quiet hours and all times you are shown are as right as the clock. `timedatectl` on both machines says whether it is set by the network.',
  },
  {
    name: 'CountersignEgressRefused',
    query: `increase(${metric('countersign_egress_total', { outcome: 'refused' })}[1h])`,
    above: 0,
    severity: 'ticket',
    summary: 'Something in the {{ $labels.zone }} zone asked for a place that is not on the list of what it may reach.',
    description:
      '`docker compose logs egress` names the place. One that you set up yourself (alerts, a dead-man’s switch) belongs into COUNTERSIGN_EGRESS_ALSO; anything else nobody here should ask for.',
  },
  {
    name: 'CountersignProofFailed',
    query: `max by (zone) (${metric('countersign_proof_lines', { result: 'failed' })})`,
    above: 0,
    severity: 'page',
    summary:
      'The {{ $labels.zone }} zone holds something that it must not: {{ $value }} lines of its daily proof say so.',
    description:
      '`docker compose -f compose.cloud.yml exec health countersign prove` names each and says what to do. Nothing was done with it that a person did not approve; but the promise that nothing can be rests on less.',
  },
  {
    name: 'CountersignProofOverdue',
    query: `time() - max by (zone) (${metric('countersign_proof_last_timestamp_seconds')})`,
    above: 172_800,
    for: '10m',
    severity: 'ticket',
    summary:
      'What the {{ $labels.zone }} zone must not be able to do was last tried {{ $value | humanizeDuration }} ago.',
    description: 'It is tried each day by the health service: `docker compose logs health` says why not.',
  },
  {
    name: 'CountersignDiskFull',
    query: `max by (zone, of) (${metric('countersign_disk_used_ratio')})`,
    above: 0.9,
    for: '10m',
    severity: 'page',
    summary:
      'The disk of the {{ $labels.of }} of the {{ $labels.zone }} zone is {{ $value | humanizePercentage }} full.',
    description:
      'When it is full, nothing is lost and nothing is done: what cannot be written down is not executed. Make room, or move the zone home.',
  },
  {
    name: 'CountersignQueueStuck',
    query: `max by (zone, queue) (${metric('countersign_queue_oldest_age_seconds')})`,
    above: 120,
    for: '1m',
    severity: 'page',
    summary: 'Jobs of the queue {{ $labels.queue }} have been waiting for {{ $value | humanizeDuration }}.',
    description:
      'Its worker takes none. Nothing is lost (the vault is looked through anyway), but work is late; restart the service that serves this queue.',
  },
  {
    name: 'CountersignFault',
    query: `increase(${metric('countersign_errors_total', { code: 'ERR_UNEXPECTED' })}[1h])`,
    above: 0,
    severity: 'ticket',
    summary: 'A fault of the program in the service {{ $labels.service }} of the {{ $labels.zone }} zone.',
    description:
      'It is logged with where it happened: `docker compose logs {{ $labels.service }}`. Please report it with that line.',
  },
]
