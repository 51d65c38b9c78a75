import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a way to a real Odoo does with one request: hands it on whole, loses the answer, or keeps it back. */
export type Mishap =
  | { readonly kind: 'lose'; readonly method: string }
  | { readonly kind: 'page'; readonly method: string; readonly status: number }
  | { readonly kind: 'hold'; readonly method: string; readonly until: Promise<void> }

/**
 * A way to a real Odoo that loses, replaces or keeps back answers to what the server has done. As `version` 18 it hides what
 * newer servers have, so that XML-RPC is spoken: the models are those of the server.
 */
export async function odooProxy(target: string, { version }: { version?: 18 } = {}) {
  const mishaps: Mishap[] = []
  const called: string[] = []
  const server = createServer((request, response) => {
    void handle().catch(() => response.destroy())
    async function handle() {
      const chunks: Uint8Array[] = []
      for await (const chunk of request) chunks.push(chunk)
      const body = Buffer.concat(chunks)
      const path = request.url ?? '/'
      if (version !== undefined) {
        if (path === '/web/version' || path.startsWith('/json/')) return void response.writeHead(404).end('<html>')
        if (path === '/web/webclient/version_info')
          return void response
            .writeHead(200, { 'content-type': 'application/json' })
            .end(JSON.stringify({ jsonrpc: '2.0', result: { server_version_info: [version, 0, 0, 'final', 0, ''] } }))
      }
      // What the cloud asks for only to see its guard refuse it is no create.
      const isProbe = body.includes('whether its guard is there')
      const method = isProbe ? 'probe' : methodOf(path, body.toString())
      called.push(method)
      const { authorization = '', 'x-odoo-database': database = '', 'content-type': type = '' } = request.headers
      const answer = await fetch(new URL(path, target), {
        method: request.method ?? 'GET',
        headers: {
          'content-type': type,
          ...(authorization && { authorization }),
          ...(database && { 'x-odoo-database': String(database) }),
        },
        body: request.method === 'POST' ? body : null,
      })
      const text = await answer.text()
      const index = mishaps.findIndex((one) => one.method === method)
      const [due] = index < 0 ? [] : mishaps.splice(index, 1)
      if (due?.kind === 'lose') return void response.destroy()
      if (due?.kind === 'page') return void response.writeHead(due.status).end('<html><h1>Bad Gateway</h1></html>')
      if (due?.kind === 'hold') await due.until
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(text)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mishaps,
    /** `model.method` of every call, in order. */
    called,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
export type OdooProxy = Awaited<ReturnType<typeof odooProxy>>

function methodOf(path: string, body: string): string {
  const json = /^\/json\/2\/([\w.]+)\/(\w+)$/.exec(path)
  if (json) return `${json[1]}.${json[2]}`
  const [, model, method] =
    /<value><string>([a-z]\w*(?:\.\w+)+)<\/string><\/value><\/param><param><value><string>(\w+)<\/string>/.exec(body) ??
    []
  return method === undefined ? path : `${model}.${method}`
}
