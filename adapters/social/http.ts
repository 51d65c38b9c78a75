import type { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import { isBeforeRequest, readJsonUpTo, sayNoAnswer } from '#core/http-answer.ts'
import type { PublishOutcome } from '#core/ports/social-network.ts'

/** Where an account's network answers. `baseUrl`: https, or loopback for tests; no path, query or user. */
export interface Endpoint {
  /** As error messages say it: `Mastodon @me@social.example`. */
  readonly name: string
  readonly baseUrl: string
  /** For one request with its whole answer, ms. */
  readonly limitMs?: number
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** From the base URL on, or a whole address that the caller has checked. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly file?: {
    readonly type: string
    readonly bytes: Uint8Array
    /** As part of a form, under these names; unset: the file is the body. */
    readonly form?: { readonly field: string; readonly name: string; readonly others: Readonly<Record<string, string>> }
  }
  /** Instead of the endpoint's. */
  readonly limitMs?: number
}

export type HttpAnswer =
  /** `body`: the parsed JSON, undefined when it is none, was cut off, or was too long. */
  | { readonly kind: 'answer'; readonly status: number; readonly headers: Headers; readonly body: unknown }
  /** Surely nothing of the request reached the network. */
  | { readonly kind: 'not-sent'; readonly reason: string }
  /** The request went out, at least in part, and no answer came. */
  | { readonly kind: 'lost'; readonly reason: string }

const LIMIT_MS = 30_000
const MAX_ANSWER_BYTES = 1024 * 1024
/** A request that asks to wait longer than this is asked again after it; ms. */
const MAX_WAIT_MS = 24 * 3_600_000
const DEFAULT_WAIT_MS = 15 * 60_000

/**
 * One request, one answer: no redirect is followed (it could carry the credential elsewhere), no connection is shared
 * (one that the network just closed would make an outcome unknown for nothing), nothing is tried again. Never throws.
 */
export async function ask(endpoint: Endpoint, request: HttpRequest): Promise<HttpAnswer> {
  const url = new URL(request.path, endpoint.baseUrl)
  for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value)
  try {
    const response = await fetch(url, {
      method: request.method,
      headers: { accept: 'application/json', connection: 'close', ...contentType(request), ...request.headers },
      body: bodyOf(request) ?? null,
      redirect: 'manual',
      signal: AbortSignal.timeout(endpoint.limitMs ?? request.limitMs ?? LIMIT_MS),
    })
    return {
      kind: 'answer',
      status: response.status,
      headers: response.headers,
      body: await readJsonUpTo(response.body, MAX_ANSWER_BYTES),
    }
  } catch (error) {
    const reason = sayNoAnswer(error)
    return isBeforeRequest(error) ? { kind: 'not-sent', reason } : { kind: 'lost', reason }
  }
}

/** An answer to a look: its JSON. Throws ERR_SOCIAL_AUTH or ERR_SOCIAL_UNREACHABLE for every answer but a good one. */
export async function look(endpoint: Endpoint, request: Omit<HttpRequest, 'method'>): Promise<unknown> {
  const answer = await ask(endpoint, { method: 'GET', ...request })
  if (answer.kind === 'answer' && answer.status === 200 && answer.body !== undefined) return answer.body
  throw faultOf(endpoint, `looking at ${request.path}`, answer)
}

/** Like `look`, for what not every credential may see: undefined when the network answers that this one may not. */
export async function lookIfAllowed(endpoint: Endpoint, request: Omit<HttpRequest, 'method'>): Promise<unknown> {
  try {
    return await look(endpoint, request)
  } catch (error) {
    if (error instanceof CountersignError && error.details.status === 403) return undefined
    throw error
  }
}

/** Reads what a network answered. Throws ERR_SOCIAL_UNREACHABLE for an answer of another shape. */
export function readAs<T>(endpoint: Endpoint, schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const field = parsed.error.issues[0]?.path.join('.') || 'the whole'
  throw new CountersignError('ERR_SOCIAL_UNREACHABLE', `${endpoint.name}: an answer of another shape (${field})`)
}

