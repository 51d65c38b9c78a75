/** Of a list of figures: what the tables show. */
export interface Spread {
  readonly count: number
  readonly min: number
  readonly median: number
  readonly p95: number
  readonly max: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => quantile(sorted, share)
  return { count: sorted.length, min: at(0), median: at(0.5), p95: at(0.95), max: at(1) }
}

/** NaN of no values. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** `median (min to max)`, whole numbers. */
export function shown(values: readonly number[]): string {
  if (values.length === 0) return '–'
  const { median, min, max } = spreadOf(values)
  return values.length === 1 ? whole(median) : `${whole(median)} (${whole(min)} to ${whole(max)})`
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}
