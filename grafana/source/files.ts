import { stringify } from 'yaml'
import { ALERT_GROUPS, type AlertGroup, expressionOf } from './alerts.ts'
import { DASHBOARDS } from './dashboards.ts'
import { type Dashboard, dashboardModel } from './panels.ts'
import { RECORDING_RULES } from './promises.ts'
import { contactFile, policyFile, ruleFile, WAYS } from './provisioning.ts'
import { runbookDashboard } from './runbook.ts'

const MADE = 'Made by `npm run generate` from grafana/source/; edit that.'

/** Every file that is made from this source, by its path in the repository. `runbook`: docs/runbook.md. */
export function generatedFiles(runbook: string): Map<string, string> {
  const dashboards = [...DASHBOARDS, runbookDashboard(runbook)]
  return new Map([
    ...dashboards.map((one) => [`grafana/dashboards/${nameOf(one)}.json`, json(dashboardModel(one))] as const),
    ['grafana/provisioning/alerting/rules.yml', yaml(ruleFile())],
    ['grafana/alerts/policies.yml', yaml(policyFile())],
    ...(Object.keys(WAYS) as (keyof typeof WAYS)[]).map(
      (way) => [`grafana/alerts/${way}.yml`, yaml(contactFile(way))] as const,
    ),
    ['prometheus/rules/promises.yml', yaml(promiseRules(), 'Which share of what was promised came too late.')],
    ...ALERT_GROUPS.map(
      (group) => [`prometheus/rules/${group.name}.yml`, yaml(alertRules(group), group.about)] as const,
    ),
  ])
}

function nameOf({ uid }: Dashboard): string {
  return uid.slice('countersign-'.length)
}

function promiseRules() {
  return { groups: [{ name: 'promises', interval: '30s', rules: RECORDING_RULES }] }
}

function alertRules({ name, alerts }: AlertGroup) {
  const rules = alerts.map((alert) => ({
    alert: alert.name,
    expr: expressionOf(alert),
    ...(alert.for && { for: alert.for }),
    labels: { severity: alert.severity },
    annotations: { summary: alert.summary, description: alert.description },
  }))
  return { groups: [{ name, rules }] }
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function yaml(value: object, about?: string): string {
  const head = about === undefined ? MADE : `${about}\n# ${MADE}`
  return `# ${head}\n${stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })}`
}
