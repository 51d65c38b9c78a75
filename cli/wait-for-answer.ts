import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CountersignError } from '#core/errors.ts'

/** Where a browser is sent with an answer: a server on loopback, for one answer. */
export interface Loopback extends Disposable {
  readonly redirectUri: string
  /** The first address that was opened here and is an answer. */
  readonly answer: Promise<URL>
}

/** Throws ERR_USAGE when the port is taken. */
export async function listenOnLoopback(port: number, isAnswer: (address: URL) => boolean): Promise<Loopback> {
  const answered = Promise.withResolvers<URL>()
  const server: Server = createServer((request, response) => {
    const address = URL.parse(request.url ?? '', redirectUri)
    const isIt = request.method === 'GET' && address !== null && isAnswer(address)
    // Nothing of what was asked stands in the answer.
    response.writeHead(isIt ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
    response.end(isIt ? 'Countersign has its answer. You can close this window; the terminal says the rest.\n' : '\n')
    if (isIt) answered.resolve(address)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    throw new CountersignError('ERR_USAGE', `listening on 127.0.0.1:${port}: ${cause.code}; choose another with --port`)
  })
  const redirectUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    redirectUri,
    answer: answered.promise,
    [Symbol.dispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}
