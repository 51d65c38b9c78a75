import { ALERT_GROUPS, ALERTS } from '../../grafana/source/alerts.ts'

/** Series over time, and when the alert is silent and when it rings; times are minutes from the start. */
export interface AlertCase {
  readonly alert: string
  readonly what: string
  /** promtool's notation of values, one each minute. */
  readonly series: Readonly<Record<string, string>>
  readonly silentAt: readonly number[]
  readonly firesAt?: number
  /** Beside its severity. */
  readonly labels?: Readonly<Record<string, string>>
  /** As the text shows it. */
  readonly value?: string
}

const SENDING = { tool: 'email.send_email', service: 'executor', zone: 'local' }
const APPROVALS = 'countersign_approval_to_execution_seconds'
const ZONE = { zone: 'local' }

function named(name: string, labels: Readonly<Record<string, string>>): string {
  const inside = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  return `${name}{${inside.join(',')}}`
}

/** Something that is counted for the first time in minute 11. */
function counted(alert: string, name: string, labels: Readonly<Record<string, string>>): AlertCase {
  const series = { [named(name, labels)]: '0x10 1x100' }
  return { alert, what: 'the first in an hour', series, silentAt: [10, 80], firesAt: 12, labels }
}

/** Something that has been waiting from the first minute on. */
function waiting(alert: string, labels: Readonly<Record<string, string>>, at: readonly [number, number]): AlertCase {
  const series = { [named('countersign_task_oldest_age_seconds', labels)]: '0+60x30' }
  const [silent, firesAt] = at
  return { alert, what: 'a task that waits', series, silentAt: [silent], firesAt, labels, value: `${firesAt}m 0s` }
}

const executions = (alert: string, outcome: string) =>
  counted(alert, 'countersign_executions_total', { ...SENDING, outcome })
const lastHeard = (of: string, zone: string) => named('countersign_zone_last_heard_timestamp_seconds', { of, zone })
/** Ten minutes less than three days before the test begins. */
const AGO = '-258600x60'
const started = (service: string, zone = 'cloud') =>
  named('process_start_time_seconds', { job: 'countersign', service, zone })

