import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { StatusDocument } from '#core/status.ts'
import { deadmanSwitch } from './ping-deadman.ts'

const status = (health: StatusDocument['health']) => ({ health }) as StatusDocument

async function outside(answer = 200) {
  const calls: string[] = []
  const server = createServer((request, response) => {
    calls.push(`${request.method} ${request.url}`)
    response.writeHead(answer).end()
  }).listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  onTestFinished(() => void server.close())
  return { calls, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping/abc` }
}

test('calls once a minute while the zone works, and not while it is down', async () => {
  const { calls, url } = await outside()
  const faults: string[] = []
  const tell = deadmanSwitch(url, (reason) => faults.push(reason))
  await tell(status('ok'), 0)
  await tell(status('ok'), 59_000)
  await tell(status('degraded'), 60_000)
  await tell(status('down'), 120_000)
  expect([calls, faults]).toEqual([['GET /ping/abc', 'GET /ping/abc'], []])
})

test('says when it was not heard, and goes on', async () => {
  const { url } = await outside(404)
  const faults: string[] = []
  await deadmanSwitch(url, (reason) => faults.push(reason))(status('ok'), 0)
  await deadmanSwitch('http://127.0.0.1:1/', (reason) => faults.push(reason))(status('ok'), 0)
  expect(faults).toEqual(['it answered 404', expect.any(String)])
})
