import type { Contender, Figures, Run } from './figures.ts'
import { FAR_DELAY_MS } from './plan.ts'
import type { Shape } from './populate.ts'
import { shown, spreadOf, table, whole } from './statistics.ts'

const NEAR: readonly Contender[] = [
  'countersign',
  'plumbing with the gate',
  'plumbing without hooks',
  'plain script',
  'syncthing',
]
const FAR: readonly Contender[] = ['countersign, far', 'plumbing with the gate, far']

/** The figures as Markdown; a cell is a median with its spread, a dash was not measured. */
export function report(machine: string, figures: Figures): string {
  const sections = [
    `${machine}; ${figures.versions.join('; ')}`,
    carried(figures.runs),
    far(figures.runs),
    idle(figures),
    starts(figures),
    bursts(figures),
    traces(figures),
    aims(figures),
    figures.notes.map((one) => `- ${one}`).join('\n'),
  ]
  return sections.filter(Boolean).join('\n\n')
}

function carried(runs: readonly Run[]): string {
  const shapes = shapesOf(runs.filter(({ contender }) => NEAR.includes(contender)))
  if (shapes.length === 0) return ''
  const rows = shapes.map((shape) => {
    const own = find(runs, shape, 'countersign')
    const cells = NEAR.map((contender) => shown(find(runs, shape, contender)?.toDiskMs ?? []))
    const [whole_ = '', ...others] = cells
    return [...nameOf(shape), whole_, p95Of(own), shown(own?.toHubMs ?? []), ...others, loadsOf(runs, shape)]
  })
  const head = ['files', 'commits', 'Countersign', 'its p95', 'of it to the hub', ...NEAR.slice(1), 'load']
  const title = "One changed file, from A's disk to B's, ssh on loopback, ms: median (min to max)"
  return `${title}\n\n${table(head, rows)}\n\n${processorTime(runs, shapes)}`
}

function processorTime(runs: readonly Run[], shapes: readonly Shape[]): string {
  const cost = (shape: Shape, contender: Contender) => find(runs, shape, contender)?.cpuMs
  const rows = shapes.map((shape) => [...nameOf(shape), ...NEAR.map((contender) => dashed(cost(shape, contender)))])
  const head = ['files', 'commits', 'Countersign', ...NEAR.slice(1)]
  return `Processor time a change, both sides and the hub together, ms\n\n${table(head, rows)}`
}

function far(runs: readonly Run[]): string {
  const found = runs.filter(({ contender }) => FAR.includes(contender))
  if (found.length === 0) return ''
  const rows = found.map((run) => {
    const { count, median, p95, max } = spreadOf(run.toDiskMs)
    const figures = [median, p95, max].map(whole)
    return [...nameOf(run.shape), run.contender.replace(', far', ''), ...figures, `${count}`, run.load.toFixed(1)]
  })
  const head = ['files', 'commits', '', 'p50', 'p95', 'max', 'changes', 'load']
  return `The same with ${2 * FAR_DELAY_MS} ms of round trip to the hub, ms\n\n${table(head, rows)}`
}

function idle({ idle: rows }: Figures): string {
  if (rows.length === 0) return ''
  const head = ['files', 'commits', 'cloud', 'local', 'the hub for both', 'RSS', 'PSS', 'seconds', 'load']
  const percent = (value: number) => `${value.toFixed(2)} %`
  const cells = rows.map((one) => [
    ...nameOf(one.shape),
    ...[one.cloudCpu, one.localCpu, one.hubCpu].map(percent),
    ...[one.memory.rss, one.memory.pss].map((mb) => `${mb} MB`),
    ...[whole(one.seconds), one.load.toFixed(1)],
  ])
  return `Nothing happens: share of one core, each service with its git and ssh; memory of the local one\n\n${table(head, cells)}`
}

function starts({ starts: rows, clones }: Figures): string {
  if (rows.length + clones.length === 0) return ''
  const cells = [
    ...rows.map(({ shape, readyMs }) => [...nameOf(shape), 'start to ready, clone and vault there', shown(readyMs)]),
    ...clones.map(({ shape, ms }) => [...nameOf(shape), 'first clone: all verified, all written', whole(ms)]),
  ]
  return `Starting, ms\n\n${table(['files', 'commits', '', 'ms'], cells)}`
}

