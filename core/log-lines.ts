/** One line of a service's log, as far as it is told again: no line of a service is believed to be whole. */
export interface LogLine {
  /** ISO 8601 UTC. */
  readonly at: string
  /** `cloud/drafter` */
  readonly from: string
  readonly level: string
  readonly message: string
  /** `outcome: drafted, rule: expired`: the closed keys that say more. */
  readonly more: string
}

const MORE_KEYS = ['outcome', 'rule', 'reason', 'state', 'generation', 'attempt', 'retryInMs', 'tool', 'path']
const MAX_VALUE = 200
/** What compose and journald put before a line of JSON. */
const PREFIX = /^[^{]{0,200}(?=\{)/

/** The lines of a log that are about one task: its id is the correlation id of every service in both zones. Never throws. */
export function linesOf(task: string, log: string): LogLine[] {
  return log.split('\n').flatMap((line) => (line.includes(task) ? (readLine(task, line) ?? []) : []))
}

function readLine(task: string, line: string): LogLine | undefined {
  let read: Record<string, unknown>
  try {
    read = JSON.parse(line.replace(PREFIX, '')) as Record<string, unknown>
  } catch {
    return undefined
  }
  if (typeof read !== 'object' || read === null || read.task !== task) return undefined
  const at = String(read.time)
  if (!Number.isFinite(Date.parse(at))) return undefined
  const more = MORE_KEYS.filter((key) => read[key] !== undefined).map((key) => `${key}: ${shown(read[key])}`)
  const err = read.err as { code?: unknown; message?: unknown } | undefined
  const fault = err ? [`${shown(err.code ?? 'error')}: ${shown(err.message ?? '')}`] : []
  return {
    at: new Date(at).toISOString(),
    from: `${shown(read.zone)}/${shown(read.service)}`,
    level: shown(read.level),
    message: shown(read.msg),
    more: [...more, ...fault].join(', '),
  }
}

function shown(value: unknown): string {
  return String(value).slice(0, MAX_VALUE)
}
