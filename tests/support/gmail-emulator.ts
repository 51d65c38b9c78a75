import { generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { gmail_v1 } from '@googleapis/gmail'
import { createEmulator } from 'emulate'
import { GMAIL_SCOPES } from '#adapters/gmail/gmail-scopes.ts'

/** What the next calls of this method and path get instead of the emulator's answer. */
interface Trouble {
  readonly call: RegExp
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly say?: string
  left: number
}

/**
 * The Gmail emulator of the package `emulate` on loopback, behind a proxy of ours that adds what it lacks and Google
 * has: profile, tokeninfo, the check of scopes at each call, history that ends, trouble. The calls and answers that
 * triage lives on (token, history, list, get) are the emulator's own.
 */
export interface GmailEmulator extends AsyncDisposable {
  readonly url: string
  /** `METHOD path`, in order. */
  readonly calls: string[]
  /** A mail from outside, as it comes into the mailbox; gives Gmail's id of it. */
  deliver(raw: string, changes?: { labelIds?: string[]; receivedAt?: number }): Promise<string>
  /** A token file for these scopes, by the emulator's own consent. */
  tokenFile(scopes?: readonly string[]): Promise<string>
  /** Every message with its labels. */
  messages(): Promise<gmail_v1.Schema$Message[]>
  /** The person's own change of a message. */
  modify(id: string, change: gmail_v1.Schema$ModifyMessageRequest): Promise<void>
  trouble(
    call: RegExp,
    answer: { status: number; headers?: Record<string, string>; say?: string; times?: number },
  ): void
  /** The key of a service account that may pull announcements, which are acknowledged. */
  readonly pubSub: { readonly key: string; readonly acknowledged: readonly string[] }
  /** History before now is gone. */
  forgetHistory(): Promise<void>
  /** No token gets a new access token any more. */
  isRevoked: boolean
  /** As for an app in Google's testing mode: seconds. */
  refreshTokenExpiresIn: number | undefined
}

/** Pub/Sub as far as a bell needs it: announcements of a watched inbox, pulled with a service account's token. */
class PubSub {
  readonly key: string
  readonly #publicKey: KeyObject
  readonly #announced: string[] = []
  readonly acknowledged: string[] = []
  #waiting: (() => void) | undefined
  isWatched = false

  constructor(tokenUri: string) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.#publicKey = publicKey
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
    this.key = JSON.stringify({ client_email: 'bell@project.test', private_key: pem, token_uri: tokenUri })
  }

  announce(): void {
    if (!this.isWatched) return
    this.#announced.push(`ack-${this.#announced.length}`)
    this.#waiting?.()
  }

  /** Whether the assertion is signed by the service account's key. */
  takes(form: string): boolean {
    const assertion = new URLSearchParams(form).get('assertion') ?? ''
    const [head = '', claims = '', signature = ''] = assertion.split('.')
    return verify('RSA-SHA256', Buffer.from(`${head}.${claims}`), this.#publicKey, Buffer.from(signature, 'base64url'))
  }

  async pull(): Promise<{ receivedMessages?: { ackId: string }[] }> {
    const open = () => this.#announced.filter((one) => !this.acknowledged.includes(one))
    if (open().length === 0) await new Promise<void>((resolve) => (this.#waiting = resolve))
    return { receivedMessages: open().map((ackId) => ({ ackId })) }
  }
}

export async function startGmailEmulator(address = 'owner@gmail.test'): Promise<GmailEmulator> {
  const emulator = await createEmulator({
    service: 'google',
    port: 0,
    seed: { google: { users: [{ email: address, name: 'Owner' }] } },
  })
  const inside = emulator.url.replace('localhost', '127.0.0.1')
  const scopesOf = new Map<string, string[]>()
  const troubles: Trouble[] = []
  const calls: string[] = []
  let oldestHistory = 0n
  // Refresh tokens that hold, and all there ever were.
  const [given, ever] = [new Set<string>(), new Set<string>()]
  const remember = (token: string) => {
    given.add(token)
    ever.add(token)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => response.destroy(error))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const api = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: 'Bearer the-person', 'content-type': 'application/json' }
    const answered = await fetch(`${inside}/gmail/v1/users/me/${path}`, { headers, ...init })
    if (!answered.ok) throw new Error(`emulator, ${path}: ${answered.status} ${await answered.text()}`)
    return (await answered.json()) as Record<string, unknown>
  }
  const currentHistory = async () => String((await api('history?startHistoryId=1')).historyId)

  const pubSub = new PubSub(`${url}/service-token`)
  let lastAt = 0
  const gmail: GmailEmulator = {
    url,
    pubSub,
    calls,
    isRevoked: false,
    refreshTokenExpiresIn: undefined,
    async deliver(raw, { labelIds = ['INBOX', 'UNREAD'], receivedAt } = {}) {
      const bytes = raw.replace(/\r?\n/g, '\r\n')
      const dated = receivedAt === undefined ? bytes : `Date: ${new Date(receivedAt).toUTCString()}\r\n${bytes}`
      const body = JSON.stringify({ raw: Buffer.from(dated).toString('base64url'), labelIds })
      const source = receivedAt === undefined ? 'receivedTime' : 'dateHeader'
      // Two of one millisecond have no order.
      while (Date.now() <= lastAt) await new Promise((done) => setImmediate(done))
      const { id } = await api(`messages?internalDateSource=${source}`, { method: 'POST', body })
      lastAt = Date.now()
      pubSub.announce()
      return String(id)
    },
    async tokenFile(scopes = GMAIL_SCOPES.read) {
      const form = { email: address, redirect_uri: 'http://127.0.0.1/', scope: scopes.join(' '), client_id: 'id' }
      const post = (path: string, fields: Record<string, string>) =>
        fetch(`${inside}${path}`, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })
      const consent = await post('/o/oauth2/v2/auth/callback', form)
      const code = new URL(consent.headers.get('location') ?? '').searchParams.get('code') ?? ''
      const { client_id, redirect_uri } = form
      const token = await post('/oauth2/token', { grant_type: 'authorization_code', code, client_id, redirect_uri })
      const { refresh_token } = (await token.json()) as { refresh_token: string }
      remember(refresh_token)
      return JSON.stringify({ client_id, client_secret: 'the-client-secret', refresh_token })
    },
    async messages() {
      const { messages = [] } = (await api('messages?maxResults=500&includeSpamTrash=true')) as {
        messages?: { id: string }[]
      }
      return Promise.all(messages.map(({ id }) => api(`messages/${id}`) as Promise<gmail_v1.Schema$Message>))
    },
    async modify(id, change) {
      await api(`messages/${id}/modify`, { method: 'POST', body: JSON.stringify(change) })
    },
    trouble: (call, { times = 1, ...what }) => void troubles.push({ call, ...what, left: times }),
    async forgetHistory() {
      oldestHistory = BigInt(await currentHistory())
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await emulator.close()
    },
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>))
    const asked = new URL(request.url ?? '', url)
    const call = `${request.method} ${asked.pathname}`
    calls.push(call)
    const json = (value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
    }
    const trouble = troubles.find((one) => one.left > 0 && one.call.test(`${call}${asked.search}`))
    if (trouble) {
      trouble.left--
      return json(fault(trouble.status, trouble.say ?? 'planted'), trouble.status, trouble.headers)
    }
    const bearer = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    if (call === 'POST /revoke') return json(...revoke(new URLSearchParams(body.toString()).get('token') ?? ''))
    if (call === 'POST /token') return json(...(await tokenFor(body.toString())))
    if (call === 'POST /tokeninfo')
      return json({ scope: (scopesOf.get(bearer) ?? []).join(' '), expires_in: 3000, email: address })
    if (call === 'POST /service-token')
      return pubSub.takes(body.toString())
        ? json({ access_token: 'service', expires_in: 3600 })
        : json({ error: 'invalid_grant' }, 400)
    if (asked.pathname.startsWith('/v1/projects/')) {
      if (bearer !== 'service') return json(fault(401, 'Request had invalid authentication credentials.'), 401)
      if (asked.pathname.endsWith(':pull')) return json(await pubSub.pull())
      pubSub.acknowledged.push(...(JSON.parse(body.toString()) as { ackIds: string[] }).ackIds)
      return json({})
    }
    if (asked.pathname.startsWith('/o/oauth2/')) return forward(request, asked, body, response)
    const scopes = scopesOf.get(bearer)
    if (!scopes) return json(fault(401, 'Invalid Credentials'), 401)
    const isWatch = call === 'POST /gmail/v1/users/me/watch'
    const isReading = scopes.includes(GMAIL_SCOPES.read[0] ?? '') && (request.method === 'GET' || isWatch)
    const isSending = scopes.some((one) => one.endsWith('gmail.send')) && /\/messages\/send$/.test(asked.pathname)
    if (!isReading && !isSending) return json(fault(403, 'Request had insufficient authentication scopes.'), 403)
    if (isWatch) pubSub.isWatched = true
    if (asked.pathname === '/gmail/v1/users/me/profile')
      return json({ emailAddress: address, historyId: await currentHistory() })
    if (asked.pathname.endsWith('/history') && BigInt(asked.searchParams.get('startHistoryId') ?? 0) < oldestHistory)
      return json(fault(404, 'Requested entity was not found.'), 404)
    // The emulator cuts one character too few off this operator, and so finds nothing by it.
    const [, id] = /^rfc822msgid:(.*)$/.exec(asked.searchParams.get('q') ?? '') ?? []
    if (id !== undefined) return json({ messages: await withMessageId(`<${id}>`) })
    // It takes the quotes of an operator's value for a part of the value.
    asked.searchParams.set('q', (asked.searchParams.get('q') ?? '').replace(/(\w:)"(\S*)"/g, '$1$2'))
    if (/\/(?:messages|threads)\/[^/]+$/.test(asked.pathname) && asked.searchParams.get('format') === 'metadata')
      return json(await withAllHeaders(asked.pathname.replace('/gmail/v1/users/me/', '')))
    return forward(request, asked, body, response)
  }

  async function withMessageId(id: string) {
    const isIt = (one: gmail_v1.Schema$Message) =>
      one.payload?.headers?.some(({ name, value }) => name?.toLowerCase() === 'message-id' && value === id)
    return (await gmail.messages()).filter(isIt).map((one) => ({ id: one.id, threadId: one.threadId }))
  }

  /** The emulator shows the usual headers only. */
  async function withAllHeaders(path: string) {
    const shown = (await api(path)) as gmail_v1.Schema$Message & gmail_v1.Schema$Thread
    for (const one of shown.messages ?? [shown]) {
      const raw = Buffer.from(String((await api(`messages/${one.id}?format=raw`)).raw), 'base64url').toString()
      const head = (raw.split('\r\n\r\n')[0] ?? '').replace(/\r\n[ \t]+/g, ' ').split('\r\n')
      const headers = head.map((line) => ({ name: line.split(':')[0] ?? '', value: line.replace(/^[^:]*: */, '') }))
      one.payload = { ...one.payload, headers }
    }
    return shown
  }

  /** As Google: with a token ends all that its client was allowed. */
  function revoke(token: string): [unknown, number] {
    if (!given.has(token)) return [{ error: 'invalid_token', error_description: 'Token expired or revoked' }, 400]
    given.clear()
    return [{}, 200]
  }

  async function tokenFor(form: string): Promise<[unknown, number]> {
    const { grant_type, refresh_token = '' } = Object.fromEntries(new URLSearchParams(form))
    const isEnded = grant_type === 'refresh_token' && ever.has(refresh_token) && !given.has(refresh_token)
    if (gmail.isRevoked || isEnded)
      return [{ error: 'invalid_grant', error_description: 'Token has been expired or revoked.' }, 400]
    const answered = await fetch(`${inside}/oauth2/token`, { method: 'POST', body: new URLSearchParams(form) })
    const token = (await answered.json()) as { access_token?: string; scope?: string; refresh_token?: string }
    if (token.refresh_token) remember(token.refresh_token)
    if (token.access_token) scopesOf.set(token.access_token, (token.scope ?? '').split(' '))
    const seconds = gmail.refreshTokenExpiresIn
    return [{ ...token, ...(seconds !== undefined && { refresh_token_expires_in: seconds }) }, answered.status]
  }

  async function forward(request: IncomingMessage, asked: URL, body: Buffer, response: ServerResponse): Promise<void> {
    const { authorization = '', 'content-type': type = '' } = request.headers
    const answered = await fetch(`${inside}${asked.pathname}${asked.search}`, {
      method: request.method ?? 'GET',
      headers: { ...(authorization && { authorization }), ...(type && { 'content-type': type }) },
      redirect: 'manual',
      ...(body.length > 0 && { body: new Uint8Array(body) }),
    })
    const location = answered.headers.get('location')
    response.writeHead(answered.status, {
      'content-type': answered.headers.get('content-type') ?? 'application/json',
      ...(location && { location }),
    })
    response.end(Buffer.from(await answered.arrayBuffer()))
  }
  return gmail
}

function fault(code: number, message: string) {
  return { error: { code, message, errors: [{ message, domain: 'global', reason: message }], status: 'FAILED' } }
}
