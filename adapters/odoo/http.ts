import { isBeforeRequest, readJsonUpTo, sayNoAnswer } from '#core/http-answer.ts'

/** Where an Odoo answers, and as whom. */
export interface OdooAccount {
  /** https, or http on loopback; no path, query or user. */
  readonly url: string
  readonly database: string
  /** Of the key's user; only an Odoo before 19 asks for it. */
  readonly login?: string | undefined
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
    return { kind: 'answer', status: response.status, json: await readJsonUpTo(response.body, MAX_ANSWER_BYTES) }
  } catch (error) {
    const reason = sayNoAnswer(error)
    return isBeforeRequest(error) ? { kind: 'not-sent', reason } : { kind: 'lost', reason }
  }
}
