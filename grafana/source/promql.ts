import type { Zone } from '#core/zone-policy.ts'
import type { HistogramName, LabelsOf, METRICS } from '#runtime/metrics.ts'

type Catalogue = typeof METRICS
type PlainName = Exclude<keyof Catalogue, HistogramName>
/** Put on every series by the process that tells it. */
interface Everywhere {
  readonly zone?: Zone
  readonly service?: string
}
type Only<N extends keyof Catalogue> = Everywhere & {
  readonly [L in keyof LabelsOf<N>]?: LabelsOf<N>[L] | readonly LabelsOf<N>[L][]
}
type Bound<N extends HistogramName> = Catalogue[N]['buckets'][number]

/** What Prometheus and the client library tell of every service, with its labels. */
export const BUILT_IN = {
  up: ['service', 'zone', 'job'],
  ALERTS: ['alertname', 'alertstate', 'severity', 'service', 'zone'],
  process_start_time_seconds: ['service', 'zone', 'job'],
  process_resident_memory_bytes: ['service', 'zone', 'job'],
  process_cpu_seconds_total: ['service', 'zone', 'job'],
  nodejs_eventloop_lag_p99_seconds: ['service', 'zone', 'job'],
} as const

/** What the exporters of the machine and of Redis tell, as far as it is asked for. */
export const EXPORTED = {
  node_cpu_seconds_total: ['cpu', 'mode'],
  node_load1: [],
  node_memory_MemAvailable_bytes: [],
  node_memory_MemTotal_bytes: [],
  node_vmstat_oom_kill: [],
  node_disk_read_bytes_total: ['device'],
  node_disk_written_bytes_total: ['device'],
  node_disk_io_time_seconds_total: ['device'],
  node_network_receive_bytes_total: ['device'],
  node_network_transmit_bytes_total: ['device'],
  redis_up: [],
  redis_memory_used_bytes: [],
  redis_memory_max_bytes: [],
  redis_connected_clients: [],
  redis_commands_processed_total: [],
  redis_evicted_keys_total: [],
  redis_rejected_connections_total: [],
} as const

/** A series of the catalogue: `countersign_executions_total{outcome="done"}`. */
export function metric<N extends PlainName>(name: N, only: Only<N> = {}): string {
  return `${name}${matchers(only)}`
}

/** How many took no longer than one of the histogram's bounds (seconds). */
export function upTo<N extends HistogramName>(name: N, bound: Bound<N>): string {
  return `${name}_bucket{le="${bound}"}`
}

export function buckets(name: HistogramName): string {
  return `${name}_bucket`
}

export function all(name: HistogramName): string {
  return `${name}_count`
}

/** Of this program's services as Prometheus scrapes them. */
export function builtIn(name: Exclude<keyof typeof BUILT_IN, 'ALERTS'>, service?: string): string {
  return `${name}${matchers({ job: 'countersign', ...(service && { service }) })}`
}

/** A series of an exporter: `node_cpu_seconds_total{mode="idle"}`. */
export function exported<N extends keyof typeof EXPORTED>(
  name: N,
  only?: Readonly<Partial<Record<(typeof EXPORTED)[N][number], string>>>,
): string {
  return `${name}${matchers(only ?? {})}`
}

/** Whether Prometheus reaches the exporters. */
export const EXPORTERS_UP = `up${matchers({ job: ['machine', 'redis'] })}`

function matchers(only: object): string {
  const parts = Object.entries(only).map(([label, value]) =>
    Array.isArray(value) ? `${label}=~"${value.join('|')}"` : `${label}="${value}"`,
  )
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}