const ALERT_CASES: readonly AlertCase[] = [
  {
    alert: 'CountersignPromiseBroken',
    what: 'executions of which none is in time from minute 30 on',
    series: {
      [`${APPROVALS}_bucket{le="30",zone="local"}`]: '0+1x30 30x60',
      [`${APPROVALS}_count{zone="local"}`]: '0+1x90',
    },
    silentAt: [30],
    firesAt: 35,
    labels: { promise: 'execution', ...ZONE },
    value: '14.29%',
  },
  {
    alert: 'CountersignPromiseBroken',
    what: 'one late of three: no rate says anything yet',
    series: {
      [`${APPROVALS}_bucket{le="30",zone="local"}`]: '0x20 1x20 2x60',
      [`${APPROVALS}_count{zone="local"}`]: '0x20 1x20 2x9 3x60',
    },
    silentAt: [30, 53, 60, 90],
  },
  {
    alert: 'CountersignPromiseSlipping',
    what: 'nothing but late executions, as soon as there are thirty',
    series: { [`${APPROVALS}_bucket{le="30",zone="local"}`]: '0x100', [`${APPROVALS}_count{zone="local"}`]: '0+1x100' },
    silentAt: [25],
    firesAt: 35,
    labels: { promise: 'execution', ...ZONE },
    value: '100%',
  },
  waiting('CountersignTaskUnclaimed', { state: 'needs_action', service: 'sync', zone: 'cloud' }, [6, 8]),
  waiting('CountersignDraftWaiting', { state: 'drafting', service: 'drafter', zone: 'cloud' }, [6, 8]),
  waiting('CountersignApprovedWaiting', { state: 'approved', service: 'executor', zone: 'local' }, [1, 3]),
  {
    alert: 'CountersignApprovedWaiting',
    what: 'a task that waits for less than half a minute each time',
    series: { 'countersign_task_oldest_age_seconds{state="approved"}': '30x60' },
    silentAt: [1, 10, 60],
  },
  executions('CountersignOutcomeUnknown', 'unknown'),
  executions('CountersignExecutionFailed', 'failed'),
  counted('CountersignDuplicatePrevented', 'countersign_duplicates_prevented_total', { how: 'spent', ...ZONE }),
  {
    ...counted('CountersignDuplicatePrevented', 'countersign_duplicates_prevented_total', { how: 'found', ...ZONE }),
    ...{ what: 'a lost answer that was found', silentAt: [10, 12, 30], firesAt: undefined as never },
  },
  counted('CountersignNoticeFailed', 'countersign_notifications_total', { way: 'ntfy', outcome: 'failed', ...ZONE }),
  counted('CountersignMailFailed', 'countersign_mails_total', { outcome: 'failed', zone: 'cloud' }),
  counted('CountersignDraftFailed', 'countersign_drafts_total', { outcome: 'failed', zone: 'cloud' }),
  {
    alert: 'CountersignForgedApproval',
    what: 'a pushed approval',
    series: { 'countersign_gate_refusals_total{rule="local-only-path",zone="local"}': '_x10 1x59' },
    silentAt: [9, 40],
    firesAt: 11,
    labels: { rule: 'local-only-path', ...ZONE },
  },
  {
    alert: 'CountersignForgedApproval',
    what: 'another refusal',
    series: { 'countersign_gate_refusals_total{rule="not-your-work",zone="local"}': '_x10 1x59' },
    silentAt: [9, 11, 40],
  },
  {
    alert: 'CountersignSyncSilent',
    what: 'sync that never agreed since it began; other services have nothing to agree with',
    series: { [started('sync')]: '0x60', [started('triage', 'local')]: '0x60' },
    silentAt: [26],
    firesAt: 28,
    labels: { job: 'countersign', service: 'sync', zone: 'cloud' },
    value: '28m 0s',
  },
  {
    alert: 'CountersignCheckOverdue',
    what: 'two nights without a check',
    // It ended ten minutes less than fifty hours before the test begins.
    series: { 'countersign_sync_check_timestamp_seconds{zone="local"}': '-179400x60' },
    silentAt: [10],
    firesAt: 12,
    labels: ZONE,
    value: '2d 2h 2m 0s',
  },
  {
    alert: 'CountersignConflictOpen',
    what: 'two copies for an hour',
    series: { 'countersign_sync_open_conflicts{zone="local"}': '0x5 2x100' },
    silentAt: [5, 65],
    firesAt: 67,
    labels: ZONE,
    value: '2',
  },
  {
    alert: 'CountersignCloudSilent',
    what: 'no heartbeat of the cloud from minute 10 on, seen from the local zone',
    series: {
      [lastHeard('cloud', 'local')]: '0+60x10 600x20',
      [lastHeard('cloud', 'cloud')]: '0x30',
    },
    silentAt: [14, 20],
    firesAt: 21,
    labels: { of: 'cloud', zone: 'local' },
    value: '11m 0s',
  },
  {
    alert: 'CountersignCanaryLate',
    what: 'no canary for two and a half hours in minute 10, and in the cloud none for as long as its owner is away',
    series: {
      'countersign_canary_age_seconds{service="executor",zone="local"}': '8400+60x40',
      'countersign_canary_age_seconds{service="health",zone="cloud"}': '86400+60x40',
    },
    silentAt: [10, 20],
    firesAt: 22,
    labels: { service: 'executor', zone: 'local' },
    value: '2h 42m 0s',
  },
  {
    alert: 'CountersignLocalSilent',
    what: 'three days without a commit of the local zone, seen from the cloud',
    series: { [lastHeard('local', 'cloud')]: AGO, [lastHeard('local', 'local')]: AGO },
    silentAt: [10, 20],
    firesAt: 22,
    labels: { of: 'local', zone: 'cloud' },
    value: '3d 0h 12m 0s',
  },
  {
    ...counted('CountersignModelCapReached', 'countersign_model_requests_total', { outcome: 'over-cap', ...ZONE }),
    labels: ZONE,
  },
  {
    alert: 'CountersignModelUnanswered',
    what: 'three questions of one hour',
    series: {
      'countersign_model_questions_total{outcome="unreachable",zone="cloud"}': '0x10 2x100',
      'countersign_model_questions_total{outcome="unusable",zone="cloud"}': '0x20 1x90',
      'countersign_model_questions_total{outcome="answered",zone="cloud"}': '0+5x110',
    },
    silentAt: [12, 20, 85],
    firesAt: 24,
    labels: { zone: 'cloud' },
  },
  {
    alert: 'CountersignSyntheticLate',
    what: 'none comes through the drafter from minute 5 on, each of the executor does',
    series: {
      'countersign_synthetic_age_seconds{service="drafter",zone="cloud"}': '60x5 60+60x30',
      'countersign_synthetic_age_seconds{service="executor",zone="local"}': '60x40',
    },
    silentAt: [5, 11],
    firesAt: 14,
    labels: { service: 'drafter', zone: 'cloud' },
    value: '9m 0s',
  },
  {
    alert: 'CountersignMailboxAway',
    what: 'one of two mailboxes away from minute 5 on',
    series: {
      'countersign_mailbox_watched{service="triage",mailbox="first",zone="cloud"}': '1x4 0x30',
      'countersign_mailbox_watched{service="triage",mailbox="second",zone="cloud"}': '1x40',
    },
    silentAt: [4, 14],
    firesAt: 16,
    labels: { mailbox: 'first', service: 'triage', zone: 'cloud' },
    value: '1',
  },
  {
    alert: 'CountersignWhatsAppLost',
    what: 'a session that was taken over in minute 10, and one that is ready',
    series: {
      'countersign_whatsapp_session{service="whatsapp",state="conflict",zone="local"}': '0x9 1x60',
      'countersign_whatsapp_session{service="whatsapp",state="ready",zone="local"}': '1x9 0x60',
    },
    silentAt: [9, 24],
    firesAt: 26,
    labels: { state: 'conflict', zone: 'local' },
    value: '1',
  },
  {
    alert: 'CountersignTokenExpiring',
    what: 'a token that ends in 48 hours and ten minutes, and one that has a month',
    series: {
      'countersign_mail_token_expiry_timestamp_seconds{service="triage",mailbox="first",zone="cloud"}': '173400x30',
      'countersign_mail_token_expiry_timestamp_seconds{service="triage",mailbox="second",zone="cloud"}': '2592000x30',
    },
    silentAt: [5, 9],
    firesAt: 11,
    labels: { mailbox: 'first', service: 'triage', zone: 'cloud' },
    value: '0',
  },
  {
    alert: 'CountersignCertificateExpiring',
    what: 'a certificate that ends in 14 days and five minutes, and one that has a month',
    series: {
      'countersign_certificate_expiry_timestamp_seconds{service="health",of="mailbox",zone="cloud"}': '1209900x30',
      'countersign_certificate_expiry_timestamp_seconds{service="health",of="odoo",zone="cloud"}': '2592000x30',
    },
    silentAt: [4, 14],
    firesAt: 17,
    labels: { of: 'mailbox', zone: 'cloud' },
  },
  {
    alert: 'CountersignDependencyAway',
    what: 'an Odoo that is away from minute 5 on; Redis has an alert of its own',
    series: {
      'countersign_dependency_up{service="health",dependency="odoo",of="drafter",zone="cloud"}': '1x4 0x40',
      'countersign_dependency_up{service="health",dependency="redis",of="drafter",zone="cloud"}': '0x50',
    },
    silentAt: [4, 19],
    firesAt: 21,
    labels: { dependency: 'odoo', of: 'drafter', zone: 'cloud' },
  },
  {
    alert: 'CountersignClockWrong',
    what: 'a clock that falls behind, and one that is a little off',
    series: {
      'countersign_clock_skew_seconds{service="health",of="hub",zone="local"}': '-59x4 -90x30',
      'countersign_clock_skew_seconds{service="health",of="odoo",zone="local"}': '59x40',
    },
    silentAt: [4, 14],
    firesAt: 16,
    labels: { of: 'hub', ...ZONE },
    value: '1m 30s',
  },
  {
    alert: 'CountersignDiskFull',
    what: 'a disk nine tenths full from minute 5 on, another half',
    series: {
      'countersign_disk_used_ratio{service="health",of="vault",zone="cloud"}': '0.8x4 0.95x30',
      'countersign_disk_used_ratio{service="health",of="state",zone="cloud"}': '0.5x40',
    },
    silentAt: [4, 14],
    firesAt: 16,
    labels: { of: 'vault', zone: 'cloud' },
    value: '95%',
  },
  {
    alert: 'CountersignServiceFailing',
    what: 'a third failed restart in minute 5, mended in minute 20',
    series: {
      'countersign_component_failed_restarts{service="health",component="drafter",zone="cloud"}':
        '0 1 1 2 2 3 4 5 6x12 0x10',
      'countersign_component_failed_restarts{service="health",component="sync",zone="cloud"}': '0x30',
    },
    silentAt: [4, 22],
    firesAt: 6,
    labels: { component: 'drafter', zone: 'cloud' },
    value: '4',
  },
  {
    alert: 'CountersignServiceDown',
    what: 'a service away from minute 6 on, another never',
    series: {
      'up{job="countersign",service="drafter",zone="cloud"}': '1x5 0x20',
      'up{job="countersign",service="sync",zone="cloud"}': '1x30',
      'up{job="prometheus"}': '0x30',
    },
    silentAt: [5, 7],
    firesAt: 9,
    labels: { job: 'countersign', service: 'drafter', zone: 'cloud' },
  },
  {
    alert: 'CountersignNoMetrics',
    what: 'nothing but Prometheus itself',
    series: { 'up{job="prometheus"}': '1x20' },
    silentAt: [4],
    firesAt: 6,
    labels: { job: 'countersign' },
  },
  {
    alert: 'CountersignServiceStuck',
    what: 'a heart that beat once',
    series: { 'countersign_heartbeat_timestamp_seconds{service="triage",zone="cloud"}': '0x30' },
    silentAt: [10, 11],
    firesAt: 13,
    labels: { service: 'triage', zone: 'cloud' },
    value: '13m 0s',
  },
  {
    alert: 'CountersignRestarting',
    what: 'a third start within a quarter of an hour',
    series: { [started('drafter')]: '0x5 360 420 480x40' },
    silentAt: [5, 7, 30],
    firesAt: 9,
    labels: { job: 'countersign', service: 'drafter', zone: 'cloud' },
  },
  {
    alert: 'CountersignCannotStart',
    what: 'starts that fail for a few minutes',
    series: { 'countersign_boots_total{outcome="failed",service="drafter",zone="cloud"}': '0x5 2 4 6x40' },
    silentAt: [5, 30],
    firesAt: 8,
    labels: { outcome: 'failed', service: 'drafter', zone: 'cloud' },
  },
  {
    alert: 'CountersignQueueStuck',
    what: 'a job that nobody takes',
    series: { 'countersign_queue_oldest_age_seconds{queue="draft",service="drafter",zone="cloud"}': '0+60x20' },
    silentAt: [2, 3],
    firesAt: 5,
    labels: { queue: 'draft', zone: 'cloud' },
    value: '5m 0s',
  },
  {
    alert: 'CountersignMemoryShort',
    what: 'a machine without memory from minute 5 on, and one with some',
    series: {
      'node_memory_MemAvailable_bytes{zone="cloud"}': '2000x4 200x40',
      'node_memory_MemTotal_bytes{zone="cloud"}': '4000x50',
      'node_memory_MemAvailable_bytes{zone="local"}': '400x50',
      'node_memory_MemTotal_bytes{zone="local"}': '4000x50',
    },
    silentAt: [4, 19],
    firesAt: 21,
    labels: { zone: 'cloud' },
    value: '95%',
  },
  {
    alert: 'CountersignProofFailed',
    what: 'a proof of which one line fails from minute 10 on',
    series: { [named('countersign_proof_lines', { result: 'failed', zone: 'cloud' })]: '0x9 1x60' },
    silentAt: [9],
    firesAt: 11,
    labels: { zone: 'cloud' },
    value: '1',
  },
  {
    alert: 'CountersignProofOverdue',
    what: 'no proof for more than two days',
    // Ten minutes less than two days before the test begins.
    series: { [named('countersign_proof_last_timestamp_seconds', { zone: 'cloud' })]: '-172200x60' },
    silentAt: [9, 19],
    firesAt: 22,
    labels: { zone: 'cloud' },
    value: '2d 0h 12m 0s',
  },
  counted('CountersignEgressRefused', 'countersign_egress_total', {
    outcome: 'refused',
    service: 'egress',
    zone: 'cloud',
  }),
  counted('CountersignOutOfMemory', 'node_vmstat_oom_kill', { service: 'node-exporter', zone: 'cloud' }),
  {
    alert: 'CountersignRedisFull',
    what: 'one that fills, and one without a limit',
    series: {
      'redis_memory_used_bytes{zone="cloud"}': '10x4 90x40',
      'redis_memory_max_bytes{zone="cloud"}': '100x50',
      'redis_memory_used_bytes{zone="local"}': '90x50',
      'redis_memory_max_bytes{zone="local"}': '0x50',
    },
    silentAt: [4, 14],
    firesAt: 16,
    labels: { zone: 'cloud' },
    value: '90%',
  },
  {
    alert: 'CountersignRedisHidden',
    what: 'a Redis that the exporter cannot ask from minute 5 on',
    series: { 'redis_up{zone="cloud"}': '1x4 0x40', 'redis_up{zone="local"}': '1x50' },
    silentAt: [4, 19],
    firesAt: 21,
    labels: { zone: 'cloud' },
  },
  {
    alert: 'CountersignExporterAway',
    what: 'one exporter away from minute 5 on',
    series: {
      'up{job="machine",service="node-exporter",zone="cloud"}': '1x4 0x40',
      'up{job="redis",service="redis-exporter",zone="cloud"}': '1x50',
      'up{job="prometheus"}': '0x50',
    },
    silentAt: [4, 19],
    firesAt: 21,
    labels: { job: 'machine', service: 'node-exporter', zone: 'cloud' },
  },
  counted('CountersignFault', 'countersign_errors_total', { code: 'ERR_UNEXPECTED', service: 'sync', zone: 'cloud' }),
  {
    alert: 'CountersignBackupOverdue',
    what: 'a backup that is a day and two hours old in minute 10, and a service that has just begun',
    series: {
      'countersign_backup_last_success_timestamp_seconds{service="backup",zone="cloud"}': '-93000x60',
      [started('backup', 'local')]: '0x60',
    },
    silentAt: [9, 19],
    firesAt: 22,
    labels: { service: 'backup', zone: 'cloud' },
    value: '1d 2h 12m 0s',
  },
  {
    alert: 'CountersignBackupOverdue',
    what: 'none ever since the service began, longer ago than that',
    series: { [started('backup', 'local')]: '-93000x60' },
    silentAt: [9, 19],
    firesAt: 22,
    labels: { job: 'countersign', service: 'backup', zone: 'local' },
    value: '1d 2h 12m 0s',
  },
  {
    alert: 'CountersignBackupDamaged',
    what: 'a trial that fails from minute 5 on, and backups that fail, of which another alert tells',
    series: {
      'countersign_backup_failing{of="drill",service="backup",zone="cloud"}': '0x4 1x200',
      'countersign_backup_failing{of="backup",service="backup",zone="cloud"}': '1x210',
    },
    silentAt: [4, 124],
    firesAt: 126,
    labels: { of: 'drill', service: 'backup', zone: 'cloud' },
    value: '1',
  },
  {
    alert: 'CountersignDrillOverdue',
    what: 'a trial that is eight days ago in minute 10',
    series: {
      'countersign_restore_drill_last_success_timestamp_seconds{service="backup",zone="cloud"}': '-690600x100',
    },
    silentAt: [9, 69],
    firesAt: 72,
    labels: { service: 'backup', zone: 'cloud' },
    value: '8d 1h 2m 0s',
  },
]

