import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmod, readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createMcpHandler, type McpServer } from '@modelcontextprotocol/server'
import { toBuffer } from 'qrcode'
import { CountersignError } from '#core/errors.ts'
import { readUpTo } from '#core/http-answer.ts'
import type { WhatsAppStatus } from '#core/ports/whatsapp.ts'
import { type LoginAnswer, TOKEN_FILE } from './remote.ts'
import { writeWhole } from './write-whole.ts'

export interface EndpointOptions {
  readonly folder: string
  readonly host: string
  readonly port: number
  /** Names under which it may be asked for, besides those of loopback: the service's own in its network. */
  readonly names: readonly string[]
}

export interface EndpointParts {
  /** One for each request. */
  makeServer(): McpServer
  status(): WhatsAppStatus
  /** The code that waits to be scanned. */
  code(): string | undefined
  askToLink(): void
  logout(): Promise<void>
}

const MAX_BODY_BYTES = 64 * 1024
/** A page with the code can be opened so long (ms); then `login` asks for another address. */
const PAGE_MS = 3 * 60_000

type Answer = { readonly status: number; readonly type?: string; readonly body?: string | Uint8Array }

/**
 * Serves the zone's other programs, which show the token that stands in the service's folder: `/mcp`, `/session`, `/login`,
 * `/logout`. And, for the person's own browser, the code as a picture at an address that nobody can guess, for minutes.
 * A page of the web that a browser on this machine has open gets nothing: its requests bear another host or origin.
 */
export async function serveEndpoint(
  { folder, host, port, names }: EndpointOptions,
  parts: EndpointParts,
): Promise<{ readonly port: number } & AsyncDisposable> {
  const token = await makeToken(folder)
  const mcp = createMcpHandler(() => parts.makeServer())
  const hosts = new Set(['localhost', '127.0.0.1', '[::1]', ...names])
  let page: { readonly key: string; readonly until: number } | undefined
  const server = createServer((request, response) => {
    answer(request, response).catch(() => send(response, { status: 500 }))
  })
  server.requestTimeout = 30_000
  server.headersTimeout = 10_000

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '/' } = request
    const path = url.split('?')[0] ?? ''
    const name = /^(.*?)(?::\d+)?$/.exec(request.headers.host ?? '')?.[1] ?? ''
    if (!hosts.has(name)) return send(response, { status: 403, body: 'wrong host' })
    if (request.headers.origin !== undefined) return send(response, { status: 403, body: 'no page may ask' })
    const code = method === 'GET' ? /^\/qr\/([0-9a-f]{32})(\.png)?$/.exec(path) : null
    if (code) return send(response, await showCode(code[1] ?? '', code[2] !== undefined))
    if (!isToken(request.headers.authorization))
      return send(response, { status: 401, body: 'the token is missing or wrong' })
    const what = `${method} ${path}`
    if (what === 'POST /mcp') return serveMcp(request, response)
    if (what === 'GET /session') return send(response, json(parts.status()))
    if (what === 'GET /login') return send(response, json(login(request)))
    if (what === 'POST /login') {
      parts.askToLink()
      return send(response, json(login(request)))
    }
    if (what === 'POST /logout') {
      await parts.logout()
      return send(response, json(login(request)))
    }
    return send(response, { status: 404, body: 'not found' })
  }

  function login(request: IncomingMessage): LoginAnswer {
    const { state, say } = parts.status()
    const code = parts.code()
    if (code === undefined) return { state, say }
    if (page === undefined || page.until < Date.now())
      page = { key: randomBytes(16).toString('hex'), until: Date.now() + PAGE_MS }
    return { state, say, code, page: `http://${request.headers.host}/qr/${page.key}` }
  }

  async function showCode(key: string, isPicture: boolean): Promise<Answer> {
    if (page === undefined || page.until < Date.now() || !isSame(key, page.key))
      return { status: 404, body: 'not found' }
    const code = parts.code()
    if (isPicture)
      return code === undefined
        ? { status: 404 }
        : { status: 200, type: 'image/png', body: await toBuffer(code, { scale: 8 }) }
    const shown =
      code === undefined
        ? `<p>${parts.status().state === 'ready' ? 'Linked. You can close this page.' : 'There is no code now. Run countersign whatsapp login again.'}</p>`
        : `<p>On your telephone: WhatsApp, Settings, Linked devices, Link a device.</p><img alt="The code" width="400" src="/qr/${key}.png">`
    const body = `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>Link WhatsApp</title><h1>Link WhatsApp</h1>${shown}`
    return { status: 200, type: 'text/html; charset=utf-8', body }
  }

  async function serveMcp(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readUpTo(request, MAX_BODY_BYTES)
    if (body === undefined) return send(response, { status: 413 })
    const headers = new Headers()
    for (const [name, value] of Object.entries(request.headers))
      if (typeof value === 'string' && name !== 'authorization') headers.set(name, value)
    const asked = new Request('http://localhost/mcp', { method: 'POST', headers, body })
    const answered = await mcp.fetch(asked)
    const type = answered.headers.get('content-type')
    send(response, {
      status: answered.status,
      ...(type !== null && { type }),
      body: new Uint8Array(await answered.arrayBuffer()),
    })
  }

  function isToken(header: string | undefined): boolean {
    return header !== undefined && isSame(header, `Bearer ${token}`)
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new CountersignError(
          'ERR_CONFIG_INVALID',
          `listening on ${host} port ${port} (COUNTERSIGN_WHATSAPP_PORT): ${cause.message}`,
          { cause },
        ),
      ),
    )
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await mcp.close?.()
    },
  }
}

function json(value: unknown): Answer {
  return { status: 200, type: 'application/json', body: JSON.stringify(value) }
}

function send(response: ServerResponse, { status, type = 'text/plain; charset=utf-8', body = '' }: Answer): void {
  if (response.headersSent) return
  response
    .writeHead(status, {
      'content-type': type,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; img-src 'self'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
    })
    .end(body)
}

/** Compares digests: in a time that says nothing about where they differ, or about the length. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}

/** Kept from one start to the next, so that who reads it once may go on. */
async function makeToken(folder: string): Promise<string> {
  const path = join(folder, TOKEN_FILE)
  const standing = await readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => '',
  )
  if (/^[A-Za-z0-9_-]{43}$/.test(standing)) {
    await chmod(path, 0o600)
    return standing
  }
  const token = randomBytes(32).toString('base64url')
  await writeWhole(path, `${token}\n`)
  return token
}
