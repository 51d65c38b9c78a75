import { CountersignError } from '#core/errors.ts'
import type { GmailToken } from './gmail-token.ts'

const GOOGLE = 'https://oauth2.googleapis.com/revoke'
const LIMIT_MS = 30_000

/**
 * Has Google end a token. `gone`: Google did not know it any more. With it ends what the person allowed this OAuth client, and so perhaps its
 * other tokens of the account. Throws ERR_MAIL_UNREACHABLE when Google said neither.
 */
export async function revokeGmailToken({ refreshToken }: GmailToken, endpoint = GOOGLE): Promise<'revoked' | 'gone'> {
  const response = await fetch(endpoint, {
    method: 'POST',
    // In the body: an address ends up in logs.
    body: new URLSearchParams({ token: refreshToken }),
    signal: AbortSignal.timeout(LIMIT_MS),
    redirect: 'error',
  }).catch((cause: Error) => {
    const why = (cause.cause as Error | undefined)?.message ?? cause.message
    throw new CountersignError('ERR_MAIL_UNREACHABLE', `having Google end the token: ${why}`, { cause })
  })
  if (response.ok) {
    await response.body?.cancel()
    return 'revoked'
  }
  const { error } = (await response.json().catch(() => ({}))) as { error?: unknown }
  if (response.status === 400 && error === 'invalid_token') return 'gone'
  throw new CountersignError('ERR_MAIL_UNREACHABLE', `having Google end the token: it answered ${response.status}`)
}
