import type { HistogramName } from '#runtime/metrics.ts'
import { all, upTo } from './promql.ts'

/** 99 of 100 keep the bound. */
const BUDGET = 0.01
const WINDOWS = ['5m', '30m', '1h', '2h', '6h', '1d', '30d'] as const
type Window = (typeof WINDOWS)[number]

interface Promise {
  /** The label `promise`. */
  readonly name: string
  readonly title: string
  readonly histogram: HistogramName
  /** Seconds; what the README promises, and what is aimed at. */
  readonly bound: number
  readonly kept: string
  readonly aimed: string
}

/** What is promised of the flow; each bound is a bucket of its histogram. */
export const PROMISES: readonly Promise[] = [
  {
    name: 'draft',
    title: 'Mail to draft',
    histogram: 'countersign_arrival_to_draft_seconds',
    bound: 300,
    kept: upTo('countersign_arrival_to_draft_seconds', 300),
    aimed: upTo('countersign_arrival_to_draft_seconds', 5),
  },
  {
    name: 'propagation',
    title: 'From one zone into the other',
    histogram: 'countersign_sync_propagation_seconds',
    bound: 300,
    kept: upTo('countersign_sync_propagation_seconds', 300),
    aimed: upTo('countersign_sync_propagation_seconds', 10),
  },
  {
    name: 'execution',
    title: 'Approval to done',
    histogram: 'countersign_approval_to_execution_seconds',
    bound: 30,
    kept: upTo('countersign_approval_to_execution_seconds', 30),
    aimed: upTo('countersign_approval_to_execution_seconds', 2),
  },
  {
    name: 'recovery',
    title: 'A service that died or hung is back',
    histogram: 'countersign_component_recovery_seconds',
    bound: 60,
    kept: upTo('countersign_component_recovery_seconds', 60),
    aimed: upTo('countersign_component_recovery_seconds', 10),
  },
]

export interface RecordingRule {
  readonly record: string
  readonly expr: string
  readonly labels: Readonly<Record<string, string>>
}

const late = (window: Window) => `countersign:promise_late:ratio_rate${window}`
const events = (window: Window) => `countersign:promise_events:increase${window}`

/** The names of all recording rules, for references. */
export const RECORDS = [...WINDOWS.map(late), ...WINDOWS.map(events)]

/** Of each promise and window: which share came too late, and of how many. */
export const RECORDING_RULES: readonly RecordingRule[] = PROMISES.flatMap(({ name, histogram, kept }) =>
  WINDOWS.flatMap((window) => {
    const total = `sum by (zone) (rate(${all(histogram)}[${window}]))`
    return [
      {
        record: late(window),
        expr: `1 - sum by (zone) (rate(${kept}[${window}])) / (${total} > 0)`,
        labels: { promise: name },
      },
      {
        record: events(window),
        expr: `sum by (zone) (increase(${all(histogram)}[${window}]))`,
        labels: { promise: name },
      },
    ]
  }),
)

interface Burn {
  readonly long: Window
  readonly short: Window
  /** How many times faster than allowed the budget is spent. */
  readonly times: number
  /** With fewer in the long window, one late one says nothing; the ages of what waits do. */
  readonly atLeast: number
}

/** Both windows: the long one so that it matters, the short one so that it ends when it is over. */
export function burning({ long, short, times, atLeast }: Burn): string {
  const above = `${Number((times * BUDGET).toFixed(4))}`
  return `(${late(long)} > ${above} and ${late(short)} > ${above} and ${events(long)} >= ${atLeast})`
}

export function lateShare(window: Window): string {
  return late(window)
}

export function eventCount(window: Window): string {
  return events(window)
}
