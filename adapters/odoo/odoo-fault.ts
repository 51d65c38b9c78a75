import { CountersignError, type ErrorCode } from '#core/errors.ts'

const MAX_SAID_CHARS = 300

/** What Odoo says about a failure, in one short line: never its traceback, nor where its files lie. */
export function saidLine(message: string): string {
  const lines = message.replace(/Traceback \(most recent call last\):[\s\S]*\n(?=\S)/, '').replace(/File "[^"]*"/g, '')
  return lines
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, MAX_SAID_CHARS)
}

/** An answer that is none of Odoo's. */
export function sayPage(status: number): string {
  return status >= 300 && status < 400 ? `${status}: it answers at another address` : `${status}`
}

/** Whether it is PostgreSQL that failed, by the name of the error. */
export function isDatabaseFault(name: string): boolean {
  return name.startsWith('psycopg')
}

export function odooFault(
  code: ErrorCode,
  url: string,
  doing: string,
  say: string,
  details: Readonly<Record<string, unknown>> = {},
): CountersignError {
  return new CountersignError(code, `Odoo at ${url}, ${doing}: ${say}`, { details })
}
