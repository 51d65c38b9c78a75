/** What a panel asks, and what each line of the answer is called: `{{zone}}`. */
type Query = readonly [expr: string, legend: string]

export interface Panel {
  readonly title: string
  /** In plain words: what is seen, and what good looks like. */
  readonly description: string
  readonly kind: 'stat' | 'timeseries' | 'text'
  /** Of 24 columns. */
  readonly width: number
  /** Of Grafana's units; short: a number. */
  readonly unit?: 's' | 'percentunit' | 'bytes' | 'currencyUSD' | 'short'
  readonly queries?: readonly Query[]
  /** From which value on it is red; the other way round with `goodAbove`. */
  readonly badAbove?: number
  readonly goodAbove?: number
  /** Markdown, of a text panel. */
  readonly text?: string
}

export interface Dashboard {
  readonly uid: `countersign-${string}`
  readonly title: string
  readonly panels: readonly Panel[]
}

const DATASOURCE = { type: 'prometheus', uid: 'prometheus' } as const
const COLUMNS = 24
const HEIGHT = { stat: 5, timeseries: 8, text: 7 } as const

/** Grafana's schema asks for all of them. */
const STAT = {
  reduceOptions: { calcs: ['lastNotNull'] },
  ...{ colorMode: 'background', graphMode: 'none', textMode: 'auto', justifyMode: 'auto', orientation: 'auto' },
  ...{ wideLayout: true, showPercentChange: false, percentChangeColorMode: 'standard' },
} as const
const GRAPH = {
  legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
  // Of all lines at once, the highest first.
  tooltip: { mode: 'multi', sort: 'desc' },
} as const

/** Grafana's JSON model. Panels stand in rows from left to right, as wide as they ask for. */
export function dashboardModel({ uid, title, panels }: Dashboard) {
  let [x, y, rowHeight] = [0, 0, 0]
  const placed = panels.map((panel, index) => {
    const h = HEIGHT[panel.kind]
    if (x + panel.width > COLUMNS) [x, y, rowHeight] = [0, y + rowHeight, 0]
    const gridPos = { x, y, w: panel.width, h }
    x += panel.width
    rowHeight = Math.max(rowHeight, h)
    return panelModel(panel, index + 1, gridPos)
  })
  return {
    ...{ uid, title, tags: ['countersign'], schemaVersion: 39, version: 1, editable: false },
    ...{ timezone: 'browser', refresh: '30s', time: { from: 'now-24h', to: 'now' } },
    ...{ annotations: { list: [] }, templating: { list: [] } },
    links: [
      {
        ...{ type: 'dashboards', title: 'Countersign', tags: ['countersign'], icon: 'dashboard', tooltip: '' },
        ...{ asDropdown: true, keepTime: true, includeVars: false, targetBlank: false },
      },
    ],
    panels: placed,
  }
}

function panelModel(panel: Panel, id: number, gridPos: object) {
  const { title, description, kind } = panel
  const common = { id, type: kind, title, description, gridPos }
  if (kind === 'text') return { ...common, options: { mode: 'markdown', content: panel.text ?? '' } }
  return {
    ...common,
    datasource: DATASOURCE,
    targets: (panel.queries ?? []).map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat,
      ...(kind === 'stat' && { instant: true, range: false }),
    })),
    fieldConfig: { defaults: { ...unitOf(panel), ...thresholds(panel) }, overrides: [] },
    options: kind === 'stat' ? STAT : GRAPH,
  }
}

/** Prometheus reckons an increase from a few looks: one event may come out as 1.04. */
function unitOf({ kind, unit = 'short' }: Panel) {
  return kind === 'stat' && unit === 'short' ? { unit, decimals: 0 } : { unit }
}

function thresholds({ badAbove, goodAbove }: Panel) {
  const colors = goodAbove === undefined ? ['green', 'red'] : ['red', 'green']
  const value = goodAbove ?? badAbove
  if (value === undefined) return {}
  const [below, above] = colors
  return {
    thresholds: {
      mode: 'absolute',
      steps: [
        { color: below, value: null },
        { color: above, value },
      ],
    },
  }
}
