import { CountersignError } from '#core/errors.ts'
import type { GmailPermission } from './gmail-scopes.ts'

/** What of a failed call can be told apart; `status` is missing when no answer came. */
export interface FailedCall {
  readonly status?: number
  readonly code: string
  readonly say: string
  /** How long the server asked to be left alone. */
  readonly retryAfterMs?: number
}

export function answerOf(error: unknown): FailedCall {
  const fault = error as { status?: unknown; response?: { status?: unknown }; code?: unknown; message?: unknown }
  const status = Number(fault.response?.status ?? fault.status)
  const cause = (error as { cause?: { code?: unknown } }).cause
  const retryAfterMs = retryAfter(error)
  return {
    ...(Number.isInteger(status) && { status }),
    code: String(cause?.code ?? fault.code ?? ''),
    say: String(fault.message ?? 'no answer')
      .replace(/\s+/g, ' ')
      .slice(0, 300),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

/** How a person gets a token for this. */
export function authCommand(may: GmailPermission): string {
  return `countersign auth gmail --zone ${may === 'read' ? 'cloud' : 'local'}`
}

/** Errors of our own pass unchanged. */
export function gmailFault(
  error: unknown,
  account: { readonly address: string; readonly may: GmailPermission },
): CountersignError {
  if (error instanceof CountersignError) return error
  const { status, code, say } = answerOf(error)
  const isRefused = status === 401 || status === 400 || (status === 403 && !/rate ?limit|quota/i.test(say))
  const advice = /invalid_grant/.test(say)
    ? `: the token has expired or was revoked; run \`${authCommand(account.may)}\``
    : ''
  return new CountersignError(
    isRefused ? 'ERR_MAIL_AUTH' : 'ERR_MAIL_UNREACHABLE',
    `asking Gmail as ${account.address}: ${status ?? code} ${say}${advice}`,
    { cause: error },
  )
}

/** Retry-After comes in seconds or as a date. */
function retryAfter(error: unknown): number | undefined {
  const { response } = error as { response?: { headers?: { get?: (name: string) => string | null } } }
  const text = response?.headers?.get?.('retry-after')
  if (!text) return undefined
  const waitMs = /^\d{1,6}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs)
}
