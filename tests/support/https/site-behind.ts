// What stands behind Caddy in its tests: listens where Odoo and Grafana do, and answers each request with what it was.
import { createServer, type IncomingMessage } from 'node:http'

for (const port of [8069, 8072, 3000]) {
  const told = ({ method, url, headers }: IncomingMessage) => JSON.stringify({ port, method, path: url, headers })
  createServer({ maxHeaderSize: 1024 * 1024 }, async (request, response) => {
    try {
      for await (const _part of request);
    } catch {
      // Cut off by who is in front.
      return
    }
    response.writeHead(200, {
      ...{ 'content-type': 'application/json', server: 'behind/1.0', 'x-frame-options': 'ALLOWALL' },
      ...{ 'referrer-policy': 'unsafe-url', 'set-cookie': ['session_id=abc; HttpOnly; Path=/', 'other=1; Path=/'] },
    })
    response.end(told(request))
  })
    .on('upgrade', (request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
      socket.end(told(request))
    })
    .listen(port)
}
