import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { isPrivate, mayLeadTo, startEgress } from './egress-proxy.ts'

/** A proxy that lets through to `localhost:<port>` of an echo server, and to `bank.example:443`. */
async function world(lookup: (name: string) => Promise<string[]> = async () => ['192.0.2.1']) {
  const arrived: string[] = []
  const target = createServer((socket) => {
    arrived.push('connection')
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  const { port } = target.address() as AddressInfo
  const refused: string[] = []
  const egress = await startEgress({
    reach: [
      { host: 'localhost', port },
      { host: 'bank.example', port },
    ],
    ...{ host: '127.0.0.1', port: 0, lookup, onRefused: (asked) => refused.push(asked) },
  })
  onTestFinished(async () => {
    await egress[Symbol.asyncDispose]()
    target.close()
  })
  /** The first line that comes back; then, through a tunnel, what the echo says. */
  const ask = async (request: string, then = '') =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(egress.port, '127.0.0.1', () => socket.write(request))
      let text = ''
      socket.on('error', reject)
      socket.on('close', () => resolve(text))
      socket.on('data', (data) => {
        text += data
        if (text.startsWith('HTTP/1.1 200') && then !== '') socket.write(then)
        if (text.endsWith(then) && then !== '') socket.destroy()
      })
    })
  return { port, arrived, refused, ask }
}

test('tunnels to a host and port of the list', async () => {
  const { port, ask, refused } = await world()
  const text = await ask(`CONNECT localhost:${port} HTTP/1.1\r\n\r\n`, 'hello')
  expect(text).toBe('HTTP/1.1 200 Connection established\r\n\r\nhello')
  expect(refused).toEqual([])
})

test.each<[name: string, request: (port: number) => string]>([
  ['another port', (port) => `CONNECT localhost:${port - 1} HTTP/1.1`],
  ['another host', (port) => `CONNECT evil.example:${port} HTTP/1.1`],
  ['a bare address', (port) => `CONNECT 127.0.0.1:${port} HTTP/1.1`],
  ['an address of IPv6', (port) => `CONNECT [::1]:${port} HTTP/1.1`],
  ['an address in one number', (port) => `CONNECT 2130706433:${port} HTTP/1.1`],
  ['a dot at the end', (port) => `CONNECT localhost.:${port} HTTP/1.1`],
  ['a user before the host', (port) => `CONNECT localhost@evil.example:${port} HTTP/1.1`],
  ['no port', () => 'CONNECT localhost HTTP/1.1'],
  ['a plain request', (port) => `GET http://localhost:${port}/ HTTP/1.1\r\nhost: localhost`],
  ['a plain post', (port) => `POST http://localhost:${port}/ HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0`],
])('refuses %s', async (_name, request) => {
  const { port, ask, arrived, refused } = await world()
  expect(await ask(`${request(port)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 40[03]/)
  expect(arrived).toEqual([])
  expect(refused.length).toBeLessThanOrEqual(1)
})

test.each([
  ['127.0.0.1'],
  ['10.0.0.7'],
  ['192.168.1.1'],
  ['169.254.169.254'],
  ['::1'],
  ['::ffff:127.0.0.1'],
  ['fd00::1'],
])('refuses a name that leads to %s, alone or among others', async (address) => {
  for (const addresses of [[address], ['93.184.216.34', address]]) {
    const { port, ask, arrived } = await world(async () => addresses)
    expect(await ask(`CONNECT bank.example:${port} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1\.1 403/)
    expect(arrived).toEqual([])
  }
})

test.each<[address: string, mayLead: boolean]>([
  ['10.0.0.7', true],
  ['172.17.0.1', true],
  ['100.64.0.1', true],
  ['fd00::1', true],
  ['93.184.216.34', true],
  ['127.0.0.1', false],
  ['169.254.169.254', false],
  ['fd00:ec2::254', false],
  ['::1', false],
  ['fe80::1', false],
  ['::ffff:169.254.169.254', false],
  ['0.0.0.0', false],
  ['nonsense', false],
])('a name that may lie in a private network may lead to %s: %s', (address, expected) => {
  expect(mayLeadTo(address, { isPrivate: true })).toBe(expected)
})

test('refuses a name that may be private and leads to what a cloud tells its machines', async () => {
  const refused: string[] = []
  const egress = await startEgress({
    ...{ reach: [{ host: 'mail.home', port: 993, isPrivate: true }], host: '127.0.0.1', port: 0 },
    ...{ lookup: async () => ['10.0.0.7', '169.254.169.254'], onRefused: (asked) => refused.push(asked) },
  })
  onTestFinished(() => egress[Symbol.asyncDispose]())
  const socket = connect(egress.port, '127.0.0.1', () => socket.write('CONNECT mail.home:993 HTTP/1.1\r\n\r\n'))
  expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 403/)
  expect(refused).toEqual(['CONNECT mail.home:993'])
})

test('answers 502 for a place that takes no connection, and counts what became of each', async () => {
  const outcomes: string[] = []
  const refusals: boolean[] = []
  const gone = createServer()
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
  const { port } = gone.address() as AddressInfo
  await new Promise((resolve) => gone.close(resolve))
  const egress = await startEgress({
    ...{ reach: [{ host: 'localhost', port }], host: '127.0.0.1', port: 0 },
    ...{ onAllowed: (one) => outcomes.push(one), onRefused: (_asked, isFirst) => refusals.push(isFirst) },
  })
  onTestFinished(() => egress[Symbol.asyncDispose]())
  const ask = async (place: string) => {
    const socket = connect(egress.port, '127.0.0.1', () => socket.write(`CONNECT ${place} HTTP/1.1\r\n\r\n`))
    return String((await once(socket, 'data'))[0])
  }
  expect(await ask(`localhost:${port}`)).toMatch(/^HTTP\/1\.1 502/)
  for (const place of ['a.example:443', 'a.example:443', 'a.example:444']) await ask(place)
  expect(outcomes).toEqual(['unreachable'])
  expect(refusals).toEqual([true, false, true])
})

test('answers 502 for a name that leads nowhere', async () => {
  const { port, ask } = await world(async () => {
    throw new Error('ENOTFOUND')
  })
  expect(await ask(`CONNECT bank.example:${port} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1\.1 502/)
})

test.each([
  ['93.184.216.34', false],
  ['2606:2800:220:1::1', false],
  ['100.64.0.1', true],
  ['172.31.255.255', true],
  ['224.0.0.1', true],
  ['255.255.255.255', true],
  ['0.0.0.0', true],
  ['::', true],
  ['64:ff9b::7f00:1', true],
  ['2002:7f00:1::', true],
  ['fe80::1', true],
  ['nonsense', true],
])('%s is private: %s', (address, expected) => {
  expect(isPrivate(address)).toBe(expected)
})
