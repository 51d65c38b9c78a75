/** Where an Odoo answers, and as whom. */
export interface OdooAccount {
  /** https, or http on loopback; no path, query or user. */
  readonly url: string
  readonly database: string
  /** Asked for at every call, so that a rotated key is taken up. */
  key(): string
  /** For one request with its whole answer, ms. */
  readonly limitMs?: number
}

export type HttpAnswer =
  /** `json`: undefined where the body is none, was cut off or was too long. */
  | { readonly kind: 'answer'; readonly status: number; readonly json: unknown }
  /** Surely nothing of the request reached the server. */
  | { readonly kind: 'not-sent'; readonly reason: string }
  /** The request went out, at least in part, and no whole answer came. */
  | { readonly kind: 'lost'; readonly reason: string }

const LIMIT_MS = 30_000
const MAX_ANSWER_BYTES = 2 * 1024 * 1024
const BEFORE_REQUEST = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|UND_ERR_CONNECT_TIMEOUT)/

/** One request, one answer: no redirect is followed (it could carry the key elsewhere), nothing is tried again. Never throws. */
export async function ask(
  account: Pick<OdooAccount, 'url' | 'limitMs'>,
  request: { readonly path: string; readonly headers?: Readonly<Record<string, string>>; readonly json?: unknown },
): Promise<HttpAnswer> {
  try {
    const response = await fetch(new URL(request.path, account.url), {
      method: request.json === undefined ? 'GET' : 'POST',
      headers: {
        ...{ accept: 'application/json', connection: 'close', ...request.headers },
        ...(request.json !== undefined && { 'content-type': 'application/json' }),
      },
      body: request.json === undefined ? null : JSON.stringify(request.json),
      redirect: 'manual',
      signal: AbortSignal.timeout(account.limitMs ?? LIMIT_MS),
    })
    return { kind: 'answer', status: response.status, json: await jsonOf(response) }
  } catch (error) {
    const reason = reasonOf(error)
    return isBeforeRequest(error) ? { kind: 'not-sent', reason } : { kind: 'lost', reason }
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) return undefined
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined // a page; the caller knows what its status means
  }
}

function isBeforeRequest(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  if (!(cause instanceof Error)) return false
  // Happy eyeballs: one error for each address that was tried.
  if (cause instanceof AggregateError) return cause.errors.length > 0 && cause.errors.every(isConnecting)
  return isConnecting(cause)
}

function isConnecting(error: unknown): boolean {
  const { code = '', syscall = '' } = error as { code?: string; syscall?: string }
  return syscall === 'connect' || syscall === 'getaddrinfo' || BEFORE_REQUEST.test(code)
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer'
  if (error.name === 'TimeoutError') return 'no answer within the time limit'
  const cause = error.cause instanceof AggregateError ? error.cause.errors[0] : (error.cause ?? error)
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\s+/g, ' ').slice(0, 200)
}
