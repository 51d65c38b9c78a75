import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingMessage['headers']
  /** The JSON of the body; of a form its fields, files among them; any other body as bytes; undefined without one. */
  readonly body: unknown
}

/** What the server does with a request. */
export type Reply =
  | {
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: unknown
      readonly raw?: string
    }
  /** Takes the request whole and never answers. */
  | 'hang'
  /** Takes the request whole and closes the connection. */
  | 'drop'
  /** Begins the answer and never ends it. */
  | 'half'

export interface FakeServer extends AsyncDisposable {
  readonly url: string
  /** Every request so far. */
  readonly received: Received[]
  /** How the next ones are answered. */
  reply: (request: Received) => Reply | Promise<Reply>
}

/** A file as it was uploaded in a form. */
export interface ReceivedFile {
  readonly name: string
  readonly type: string
  readonly bytes: Buffer
}

async function bodyOf(bytes: Buffer, type: string): Promise<unknown> {
  if (bytes.length === 0) return undefined
  if (type.startsWith('application/json')) return JSON.parse(bytes.toString('utf8'))
  if (!type.startsWith('multipart/form-data')) return bytes
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData()
  const fields: Record<string, unknown> = {}
  for (const [name, value] of form)
    fields[name] =
      typeof value === 'string'
        ? value
        : { name: value.name, type: value.type, bytes: Buffer.from(await value.arrayBuffer()) }
  return fields
}

/** An HTTP server on loopback that does as a test says, errors of the network included. */
export async function startServer(reply: FakeServer['reply'] = () => ({ status: 404 })): Promise<FakeServer> {
  const http = createServer((request, response) => {
    void answer(request, response)
  })
  const server: FakeServer = {
    url: '',
    received: [],
    reply,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
  async function answer(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '/', 'http://loopback')
    const bytes = Buffer.concat(await request.toArray())
    const received: Received = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: await bodyOf(bytes, request.headers['content-type'] ?? ''),
    }
    server.received.push(received)
    const what = await server.reply(received)
    if (what === 'hang') return
    if (what === 'drop') return void request.socket.destroy()
    if (what === 'half') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
      return void response.write('{"id"')
    }
    response.writeHead(what.status, { 'content-type': 'application/json', ...what.headers })
    response.end(what.raw ?? (what.body === undefined ? '' : JSON.stringify(what.body)))
  }
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return Object.assign(server, { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` })
}
