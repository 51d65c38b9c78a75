import { createPrivateKey, sign } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { CountersignError } from '#core/errors.ts'

/** Google's Pub/Sub, through which Gmail says that something changed. It is a bell only: mail is read from Gmail. */
export interface GmailPush {
  /** Where Gmail announces changes: `projects/<project>/topics/<name>`. */
  readonly topic: string
  /** Where they are pulled from: `projects/<project>/subscriptions/<name>`. */
  readonly subscription: string
  /** The JSON key of a service account that may pull from it; asked for again and again. */
  key(): Promise<string>
  /** Where Pub/Sub answers, when it is not Google. */
  readonly endpoint?: string
  /** What is wrong with the bell; polling goes on meanwhile. */
  onFault(error: CountersignError): void
}

/** Longer than Pub/Sub lets a pull wait for a message. */
const PULL_MS = 150_000
const ANSWER_MS = 15_000
const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 300_000
const SCOPE = 'https://www.googleapis.com/auth/pubsub'

/** Calls `ring` after each announcement, until stopped. Never throws. */
export async function listenForPush(push: GmailPush, ring: () => void, stopping: AbortSignal): Promise<void> {
  const pause = (ms: number) => delay(ms, undefined, { signal: stopping }).catch(() => {})
  const tokens = serviceTokens(push)
  let retryInMs = FIRST_RETRY_MS
  while (!stopping.aborted) {
    try {
      const pulled = await ask(push, await tokens(stopping), 'pull', { maxMessages: 100 }, PULL_MS, stopping)
      const ackIds = acknowledgementsOf(pulled)
      if (ackIds.length > 0) {
        ring()
        await ask(push, await tokens(stopping), 'acknowledge', { ackIds }, ANSWER_MS, stopping)
      }
      retryInMs = FIRST_RETRY_MS
      // A server that answers at once with nothing is not asked without a pause.
      if (ackIds.length === 0) await pause(FIRST_RETRY_MS)
    } catch (error) {
      if (stopping.aborted) return
      push.onFault(pushFault(error, push))
      await pause(retryInMs * (0.5 + Math.random() / 2))
      retryInMs = Math.min(retryInMs * 2, MAX_RETRY_MS)
    }
  }
}

async function ask(
  { subscription, endpoint = 'https://pubsub.googleapis.com/' }: GmailPush,
  token: string,
  what: 'pull' | 'acknowledge',
  body: object,
  limitMs: number,
  stopping: AbortSignal,
): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return post(`${endpoint}v1/${subscription}:${what}`, headers, JSON.stringify(body), limitMs, stopping)
}

/** Access tokens of the service account, each used until shortly before it ends. */
function serviceTokens(push: GmailPush): (stopping: AbortSignal) => Promise<string> {
  let known: { readonly text: string; readonly token: string; readonly until: number } | undefined
  return async (stopping) => {
    const text = await push.key()
    if (known?.text === text && Date.now() < known.until) return known.token
    const { email, privateKey, tokenUri } = readKey(text)
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: email, scope: SCOPE, aud: tokenUri, iat: now, exp: now + 3600 }
    const signed = `${base64({ alg: 'RS256', typ: 'JWT' })}.${base64(claims)}`
    const assertion = `${signed}.${sign('RSA-SHA256', Buffer.from(signed), createPrivateKey(privateKey)).toString('base64url')}`
    const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion })
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await post(tokenUri, headers, form.toString(), ANSWER_MS, stopping)
    const { access_token: token, expires_in: seconds } = answer as { access_token?: unknown; expires_in?: unknown }
    if (typeof token !== 'string') throw new Error('no access token was given')
    known = { text, token, until: Date.now() + (Number(seconds) || 600) * 1000 - 300_000 }
    return token
  }
}

function readKey(text: string): { email: string; privateKey: string; tokenUri: string } {
  let key: Record<string, unknown> = {}
  try {
    key = JSON.parse(text) as Record<string, unknown>
  } catch {
    // Said below.
  }
  const { client_email: email, private_key: privateKey, token_uri: tokenUri } = key
  const isKey = typeof email === 'string' && typeof privateKey === 'string' && typeof tokenUri === 'string'
  if (!isKey || !/^https:\/\/|^http:\/\/127\.0\.0\.1:/.test(tokenUri))
    throw new Error('the key must be the JSON of a service account: client_email, private_key and token_uri')
  return { email, privateKey, tokenUri }
}

async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  limitMs: number,
  stopping: AbortSignal,
): Promise<unknown> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(limitMs)])
  const response = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal })
  const text = (await response.text()).slice(0, 1_000_000)
  if (!response.ok) throw new Error(`${response.status} ${text.replace(/\s+/g, ' ').slice(0, 300)}`)
  return JSON.parse(text)
}

function acknowledgementsOf(pulled: unknown): string[] {
  const { receivedMessages = [] } = (pulled ?? {}) as { receivedMessages?: readonly { ackId?: string }[] }
  return receivedMessages.flatMap(({ ackId }) => (ackId ? [ackId] : []))
}

function pushFault(error: unknown, { subscription }: GmailPush): CountersignError {
  const { message, cause } = error as Error & { cause?: { code?: unknown } }
  const say = cause?.code === undefined ? message : `${message} (${String(cause.code)})`
  return new CountersignError('ERR_MAIL_UNREACHABLE', `asking Pub/Sub at ${subscription}: ${say}; polling goes on`, {
    cause: error,
  })
}

function base64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
