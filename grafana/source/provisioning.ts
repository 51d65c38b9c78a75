import { ALERT_GROUPS, ALERTS, type Alert } from './alerts.ts'

const RECEIVER = 'owner'
const PROMETHEUS = 'prometheus'
const EXPRESSIONS = '__expr__'
/** What an alert may look back on; of the query itself only its last moment counts. */
const LOOK_BACK_S = 600
/** The one secret of a way: an address, a URL, a bot's token. */
const SECRET = '$__file{/run/secrets/alert-to}'

/** Grafana's own alert rules: the same questions as Prometheus's, asked by who tells the owner. */
export function ruleFile() {
  const groups = ALERT_GROUPS.map(({ name, alerts }) => ({
    ...{ orgId: 1, name, folder: 'Countersign', interval: '30s' },
    rules: alerts.map(grafanaRule),
  }))
  return { apiVersion: 1, groups }
}

function grafanaRule(alert: Alert) {
  const { name, query, above, severity } = alert
  return {
    uid: uidOf(name),
    title: name,
    condition: 'B',
    for: alert.for ?? '0s',
    // A question without an answer is the usual good case; that Prometheus knows nothing has an alert of its own.
    noDataState: 'OK',
    execErrState: 'Error',
    labels: { severity },
    annotations: {
      summary: withValue(alert.summary),
      description: withValue(alert.description),
      runbook_url: `\${COUNTERSIGN_GRAFANA_URL}/d/countersign-runbook/runbook?viewPanel=panel-${ALERTS.indexOf(alert) + 1}`,
    },
    data: [
      {
        refId: 'A',
        relativeTimeRange: { from: LOOK_BACK_S, to: 0 },
        datasourceUid: PROMETHEUS,
        model: { refId: 'A', expr: query, instant: true, range: false, editorMode: 'code' },
      },
      {
        refId: 'B',
        relativeTimeRange: { from: 0, to: 0 },
        datasourceUid: EXPRESSIONS,
        model: {
          ...{ refId: 'B', type: 'threshold', expression: 'A' },
          datasource: { type: EXPRESSIONS, uid: EXPRESSIONS },
          conditions: [{ evaluator: { type: 'gt', params: [above] } }],
        },
      },
    ],
  }
}

/** `CountersignGateRefused` → `countersign-gate-refused`; Grafana takes 40 characters. */
export function uidOf(name: string): string {
  return name.replaceAll(/(?<=[a-z])[A-Z]/g, '-$&').toLowerCase()
}

function withValue(text: string): string {
  return text.replaceAll('$value', '$values.A.Value')
}

export function policyFile() {
  const page = { receiver: RECEIVER, object_matchers: [['severity', '=', 'page']], group_wait: '10s' }
  return {
    apiVersion: 1,
    policies: [
      {
        ...{ orgId: 1, receiver: RECEIVER, group_by: ['alertname', 'zone'] },
        ...{ group_wait: '1m', group_interval: '5m', repeat_interval: '24h' },
        routes: [{ ...page, repeat_interval: '4h' }],
      },
    ],
  }
}

/** How the owner can be told; compose.alerts.yml takes one of them. */
export const WAYS = {
  email: { type: 'email', settings: { addresses: SECRET, singleEmail: true } },
  ntfy: {
    type: 'webhook',
    settings: {
      // ntfy makes its message of Grafana's JSON by these templates.
      url: `${SECRET}?template=yes&title=${encodeURIComponent('{{.title}}')}&message=${encodeURIComponent('{{.message}}')}`,
      httpMethod: 'POST',
    },
  },
  telegram: { type: 'telegram', settings: { bottoken: SECRET, chatid: `\${COUNTERSIGN_ALERT_CHAT}` } },
  webhook: { type: 'webhook', settings: { url: SECRET, httpMethod: 'POST' } },
} as const

export function contactFile(way: keyof typeof WAYS) {
  const receivers = [{ uid: `owner-${way}`, ...WAYS[way], disableResolveMessage: false }]
  return { apiVersion: 1, contactPoints: [{ orgId: 1, name: RECEIVER, receivers }] }
}
