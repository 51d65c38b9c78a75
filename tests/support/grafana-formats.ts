import { z } from 'zod'

/**
 * The parts of Grafana's file formats that we use, with every other key refused: Grafana drops what it does not know
 * without a word. Written after its documentation of file provisioning and of the dashboard's JSON model (12).
 */

const text = z.string().min(1)
const uid = z.string().regex(/^[a-zA-Z0-9_-]{1,40}$/)
const duration = z.string().regex(/^\d+[smhd]$/)
const count = z.int().nonnegative()

const range = z.strictObject({ from: count, to: count })
const expression = z.strictObject({ type: z.literal('__expr__'), uid: z.literal('__expr__') })
const queryModel = z.strictObject({
  ...{ refId: text, expr: text, instant: z.literal(true), range: z.literal(false), editorMode: z.literal('code') },
})
const thresholdModel = z.strictObject({
  refId: text,
  type: z.literal('threshold'),
  expression: text,
  datasource: expression,
  conditions: z.tuple([
    z.strictObject({ evaluator: z.strictObject({ type: z.literal('gt'), params: z.tuple([z.number()]) }) }),
  ]),
})
const query = z.strictObject({
  ...{ refId: text, relativeTimeRange: range, datasourceUid: text },
  model: z.union([queryModel, thresholdModel]),
})
const rule = z.strictObject({
  uid,
  title: text,
  condition: text,
  for: duration,
  noDataState: z.enum(['Alerting', 'NoData', 'OK', 'KeepLast']),
  execErrState: z.enum(['Alerting', 'Error', 'OK', 'KeepLast']),
  /** Expanded like environment variables: no `$` may stand here. */
  labels: z.record(text, z.string().regex(/^[^$]+$/)),
  annotations: z.strictObject({ summary: text, description: text, runbook_url: text }),
  data: z.array(query).min(2),
})

export const ruleFile = z.strictObject({
  apiVersion: z.literal(1),
  groups: z.array(
    z.strictObject({
      ...{ orgId: z.literal(1), name: text, folder: text },
      /** A multiple of Grafana's ten seconds. */
      interval: z.string().regex(/^[1-6]0s$/),
      rules: z.array(rule).min(1),
    }),
  ),
})

const receiver = { uid, disableResolveMessage: z.boolean() }
export const contactFile = z.strictObject({
  apiVersion: z.literal(1),
  contactPoints: z.tuple([
    z.strictObject({
      ...{ orgId: z.literal(1), name: text },
      receivers: z.array(
        z.discriminatedUnion('type', [
          z.strictObject({
            ...receiver,
            type: z.literal('email'),
            settings: z.strictObject({ addresses: text, singleEmail: z.boolean() }),
          }),
          z.strictObject({
            ...receiver,
            type: z.literal('webhook'),
            settings: z.strictObject({ url: text, httpMethod: z.enum(['POST', 'PUT']) }),
          }),
          z.strictObject({
            ...receiver,
            type: z.literal('telegram'),
            settings: z.strictObject({ bottoken: text, chatid: text }),
          }),
        ]),
      ),
    }),
  ]),
})

const timing = { group_wait: duration, repeat_interval: duration }
const matcher = z.tuple([text, z.enum(['=', '!=', '=~', '!~']), text])
export const policyFile = z.strictObject({
  apiVersion: z.literal(1),
  policies: z.tuple([
    z.strictObject({
      ...{ orgId: z.literal(1), receiver: text, group_by: z.array(text), group_interval: duration, ...timing },
      routes: z.array(z.strictObject({ receiver: text, object_matchers: z.array(matcher), ...timing })),
    }),
  ]),
})

export const datasourceFile = z.strictObject({
  apiVersion: z.literal(1),
  datasources: z.array(
    z.strictObject({
      ...{ name: text, uid, type: z.literal('prometheus'), access: z.literal('proxy'), url: z.url() },
      ...{ isDefault: z.boolean(), editable: z.boolean() },
      jsonData: z.strictObject({ timeInterval: duration, manageAlerts: z.boolean() }),
    }),
  ),
})