/** What a bad answer means when it is not about a post. */
export function faultOf(endpoint: Endpoint, doing: string, answer: HttpAnswer): CountersignError {
  const status = answer.kind === 'answer' ? answer.status : 0
  const found = answer.kind === 'answer' ? `${status} ${messageOf(answer.body)}`.trim() : answer.reason
  const code = status === 401 || status === 403 ? 'ERR_SOCIAL_AUTH' : 'ERR_SOCIAL_UNREACHABLE'
  return new CountersignError(code, `${endpoint.name}, ${doing}: ${found}`, { details: { status } })
}

/**
 * What an answer to a post means when it is not "done": a definite no, or nobody knows. Only an answer that the network
 * gives *instead* of posting is a no; a server error may come after the post was made.
 */
export function notDone(answer: HttpAnswer, now: number): Exclude<PublishOutcome, { kind: 'accepted' }> {
  if (answer.kind === 'not-sent')
    return { kind: 'refused', permanent: false, say: `could not be reached: ${answer.reason}` }
  if (answer.kind === 'lost') return { kind: 'unknown', reason: answer.reason }
  const { status, headers, body } = answer
  const said = `${status} ${messageOf(body)}`.trim()
  if (status === 429) {
    const retryAt = retryTime(headers, now)
    const say = `${said} (too many requests; not before ${new Date(retryAt).toISOString()})`
    return { kind: 'refused', permanent: false, say, retryAt }
  }
  // 408 and 425: the server gave up on the request or put it off; neither says that it did nothing.
  if (status >= 400 && status < 500 && status !== 408 && status !== 425)
    return { kind: 'refused', permanent: status !== 401, say: said }
  return { kind: 'unknown', reason: `the answer was ${said}` }
}

/** The network's own words about an error, in one short line. */
export function messageOf(body: unknown): string {
  if (typeof body !== 'object' || body === null) return ''
  const { error, message, detail, title } = body as Record<string, unknown>
  const inner = typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : error
  const parts = [inner, message, detail ?? title].filter((part): part is string => typeof part === 'string')
  return [...new Set(parts)].join(': ').replace(/\s+/g, ' ').trim().slice(0, 300)
}

/** Retry-After (seconds or a date), else the reset times that Mastodon, Bluesky and X send; ms since the epoch. */
function retryTime(headers: Headers, now: number): number {
  const after = headers.get('retry-after')
  const reset = headers.get('x-rate-limit-reset') ?? headers.get('ratelimit-reset') ?? headers.get('x-ratelimit-reset')
  const times = [
    /^\d{1,9}$/.test(after ?? '') ? now + Number(after) * 1_000 : Date.parse(after ?? ''),
    /^\d{1,12}$/.test(reset ?? '') ? Number(reset) * 1_000 : Date.parse(reset ?? ''),
  ]
  const at = times.find((time) => Number.isFinite(time) && time > now) ?? now + DEFAULT_WAIT_MS
  return Math.min(at, now + MAX_WAIT_MS)
}

/** A form says its own. */
function contentType({ json, file }: HttpRequest): Record<string, string> {
  if (json !== undefined) return { 'content-type': 'application/json' }
  return file && !file.form ? { 'content-type': file.type } : {}
}

function bodyOf({ json, file }: HttpRequest): string | Uint8Array<ArrayBuffer> | FormData | undefined {
  if (json !== undefined) return JSON.stringify(json)
  if (!file) return undefined
  const bytes = new Uint8Array(file.bytes)
  if (!file.form) return bytes
  const form = new FormData()
  for (const [name, value] of Object.entries(file.form.others)) form.set(name, value)
  form.set(file.form.field, new Blob([bytes], { type: file.type }), file.form.name)
  return form
}