/** As files of promtool's, by name: each loads only the rules it tries, since days are gone through by the minute. */
export function promtoolFiles(rulesFolder: string): Map<string, ReturnType<typeof promtoolTests>> {
  const isPromise = ({ alert }: AlertCase) => alert.startsWith('CountersignPromise')
  const promises = promtoolTests(ALERT_CASES.filter(isPromise), rulesFolder, ['promises', 'flow'])
  const groups = ALERT_GROUPS.map(({ name, alerts }) => {
    const own = ALERT_CASES.filter((one) => !isPromise(one) && alerts.some((alert) => alert.name === one.alert))
    return [`${name}.yml`, promtoolTests(own, rulesFolder, [name])] as const
  })
  return new Map([['promises.yml', promises], ...groups])
}

function promtoolTests(cases: readonly AlertCase[], folder: string, ruleFiles: readonly string[]) {
  return {
    rule_files: ruleFiles.map((name) => `${folder}/${name}.yml`),
    evaluation_interval: '1m',
    group_eval_order: ruleFiles,
    tests: cases.map((one) => ({
      name: `${one.alert}: ${one.what}`,
      interval: '1m',
      input_series: Object.entries(one.series).map(([series, values]) => ({ series, values })),
      alert_rule_test: [
        ...one.silentAt.map((minute) => ({ alertname: one.alert, eval_time: `${minute}m`, exp_alerts: [] })),
        ...(one.firesAt === undefined ? [] : [firing(one, one.firesAt)]),
      ],
    })),
  }
}

function firing({ alert, labels = {}, value = '' }: AlertCase, minute: number) {
  const source = ALERTS.find(({ name }) => name === alert)
  if (!source) throw new Error(`there is no alert ${alert}`)
  const shown = (text: string) =>
    text
      .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_all, label: string) => labels[label] ?? '')
      .replaceAll(/\{\{ \$value.*?\}\}/g, value)
  const exp_annotations = { summary: shown(source.summary), description: shown(source.description) }
  const exp_labels = { severity: source.severity, ...labels }
  return { alertname: alert, eval_time: `${minute}m`, exp_alerts: [{ exp_labels, exp_annotations }] }
}
