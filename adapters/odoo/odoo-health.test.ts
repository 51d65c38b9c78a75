import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { odooHealth } from './odoo-health.ts'

const DATE = 'Mon, 30 Nov 2026 10:00:00 GMT'

async function at(answer: RequestListener) {
  const server = createServer(answer)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
const says = (status: number, body: string) =>
  at((request, response) => {
    const isAsked = request.method === 'GET' && request.url === '/web/health?db_server_status=1'
    const isNobody = request.headers.authorization === undefined
    response.writeHead(isAsked && isNobody ? status : 404, { date: DATE }).end(body)
  })
const clock = Date.parse(DATE)

test.each([
  ['is well', 200, '{"status": "pass"}', true],
  ['has lost its database', 500, '{"status": "fail", "db_server_status": false}', 'its database is away'],
  ['is none', 200, '<html>', 'it answered 200, and is no Odoo'],
  ['moved elsewhere', 303, '', 'it answered 303, and is no Odoo'],
  ['answers without end', 200, `{"status":"pass"}${' '.repeat(9_000)}`, 'it answered 200, and is no Odoo'],
] as const)(
  'an Odoo that %s says so to nobody in particular, and what time it is',
  async (_what, status, body, found) => {
    expect(await odooHealth(await says(status, body))).toEqual({ found, clock })
  },
)

test('an Odoo that is not there has no clock', async () => {
  expect(await odooHealth({ url: 'http://127.0.0.1:2' })).toEqual({
    found: expect.stringContaining('ECONNREFUSED'),
    clock: undefined,
  })
})
