/** Faults of the certificate: TLS ended before a byte of the request was written. */
const BEFORE_REQUEST = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|UND_ERR_CONNECT_TIMEOUT)/

/** Of what a request threw: whether surely nothing of it reached the server. Whatever is not known for sure is false. */
export function isBeforeRequest(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  if (!(cause instanceof Error)) return false
  if (refusedTunnel(error) !== undefined) return true
  // Happy eyeballs: one error for each address that was tried.
  if (cause instanceof AggregateError) return cause.errors.length > 0 && cause.errors.every(isConnecting)
  return isConnecting(cause)
}

/** Why a request got no answer, in one short line. */
export function sayNoAnswer(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer'
  if (error.name === 'TimeoutError') return 'no answer within the time limit'
  const status = refusedTunnel(error)
  if (status === 403) return 'the way out does not lead there (docs/egress.md)'
  if (status !== undefined) return `it cannot be reached from the way out (${status})`
  const cause = error.cause instanceof AggregateError ? error.cause.errors[0] : (error.cause ?? error)
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\s+/g, ' ').slice(0, 200)
}

/** The status with which a proxy refused a tunnel: nothing of the request went out. Undefined: it is about something else. */
export function refusedTunnel(error: unknown): number | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const [, status] = /^Proxy response \((\d{3})\) !== 200 when HTTP Tunneling$/.exec(at.message) ?? []
    if (status !== undefined) return Number(status)
  }
  return undefined
}

/** A body as bytes; undefined past the limit. One that stops coming throws. */
export async function readUpTo(
  body: AsyncIterable<Uint8Array> | null,
  maxBytes: number,
): Promise<Buffer<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.length
    if (size > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** A body as JSON; undefined past the limit or when it is none. One that stops coming throws. */
export async function readJsonUpTo(body: AsyncIterable<Uint8Array> | null, maxBytes: number): Promise<unknown> {
  const bytes = await readUpTo(body, maxBytes)
  try {
    return JSON.parse(bytes?.toString('utf8') ?? '')
  } catch {
    return undefined // told by the caller, who knows what the answer should have been
  }
}

function isConnecting(error: unknown): boolean {
  const { code = '', syscall = '' } = error as { code?: string; syscall?: string }
  return syscall === 'connect' || syscall === 'getaddrinfo' || BEFORE_REQUEST.test(code)
}
