import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { z } from 'zod'
import { METRICS } from '#runtime/metrics.ts'
import { ALERTS, expressionOf } from '../grafana/source/alerts.ts'
import { DASHBOARDS } from '../grafana/source/dashboards.ts'
import { generatedFiles } from '../grafana/source/files.ts'
import { RECORDING_RULES } from '../grafana/source/promises.ts'
import { sectionsOf } from '../grafana/source/runbook.ts'
import * as formats from './support/grafana-formats.ts'
import { unknownIn } from './support/promql.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const runbook = read('docs/runbook.md')
const files = generatedFiles(runbook)

describe('what is generated', () => {
  it.each([...files.keys()])('%s is what its source makes of it', (path) => {
    expect(read(path), 'run `npm run generate`').toBe(files.get(path))
  })

  it('is all there is, beside what says where to find it', () => {
    const found = globSync(['grafana/{alerts,dashboards,provisioning}/**/*.*', 'prometheus/rules/*'], { cwd: root })
    const written = [
      'grafana/provisioning/dashboards/countersign.yml',
      'grafana/provisioning/datasources/prometheus.yml',
    ]
    expect(found.toSorted()).toEqual([...files.keys(), ...written].toSorted())
  })
})

describe('an expression', () => {
  const panels = DASHBOARDS.flatMap(({ title, panels }) =>
    panels.flatMap(({ title: panel, queries = [] }) => queries.map(([expr]) => [`${title}, ${panel}`, expr] as const)),
  )
  const alerts = ALERTS.map((alert) => [alert.name, expressionOf(alert)] as const)
  const records = RECORDING_RULES.map(({ record, labels, expr }) => [`${record} ${labels.promise}`, expr] as const)

  it.each([...panels, ...alerts, ...records])(
    'of %s names only series, labels and values that there are',
    (_of, expr) => {
      expect(unknownIn(expr)).toEqual([])
    },
  )

  it.each([
    ['a series', 'countersign_mail_total or up', ['countersign_mail_total']],
    ['a record', 'up > countersign:promise_late:ratio_rate3m', ['countersign:promise_late:ratio_rate3m']],
    ['a label', 'countersign_mails_total{result="task"}', ['countersign_mails_total{result="task"}']],
    ['a value', 'countersign_mails_total{outcome="lost"}', ['countersign_mails_total{outcome="lost"}']],
    ['one of two', 'countersign_mails_total{outcome=~"task|lost"}', ['countersign_mails_total{outcome=~"task|lost"}']],
    [
      'a bucket',
      'rate(countersign_arrival_to_draft_seconds_bucket{le="301"}[5m])',
      ['countersign_arrival_to_draft_seconds_bucket{le="301"}'],
    ],
    ['a group', 'sum by (queue) (countersign_mails_total)', ['by (queue)']],
    ['a function', 'delta(countersign_mails_total[5m])', ['delta()']],
  ])('that names %s which there is not is caught', (_what, expr, found) => {
    expect(unknownIn(expr)).toEqual(found)
  })

  it('that names no series at all is caught', () => {
    expect(unknownIn('1 > 0')).toEqual(['no series at all'])
  })

  it('shows every metric somewhere', () => {
    const asked = [...panels, ...alerts, ...records].map(([, expr]) => expr).join('\n')
    expect(Object.keys(METRICS).filter((name) => !new RegExp(`\\b${name}(_count|_bucket)?\\b`).test(asked))).toEqual([])
  })
})

describe('an alert', () => {
  const sections = sectionsOf(runbook)

  it.each(ALERTS.map((alert) => [alert.name, alert] as const))(
    '%s says what is the matter and what to do',
    (name, alert) => {
      expect(alert.summary).toMatch(/^\S.{20,}[.!]$/)
      expect(alert.description).toMatch(/^\S.{20,}[.!]$/)
      expect(sections.get(name)?.split(/\s+/).length, 'its section of docs/runbook.md').toBeGreaterThan(35)
    },
  )

  it('has a section of its own in the runbook, in the same order, and there are no others', () => {
    expect([...sections.keys()]).toEqual(ALERTS.map(({ name }) => name))
  })

  it('has a name of its own', () => {
    expect(new Set(ALERTS.map(({ name }) => name)).size).toBe(ALERTS.length)
  })
})

describe('a file of Grafana', () => {
  const yamls: [string, z.ZodType][] = [
    ['grafana/provisioning/alerting/rules.yml', formats.ruleFile],
    ['grafana/provisioning/datasources/prometheus.yml', formats.datasourceFile],
    ['grafana/provisioning/dashboards/countersign.yml', formats.dashboardProviderFile],
    ['grafana/alerts/policies.yml', formats.policyFile],
    ...['email', 'ntfy', 'telegram', 'webhook'].map((way): [string, z.ZodType] => [
      `grafana/alerts/${way}.yml`,
      formats.contactFile,
    ]),
  ]

  it.each(yamls)('%s has the documented form, and no other key', (path, schema) => {
    const document = parse(read(path))
    expect(schema.safeParse(document).error?.issues ?? []).toEqual([])
    expect(schema.safeParse({ ...document, contactpoints: [] }).success).toBe(false)
  })

  it.each([...files.keys()].filter((path) => path.endsWith('.json')))('%s is a dashboard without overlaps', (path) => {
    const model = JSON.parse(read(path))
    expect(formats.dashboard.safeParse(model).error?.issues ?? []).toEqual([])
    const { panels } = formats.dashboard.parse(model)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true)
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  })

  it('that tells somebody tells the one that the policy names, and the rules are all different', () => {
    const owner = formats.policyFile.parse(parse(read('grafana/alerts/policies.yml'))).policies[0]
    expect([owner.receiver, ...owner.routes.map(({ receiver }) => receiver)]).toEqual(['owner', 'owner'])
    for (const way of ['email', 'ntfy', 'telegram', 'webhook'])
      expect(formats.contactFile.parse(parse(read(`grafana/alerts/${way}.yml`))).contactPoints[0].name).toBe('owner')
    const rules = formats.ruleFile.parse(parse(read('grafana/provisioning/alerting/rules.yml'))).groups
    const uids = rules.flatMap((group) => group.rules.map(({ uid }) => uid))
    expect(new Set(uids).size).toBe(ALERTS.length)
  })

  it('with rules asks Prometheus what Prometheus asks itself, and compares with the same bound', () => {
    const rules = formats.ruleFile.parse(parse(read('grafana/provisioning/alerting/rules.yml'))).groups
    const asked = rules.flatMap((group) => group.rules.map(({ data: [a, b] }) => [a?.model, b?.model]))
    expect(asked).toMatchObject(
      ALERTS.map(({ query, above }) => [{ expr: query }, { conditions: [{ evaluator: { params: [above] } }] }]),
    )
  })

  it('links each alert to its panel of the runbook', () => {
    const runbookPanels = JSON.parse(read('grafana/dashboards/runbook.json')).panels as { id: number; title: string }[]
    const rules = formats.ruleFile.parse(parse(read('grafana/provisioning/alerting/rules.yml'))).groups
    for (const { title, annotations } of rules.flatMap((group) => group.rules)) {
      const id = Number(/viewPanel=panel-(\d+)$/.exec(annotations.runbook_url)?.[1])
      expect(runbookPanels.find((panel) => panel.id === id)?.title).toBe(title)
    }
  })
})
