import { type DestinationStream, pino } from 'pino'
import { CountersignError, type ErrorCode } from '#core/errors.ts'

/**
 * The keys a log line may carry besides time, level, service, zone, agent and message: closed, so that a task's text
 * or an address cannot become a key, and so that a search written once finds every service's lines.
 */
export const LOG_KEYS = [
  'task',
  'path',
  'queue',
  'job',
  'generation',
  'commit',
  'head',
  'outcome',
  'rule',
  'reason',
  'state',
  'attempt',
  'count',
  'ms',
  'retryInMs',
  'check',
  'host',
  'port',
  'uid',
  'tool',
  'bytes',
  'config',
  'name',
  'err',
] as const
export type LogFields = Partial<Readonly<Record<(typeof LOG_KEYS)[number], unknown>>>

/** What services log through; `err` takes whatever was caught. */
export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

export interface LogOptions {
  readonly service: string
  readonly zone: string
  readonly agent: string
  readonly level: 'debug' | 'info' | 'warn' | 'error'
}

const SECRET_KEYS = ['password', 'pass', 'secret', 'token', 'authorization', 'key', 'body', 'text', 'draft', 'content']

/** Logs one JSON line per event to stdout, at once: a process may die at the next instruction. */
export function createLogger(options: LogOptions, destination: DestinationStream = standardOutput()): Log {
  return pino(
    {
      level: options.level,
      base: { service: options.service, zone: options.zone, agent: options.agent },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError },
      redact: { paths: SECRET_KEYS.flatMap((key) => [`*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    },
    destination,
  )
}

export type CountedCode = ErrorCode | 'ERR_UNEXPECTED'

/**
 * The same log, which tells the code of each error that is logged: an error is logged once, where it ends an attempt. A
 * vendor's that is only warned of was expected there, and has no code.
 */
export function countErrors(log: Log, onError: (code: CountedCode) => void): Log {
  return {
    ...{ debug: (fields, message) => log.debug(fields, message), info: (fields, message) => log.info(fields, message) },
    warn(fields, message) {
      if (fields.err instanceof CountersignError) onError(fields.err.code)
      log.warn(fields, message)
    },
    error(fields, message) {
      if (fields.err !== undefined) onError(fields.err instanceof CountersignError ? fields.err.code : 'ERR_UNEXPECTED')
      log.error(fields, message)
    },
  }
}

function standardOutput(): DestinationStream {
  return pino.destination({ dest: 1, sync: true })
}

/**
 * An error as a log shows it: our own with code, hint and details and without a stack (it names a place outside the
 * program), any other with its stack, for it is a fault of the program. Vendors hang commands and answers on their
 * errors (an AUTH with its password, a server's greeting), so of a cause only name, code and message remain.
 */
export function serializeError(error: unknown): Record<string, unknown> {
  if (error instanceof CountersignError) {
    const { code, message, hint, retryable, details, cause } = error
    return { code, message, hint, retryable, details, ...(cause === undefined ? {} : { cause: brief(cause) }) }
  }
  return error instanceof Error ? { ...brief(error), stack: error.stack } : { message: String(error).slice(0, 500) }
}

function brief(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error).slice(0, 500) }
  const code = 'code' in error ? { code: error.code } : {}
  return { name: error.name, ...code, message: error.message.slice(0, 500) }
}
