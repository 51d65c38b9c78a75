import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { gmail_v1 } from '@googleapis/gmail'
import type { GmailAccount } from '#adapters/gmail/gmail-client.ts'
import { GMAIL_SCOPES as SCOPES } from '#adapters/gmail/gmail-scopes.ts'

export const GMAIL_SCOPES = SCOPES['read-and-send']

/** What the server does with the next message: answers with a status, hangs up, or says nothing. */
export type Trouble = { readonly status: number; readonly reason: string } | 'hang-up' | 'silence'

/**
 * A server on loopback that speaks as much of Gmail's wire format as we use: token, tokeninfo, profile, upload, list, get.
 * As the real one does, it gives each message a Message-ID of its own and keeps all other headers. It is ours: it shows
 * that we speak and understand the format as Google documents it, not that Google answers so.
 */
export interface GmailServer extends AsyncDisposable {
  readonly account: GmailAccount
  readonly sent: string[]
  readonly calls: string[]
  scopes: readonly string[]
  emailAddress: string
  /** How the token endpoint, and every other call, answers. */
  refreshStatus: number
  trouble: Trouble | undefined
}

export async function startGmailServer(address = 'owner@gmail.test'): Promise<GmailServer> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => response.destroy(error))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const credentials = { type: 'authorized_user', client_id: 'id', client_secret: 'secret', refresh_token: 'refresh' }
  const gmail: GmailServer = {
    account: {
      address,
      may: 'read-and-send',
      credentials: async () => JSON.stringify(credentials),
      endpoints: { api: `${at}/`, token: `${at}/token`, tokenInfo: `${at}/tokeninfo` },
    },
    sent: [],
    calls: [],
    scopes: GMAIL_SCOPES,
    emailAddress: address,
    refreshStatus: 200,
    trouble: undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>))
    const url = new URL(request.url ?? '', at)
    const call = `${request.method} ${url.pathname}`
    gmail.calls.push(call)
    const json = (value: unknown, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    }
    if (call === 'POST /token')
      return gmail.refreshStatus === 200
        ? json({ access_token: 'access', expires_in: 3599, token_type: 'Bearer' })
        : json({ error: 'invalid_grant', error_description: 'Token has been revoked.' }, gmail.refreshStatus)
    if (call === 'POST /tokeninfo')
      return json({ aud: 'id', scope: gmail.scopes.join(' '), expires_in: 3000, email: address })
    if (request.headers.authorization !== 'Bearer access') return json(errorOf(401, 'Invalid Credentials'), 401)
    if (call === 'GET /gmail/v1/users/me/profile') return json({ emailAddress: gmail.emailAddress })
    if (call === 'POST /upload/gmail/v1/users/me/messages/send') return take(gmail, request, response, body, json)
    if (call === 'GET /gmail/v1/users/me/messages') return json(listOf(gmail, url.searchParams))
    const [, id] = /^GET \/gmail\/v1\/users\/me\/messages\/m(\d+)$/.exec(call) ?? []
    const raw = gmail.sent[Number(id)]
    return raw === undefined
      ? json(errorOf(404, 'Not found'), 404)
      : json(metadataOf(Number(id), raw, url.searchParams))
  }
  return gmail
}

function take(
  gmail: GmailServer,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  json: (value: unknown, status?: number) => void,
): void {
  const { trouble } = gmail
  if (typeof trouble === 'object') return void json(errorOf(trouble.status, trouble.reason), trouble.status)
  if (request.headers['content-type'] !== 'message/rfc822') return void json(errorOf(400, 'Bad Request'), 400)
  const id = gmail.sent.length
  gmail.sent.push(body.toString().replace(/^Message-ID: .*$/im, `Message-ID: <CA+${id}@mail.gmail.com>`))
  if (trouble === 'hang-up') response.destroy()
  else if (trouble === undefined) json({ id: `m${id}`, threadId: `t${id}`, labelIds: ['SENT'] })
}

/** Two a page, newest first. */
function listOf(gmail: GmailServer, asked: URLSearchParams): gmail_v1.Schema$ListMessagesResponse {
  if (asked.get('labelIds') !== 'SENT') return { resultSizeEstimate: 0 }
  const all = gmail.sent.map((_raw, id) => ({ id: `m${id}`, threadId: `t${id}` })).reverse()
  const from = Number(asked.get('pageToken') ?? 0)
  const messages = all.slice(from, from + 2)
  return {
    ...(messages.length > 0 && { messages }),
    ...(from + 2 < all.length && { nextPageToken: String(from + 2) }),
    resultSizeEstimate: all.length,
  }
}

function metadataOf(id: number, raw: string, asked: URLSearchParams): gmail_v1.Schema$Message {
  const names = asked.getAll('metadataHeaders').map((name) => name.toLowerCase())
  const head = (raw.split('\r\n\r\n')[0] ?? '').replace(/\r\n[ \t]+/g, ' ')
  const headers = head
    .split('\r\n')
    .map((line) => ({ name: line.slice(0, line.indexOf(':')), value: line.slice(line.indexOf(':') + 1).trim() }))
    .filter(({ name }) => names.includes(name.toLowerCase()))
  return { id: `m${id}`, threadId: `t${id}`, payload: { headers } }
}

function errorOf(code: number, message: string) {
  return { error: { code, message, errors: [{ message, domain: 'global', reason: message }], status: 'FAILED' } }
}