export const dashboardProviderFile = z.strictObject({
  apiVersion: z.literal(1),
  providers: z.array(
    z.strictObject({
      ...{ name: text, type: z.literal('file'), disableDeletion: z.boolean(), allowUiUpdates: z.boolean() },
      options: z.strictObject({ path: text }),
    }),
  ),
})

const datasource = z.strictObject({ type: z.literal('prometheus'), uid: z.literal('prometheus') })
const gridPos = z.strictObject({ x: count.max(23), y: count, w: z.int().min(1).max(24), h: z.int().min(1) })
const target = z.strictObject({
  ...{ refId: text, datasource, expr: text, legendFormat: text },
  ...{ instant: z.literal(true).optional(), range: z.literal(false).optional() },
})
const step = z.strictObject({ color: z.enum(['green', 'red']), value: z.number().nullable() })
const fieldConfig = z.strictObject({
  defaults: z.strictObject({
    unit: z.enum(['s', 'percentunit', 'bytes', 'currencyUSD', 'short']),
    decimals: z.literal(0).optional(),
    thresholds: z.strictObject({ mode: z.literal('absolute'), steps: z.array(step).min(2) }).optional(),
  }),
  overrides: z.tuple([]),
})
const common = { id: z.int().positive(), title: text, description: text, gridPos }
const panel = z.discriminatedUnion('type', [
  z.strictObject({
    ...{ ...common, type: z.literal('stat'), datasource, targets: z.array(target).min(1), fieldConfig },
    options: z.strictObject({
      reduceOptions: z.strictObject({ calcs: z.tuple([z.literal('lastNotNull')]) }),
      colorMode: z.enum(['value', 'background', 'background_solid', 'none']),
      graphMode: z.enum(['none', 'line', 'area']),
      textMode: z.enum(['auto', 'value', 'value_and_name', 'name', 'none']),
      justifyMode: z.enum(['auto', 'center']),
      orientation: z.enum(['auto', 'vertical', 'horizontal']),
      wideLayout: z.boolean(),
      showPercentChange: z.boolean(),
      percentChangeColorMode: z.enum(['standard', 'inverted', 'same_as_value']),
    }),
  }),
  z.strictObject({
    ...{ ...common, type: z.literal('timeseries'), datasource, targets: z.array(target).min(1), fieldConfig },
    options: z.strictObject({
      legend: z.strictObject({
        displayMode: z.enum(['list', 'table', 'hidden']),
        placement: z.enum(['bottom', 'right']),
        ...{ showLegend: z.boolean(), calcs: z.array(text) },
      }),
      tooltip: z.strictObject({ mode: z.enum(['single', 'multi', 'none']), sort: z.enum(['asc', 'desc', 'none']) }),
    }),
  }),
  z.strictObject({
    ...{ ...common, type: z.literal('text') },
    options: z.strictObject({ mode: z.literal('markdown'), content: text }),
  }),
])
const link = z.strictObject({
  ...{ type: z.literal('dashboards'), title: text, tags: z.array(text) },
  ...{ icon: text, tooltip: z.string() },
  ...{ asDropdown: z.boolean(), keepTime: z.boolean(), includeVars: z.boolean(), targetBlank: z.boolean() },
})

export const dashboard = z.strictObject({
  ...{ uid, title: text, tags: z.array(text), schemaVersion: z.literal(39), version: z.literal(1) },
  ...{ editable: z.literal(false), timezone: z.literal('browser'), refresh: duration },
  time: z.strictObject({ from: text, to: z.literal('now') }),
  annotations: z.strictObject({ list: z.tuple([]) }),
  templating: z.strictObject({ list: z.tuple([]) }),
  links: z.array(link),
  panels: z.array(panel).min(1),
})
