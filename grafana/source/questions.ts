import type { CounterName, HistogramName } from '#runtime/metrics.ts'
import { all, buckets, metric } from './promql.ts'

/** By what became of it or where, in the hour before each moment. */
export const perHour = (name: CounterName, by: string) => `sum by (${by}) (increase(${metric(name)}[1h]))`
/** The share of a day within the bound `kept`. */
export const within = (histogram: HistogramName, kept: string) =>
  `sum by (zone) (increase(${kept}[1d])) / (sum by (zone) (increase(${all(histogram)}[1d])) > 0)`
/** So long took this share at most, in the hour before. */
export const quantile = (share: number, histogram: HistogramName) =>
  `histogram_quantile(${share}, sum by (zone, le) (rate(${buckets(histogram)}[1h])))`
