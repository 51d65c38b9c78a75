import type { dashboardModel } from '../../grafana/source/panels.ts'
import type { Series } from './prometheus.ts'

type Model = ReturnType<typeof dashboardModel>
type PanelModel = Model['panels'][number]
/** Of each panel: what was answered to each of its questions. */
export type Answers = ReadonlyMap<PanelModel, readonly (readonly Series[])[]>

const WIDTH = 700
/** Pixels of one row of Grafana's grid. */
const ROW = 15
const GAP = 3
const HEAD = 34
const COLORS = [
  '#73bf69',
  '#5794f2',
  '#f2cc0c',
  '#ff9830',
  '#b877d9',
  '#f2495c',
  '#8ab8ff',
  '#96d98d',
  '#ffb357',
  '#ca95e5',
]
const LEGEND_LINES = 5

export const PAGE_WIDTH = 2 * WIDTH + 60

/** One page with every dashboard, its panels where Grafana's grid has them; and how high it is. */
export function pageOf(models: readonly Model[], answers: Answers, about: string): { html: string; height: number } {
  const columns: [Model[], Model[]] = [[], []]
  const heights: [number, number] = [0, 0]
  const half = models.reduce((sum, model) => sum + heightOf(model), 0) / 2
  // In their order: down the left half, then down the right one.
  for (const model of models) {
    const into = heights[1] === 0 && heights[0] + heightOf(model) / 2 <= half ? 0 : 1
    columns[into].push(model)
    heights[into] += heightOf(model)
  }
  const html = columns.map((column) => `<div>${column.map((one) => dashboard(one, answers)).join('')}</div>`)
  return {
    html: `<!doctype html><meta charset="utf-8"><style>${STYLE}</style><h1>${escaped(about)}</h1><main>${html.join('')}</main>`,
    height: Math.max(...heights) + 60,
  }
}

function heightOf({ panels }: Model): number {
  return Math.max(...panels.map(({ gridPos }) => bottomOf(gridPos))) * ROW + HEAD + 14
}

function bottomOf(gridPos: object): number {
  const { y, h } = gridPos as { y: number; h: number }
  return y + h
}

function dashboard(model: Model, answers: Answers): string {
  const panels = model.panels.map((one) => panel(one, answers.get(one) ?? [])).join('')
  return `<section style="height:${heightOf(model) - 14}px"><h2>${escaped(model.title)}</h2>${panels}</section>`
}

function panel(model: PanelModel, answered: readonly (readonly Series[])[]): string {
  const { x, y, w, h } = model.gridPos as { x: number; y: number; w: number; h: number }
  const cell = WIDTH / 24
  const [width, height] = [w * cell - GAP, h * ROW - GAP]
  const targets = 'targets' in model ? model.targets : []
  const lines = answered.flatMap((series, index) =>
    series
      .filter(({ values }) => values.length > 0)
      .map((one) => ({ name: legendOf(targets[index]?.legendFormat ?? '', one), values: one.values })),
  )
  const highest = ({ values }: Line) => Math.max(...values.map(([, value]) => value))
  // What is drawn highest is named first; a stat stays in its order.
  if (model.type !== 'stat') lines.sort((a, b) => highest(b) - highest(a))
  const style = `left:${x * cell}px;top:${HEAD + y * ROW}px;width:${width}px;height:${height}px`
  const body =
    lines.length === 0
      ? '<p class="none">no data</p>'
      : model.type === 'stat'
        ? stat(model, lines)
        : graph(model, lines, width - 8, height - 18)
  return `<article style="${style}"><h3>${escaped(model.title)}</h3>${body}</article>`
}

interface Line {
  readonly name: string
  readonly values: Series['values']
}

/** As Grafana fills a legend in: `{{zone}} half`. */
function legendOf(format: string, { metric }: Series): string {
  return format.replaceAll(/\{\{(\w+)\}\}/g, (_all, label: string) => metric[label] ?? '').trim()
}

function stat(model: PanelModel, lines: readonly Line[]): string {
  const tiles = lines.map(({ name, values }) => {
    const value = values.at(-1)?.[1] ?? 0
    const color = colorOf(model, value)
    const label = lines.length > 1 ? `<small>${escaped(name)}</small>` : ''
    return `<div style="background:${color}">${label}<b>${shown(value, unitOf(model))}</b></div>`
  })
  return `<div class="tiles${lines.length > 4 ? ' many' : ''}">${tiles.join('')}</div>`
}

function colorOf(model: PanelModel, value: number): string {
  const steps = defaultsOf(model).thresholds?.steps ?? []
  const step = steps.findLast((one) => one.value === null || value >= one.value)
  return step?.color === 'red' ? '#a63446' : '#2f6b3a'
}

interface Defaults {
  readonly unit?: string
  readonly thresholds?: { readonly steps: readonly { readonly color?: string; readonly value: number | null }[] }
}

function defaultsOf(model: PanelModel): Defaults {
  return ('fieldConfig' in model ? model.fieldConfig?.defaults : {}) as Defaults
}

