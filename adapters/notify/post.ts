import { notifyFailed } from './notify-fault.ts'

const TIMEOUT_MS = 10_000

/**
 * Sends a JSON body by POST and cares only whether it was taken. No redirect is followed, so that neither words nor
 * tokens reach anybody but the address that was set. Throws ERR_NOTIFY_FAILED; the address, which may be a secret, is
 * not in it.
 */
export async function post(
  what: string,
  url: URL,
  body: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  let response: Response
  try {
    response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'user-agent': 'countersign', ...headers },
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
  } catch (error) {
    throw notifyFailed(what, reasonOf(error), error)
  }
  await response.body?.cancel().catch(() => {}) // What it says is of no use.
  if (!response.ok) throw notifyFailed(what, `it answered ${response.status}`)
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (cause instanceof Error && 'code' in cause) return String(cause.code)
  return cause instanceof Error ? cause.name : 'failed'
}
