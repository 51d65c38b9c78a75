import { isBeforeRequest, readUpTo, refusedTunnel, sayNoAnswer } from '#core/http-answer.ts'
import type { CallFault } from '#core/ports/model-call.ts'

/** A request that brought no answer to read; `message` is for the person and holds none of the provider's words. */
export class ProviderFault extends Error {
  readonly fault: CallFault
  readonly mayCost: boolean
  readonly retryAfterMs: number | undefined

  constructor(
    fault: CallFault,
    say: string,
    options: { mayCost: boolean; retryAfterMs?: number | undefined; cause?: unknown },
  ) {
    super(say, { cause: options.cause })
    this.name = 'ProviderFault'
    this.fault = fault
    this.mayCost = options.mayCost
    this.retryAfterMs = options.retryAfterMs
  }
}

const MAX_ANSWER_BYTES = 2 * 1024 * 1024
/** Of an error only this is looked at. */
const MAX_ERROR_BYTES = 64 * 1024

/**
 * How the SDK reaches a provider. No redirect is followed, as it could carry the key elsewhere; an answer is read up to a
 * limit; anything but a good answer throws a `ProviderFault` here, so that nothing of an error's body, which may quote
 * the key or the mail, gets any further than its kind. `authorize` adds the key, which the SDK never has.
 */
export function providerFetch(
  where: string,
  authorize: (headers: Headers) => void,
  clock: { now(): number },
): typeof fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers)
    try {
      authorize(headers)
    } catch (error) {
      const say = error instanceof Error ? error.message : 'unreadable'
      throw new ProviderFault('denied', `${where} was not asked: ${say}`, { mayCost: false, cause: error })
    }
    // A connection that the server just closed would make an outcome unknown for nothing.
    headers.set('connection', 'close')
    let response: Response
    let body: Buffer<ArrayBuffer> | undefined
    try {
      response = await fetch(input, { ...init, headers, redirect: 'manual' })
      body = await readUpTo(response.body, response.ok ? MAX_ANSWER_BYTES : MAX_ERROR_BYTES)
    } catch (error) {
      if (init?.signal?.aborted) throw error
      throw new ProviderFault('down', `${where} could not be reached: ${reasonOf(error)}`, {
        mayCost: !isBeforeRequest(error),
        cause: error,
      })
    }
    if (!response.ok) throw faultOf(where, response, body, clock.now())
    if (body === undefined)
      throw new ProviderFault('refused', `${where} answered more than ${MAX_ANSWER_BYTES} bytes`, { mayCost: true })
    return new Response(body, { status: response.status, headers: response.headers })
  }
}

/** What an answer that is none means. Providers count no tokens for it, unless something between gave up waiting. */
function faultOf(where: string, response: Response, body: Uint8Array | undefined, now: number): ProviderFault {
  const { status } = response
  const kind = kindOf(body)
  const said = `${status}${kind && ` (${kind})`}`
  const retryAfterMs = retryAfter(response.headers, now)
  const fault = (name: CallFault, say: string, mayCost = false) =>
    new ProviderFault(name, `${where} ${say}`, { mayCost, retryAfterMs })
  if (status >= 300 && status < 400)
    return fault('denied', `answered ${said}, a redirect, which is never followed: set the address where it leads`)
  if (status === 401) return fault('denied', `does not take the key: ${said}`)
  if (status === 402 || kind === 'insufficient_quota' || kind === 'billing_error')
    return fault('denied', `wants to be paid first: ${said}`)
  if (status === 403) return fault('denied', `forbids it to this key: ${said}`)
  if (status === 404) return fault('unknown-model', `knows no such model, or the address is wrong: ${said}`)
  if (status === 429) return fault('busy', `takes no more requests now: ${said}`)
  if (status === 529 || status === 503) return fault('busy', `is overloaded: ${said}`)
  if (status === 408 || status >= 500) return fault('down', `has a fault: ${said}`, status === 408 || status === 504)
  return fault('refused', `refused the request: ${said}`)
}

/** The kind of an error, in both providers' shapes; only when it is one bare word of theirs. */
function kindOf(body: Uint8Array | undefined): string {
  try {
    const parsed = JSON.parse(Buffer.from(body ?? []).toString('utf8')) as {
      error?: { type?: unknown; code?: unknown }
    }
    const words = [parsed.error?.code, parsed.error?.type]
    return String(words.find((word) => typeof word === 'string' && /^[a-z_]{1,40}$/.test(word)) ?? '')
  } catch {
    return ''
  }
}

/** Seconds or a date, as `Retry-After` says it; or milliseconds, as some providers do. */
function retryAfter(headers: Headers, now: number): number | undefined {
  const inMs = headers.get('retry-after-ms') ?? ''
  if (/^\d{1,9}$/.test(inMs)) return Number(inMs)
  const after = headers.get('retry-after') ?? ''
  if (/^\d{1,9}$/.test(after)) return Number(after) * 1_000
  const at = Date.parse(after)
  return Number.isFinite(at) ? Math.max(0, at - now) : undefined
}

/** A code rather than a message: a message of the transport can quote what the server sent. */
function reasonOf(error: unknown): string {
  if (refusedTunnel(error) !== undefined) return sayNoAnswer(error)
  const cause = error instanceof Error ? error.cause : undefined
  const inner = cause instanceof AggregateError ? cause.errors[0] : (cause ?? error)
  const { code, name } = (inner ?? {}) as { code?: unknown; name?: unknown }
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'no answer'
}