const unitOf = (model: PanelModel) => defaultsOf(model).unit ?? 'short'

function graph(model: PanelModel, lines: readonly Line[], width: number, height: number): string {
  const legend = lines.slice(0, LEGEND_LINES)
  const legendWidth = Math.min(130, width * 0.36)
  const [left, plotWidth, plotHeight] = [40, width - 40 - legendWidth, height - 6]
  const all = lines.flatMap(({ values }) => values)
  const from = Math.min(...all.map(([at]) => at))
  const to = Math.max(...all.map(([at]) => at), from + 1)
  const high = Math.max(...all.map(([, value]) => value), 0) || 1
  const low = Math.min(...all.map(([, value]) => value), 0)
  const at = ([time, value]: readonly [number, number]) =>
    `${(left + ((time - from) / (to - from)) * plotWidth).toFixed(1)},${(4 + (1 - (value - low) / (high - low)) * (plotHeight - 4)).toFixed(1)}`
  const unit = unitOf(model)
  const axis = [high, (high + low) / 2, low].map((value, index) => {
    const y = 4 + (index / 2) * (plotHeight - 4)
    return `<line x1="${left}" x2="${left + plotWidth}" y1="${y}" y2="${y}" class="grid"/><text x="${left - 3}" y="${y + 3}" text-anchor="end">${shown(value, unit)}</text>`
  })
  const drawn = lines.map(({ values }, index) => {
    const color = COLORS[index % COLORS.length]
    const [first] = values
    return values.length === 1 && first
      ? `<circle r="1.5" cx="${at(first).split(',')[0]}" cy="${at(first).split(',')[1]}" fill="${color}"/>`
      : `<polyline points="${values.map(at).join(' ')}" stroke="${color}"/>`
  })
  const names = legend.map(({ name }, index) => {
    const y = 9 + index * 12
    return `<rect x="${left + plotWidth + 6}" y="${y - 5}" width="7" height="3" fill="${COLORS[index % COLORS.length]}"/><text x="${left + plotWidth + 16}" y="${y}">${escaped(short(name || 'value', legendWidth))}</text>`
  })
  const more = lines.length - legend.length
  if (more > 0) names.push(`<text x="${left + plotWidth + 16}" y="${9 + LEGEND_LINES * 12}">and ${more} more</text>`)
  return `<svg width="${width}" height="${height}">${axis.join('')}${drawn.join('')}${names.join('')}</svg>`
}

function short(name: string, width: number): string {
  const most = Math.floor((width - 16) / 4.9)
  return name.length <= most ? name : `${name.slice(0, most - 1)}…`
}

/** A value as Grafana writes it, nearly. */
function shown(value: number, unit: string): string {
  const round = (number: number) => String(Number(number.toPrecision(Math.abs(number) < 100 ? 2 : 3)))
  switch (unit) {
    case 's':
      if (Math.abs(value) >= 86_400) return `${round(value / 86_400)} d`
      if (Math.abs(value) >= 3600) return `${round(value / 3600)} h`
      if (Math.abs(value) >= 120) return `${round(value / 60)} min`
      return Math.abs(value) < 1 && value !== 0 ? `${Math.round(value * 1000)} ms` : `${round(value)} s`
    case 'percentunit':
      return `${round(value * 100)} %`
    case 'bytes': {
      const step = Math.min(3, Math.floor(Math.log(Math.max(1, Math.abs(value))) / Math.log(1024)))
      return `${round(value / 1024 ** step)} ${['B', 'kB', 'MB', 'GB'][step]}`
    }
    case 'currencyUSD':
      return `$${round(value)}`
    default:
      return round(value)
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

const STYLE = `
body { margin: 0 20px; background: #111217; color: #ccccdc; font: 10px 'DejaVu Sans', sans-serif }
h1 { font-size: 13px; font-weight: normal; height: 20px; margin: 14px 0 0 }
main { display: flex; gap: 20px }
section { position: relative; width: ${WIDTH}px; margin-bottom: 14px }
h2 { font-size: 17px; margin: 0; line-height: ${HEAD}px }
article { position: absolute; background: #181b1f; overflow: hidden; padding: 0 }
h3 { font-size: 10px; font-weight: bold; margin: 3px 5px 2px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.none { margin: 8px; color: #777 }
.tiles { display: flex; gap: 2px; height: calc(100% - 18px); margin: 0 2px }
.tiles div { flex: 1; min-width: 0; overflow: hidden; display: flex; flex-direction: column; align-items: center; justify-content: center }
.tiles b { font-size: 13px; white-space: nowrap }
.many b { font-size: 8.5px }
small { font-size: 8px; text-align: center }
svg { display: block; margin: 0 4px }
svg text { fill: #9fa3ad; font-size: 8.5px }
polyline { fill: none; stroke-width: 1.3 }
.grid { stroke: #2c2f36; stroke-width: 1 }
`
