import { CountersignError } from '#core/errors.ts'

export function notifyFailed(what: string, found: string, cause?: unknown): CountersignError {
  return new CountersignError('ERR_NOTIFY_FAILED', `${what}: ${found}`, { cause })
}