function bursts({ bursts: rows }: Figures): string {
  if (rows.length === 0) return ''
  const cells = rows.map((one) => [...nameOf(one.shape), `${one.files}`, whole(one.ms), one.load.toFixed(1)])
  return `New files written at once at A until all stand at B\n\n${table(['files', 'commits', 'new', 'ms', 'load'], cells)}`
}

function traces({ traces: rows }: Figures): string {
  if (rows.length === 0) return ''
  const listed = (counts: Readonly<Record<string, number>>, changes: number) =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name} ${(count / changes).toFixed(1)}`)
      .join(', ') || 'none'
  const cells = rows.map(({ side, changes, trace }) => {
    const all = Object.values(trace.programs).reduce((sum, count) => sum + count, 0)
    return [side, (all / changes).toFixed(1), listed(trace.programs, changes), listed(trace.locks, changes)]
  })
  return `What a change starts, polls between changes included\n\n${table(['side', 'processes a change', 'which', 'lock files'], cells)}`
}

/** What the engine is held against. */
function aims({ runs, idle: idleRows, traces: traceRows }: Figures): string {
  const medianOf = (contender: Contender, files: number) => {
    const run = runs.find((one) => one.contender === contender && one.shape.files === files)
    return run && spreadOf(run.toDiskMs).median
  }
  const ratio = (a?: number, b?: number) => (a && b ? a / b : undefined)
  const farRun = runs.find(({ contender }) => contender === 'countersign, far')
  const cpu = idleRows.length > 0 ? Math.max(...idleRows.flatMap((one) => [one.cloudCpu, one.localCpu])) : undefined
  const indexLocks =
    traceRows.length > 0 ? sum(traceRows.map(({ trace }) => trace.locks['index.lock'] ?? 0)) : undefined
  const overFloor = ratio(medianOf('countersign', 10_000), medianOf('plumbing with the gate', 10_000))
  const growth = ratio(medianOf('countersign', 100_000), medianOf('countersign', 1_000))
  const rows: [string, string, number | undefined, number][] = [
    ['times the plumbing with the gate, 10,000 files', '≤ 1.5', overFloor, 1.5],
    ['times from 1,000 to 100,000 files', '≤ 2.5', growth, 2.5],
    ['p95 with a far hub, s', '≤ 1', farRun && spreadOf(farRun.toDiskMs).p95 / 1000, 1],
    ['idle, % of a core', '≤ 0.5', cpu, 0.5],
    ['index.lock', '0', indexLocks, 0],
  ]
  const cells = rows
    .filter(([, , found]) => found !== undefined)
    .map(([aim, wanted, found = 0, limit]) => [
      aim,
      wanted,
      String(Number(found.toFixed(2))),
      found <= limit ? 'yes' : 'no',
    ])
  return cells.length > 0 ? `Aims\n\n${table(['aim', 'wanted', 'found', 'met'], cells)}` : ''
}

function dashed(value: number | undefined): string {
  return value === undefined ? '–' : whole(value)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function shapesOf(runs: readonly Run[]): Shape[] {
  return [...new Map(runs.map(({ shape }) => [JSON.stringify(shape), shape])).values()]
}

function find(runs: readonly Run[], shape: Shape, contender: Contender): Run | undefined {
  const isSame = (one: Run) => one.shape.files === shape.files && one.shape.commits === shape.commits
  return runs.find((one) => one.contender === contender && isSame(one))
}

function nameOf({ files, commits }: Shape): [string, string] {
  return [whole(files), whole(commits)]
}

function p95Of(run: Run | undefined): string {
  return run ? whole(spreadOf(run.toDiskMs).p95) : '–'
}

function loadsOf(runs: readonly Run[], shape: Shape): string {
  const loads = NEAR.flatMap((contender) => find(runs, shape, contender)?.load ?? [])
  const low = Math.min(...loads).toFixed(1)
  const high = Math.max(...loads).toFixed(1)
  return low === high ? low : `${low} to ${high}`
}
