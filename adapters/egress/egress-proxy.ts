import { lookup as dnsLookup } from 'node:dns/promises'
import { createServer } from 'node:http'
import { type AddressInfo, BlockList, connect, isIP, type Socket } from 'node:net'
import type { Reach } from '#core/egress-reach.ts'
import { CountersignError } from '#core/errors.ts'
import type { Egress, EgressOptions } from '#core/ports/egress.ts'

const MAX_CONNECTIONS = 64
const MAX_TOLD = 200
const IDLE_MS = 120_000
const CONNECT_MS = 15_000
const LOCAL_NAME = 'localhost'

/**
 * The only way out of a browser that pays, and of the cloud's containers: tunnels (CONNECT) to the named hosts and ports,
 * and nothing else, whoever asks. A name is looked up here, and reached only when none of its addresses is of this
 * machine or of a private network (`localhost`, where a script names it, is this machine), or the list says that it
 * may be. What goes through is not looked into. 200: there is a connection; any other answer: nothing went out.
 */
export async function startEgress({
  reach,
  host,
  port,
  lookup = allAddresses,
  maxConnections = MAX_CONNECTIONS,
  idleMs = IDLE_MS,
  onRefused,
  onAllowed,
}: EgressOptions): Promise<Egress> {
  const open = new Set<Socket>()
  const told = new Set<string>()
  const tell = (asked: string) => {
    const short = asked.replace(/[^\x20-\x7e]/g, '?').slice(0, 100)
    const isFirst = !told.has(short) && told.size < MAX_TOLD
    if (isFirst) told.add(short)
    onRefused?.(short, isFirst)
  }
  const hold = (socket: Socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.setTimeout(idleMs, () => socket.destroy())
  }
  const server = createServer({ maxHeaderSize: 4096 }, (request, response) => {
    tell(`${request.method} ${request.url}`)
    response.writeHead(403, { connection: 'close' }).end()
  })
  server.on('connection', hold)
  server.on('connect', (request, client: Socket, first: Buffer) => {
    const asked = request.url ?? ''
    const refuse = () => {
      tell(`CONNECT ${asked}`)
      client.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n')
    }
    const fail = () => {
      onAllowed?.('unreachable')
      client.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n')
    }
    const place = readTarget(asked)
    const target = reach.find((one) => one.host === place?.host && one.port === place.port)
    if (!target) return refuse()
    if (open.size > maxConnections) return client.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n')
    addressOf(target, lookup).then((address) => {
      if (address === undefined) return refuse()
      tunnel(client, first, { address, port: target.port }, { hold, fail, done: () => onAllowed?.('opened') })
    }, fail)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new CountersignError('ERR_CONFIG_INVALID', `cannot listen on ${host}:${port} for the way out`, { cause })),
    )
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function tunnel(
  client: Socket,
  first: Buffer,
  { address, port }: { readonly address: string; readonly port: number },
  { hold, fail, done }: { hold(socket: Socket): void; fail(): void; done(): void },
): void {
  const server = connect({ host: address, port })
  hold(server)
  const late = setTimeout(() => server.destroy(), CONNECT_MS)
  let isOpen = false
  server.once('connect', () => {
    clearTimeout(late)
    isOpen = true
    done()
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    if (first.length > 0) server.write(first)
    server.pipe(client).pipe(server)
  })
  server.once('close', () => {
    clearTimeout(late)
    if (isOpen) client.destroy()
    else fail()
  })
  client.once('close', () => server.destroy())
}

function readTarget(asked: string): Reach | undefined {
  const match = /^(?<host>[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9])?):(?<port>[1-9]\d{0,4})$/i.exec(asked)
  const { host, port } = match?.groups ?? {}
  return host === undefined ? undefined : { host: host.toLowerCase(), port: Number(port) }
}

/** The address to connect to; undefined when it leads where nothing of the list can be. Throws when it leads nowhere. */
async function addressOf(
  { host, ...reach }: Reach,
  lookup: (name: string) => Promise<readonly string[]>,
): Promise<string | undefined> {
  if (host === LOCAL_NAME) return '127.0.0.1'
  const addresses = isIP(host) === 0 ? await lookup(host) : [host]
  return addresses.every((one) => mayLeadTo(one, reach)) ? addresses[0] : undefined
}

/** Whether a name of the list may lead to this address. */
export function mayLeadTo(address: string, { isPrivate: mayBePrivate }: Pick<Reach, 'isPrivate'>): boolean {
  if (isIP(address) === 0) return false
  return mayBePrivate ? !isNowhere(address) : !isPrivate(address)
}

async function allAddresses(name: string): Promise<string[]> {
  return (await dnsLookup(name, { all: true })).map(({ address }) => address)
}

function networks(family: 'ipv4' | 'ipv6', ...all: readonly string[]): BlockList {
  const list = new BlockList()
  for (const [network = '', bits] of all.map((one) => one.split('/'))) list.addSubnet(network, Number(bits), family)
  return list
}

/** Every network that is not the public internet (IANA's registries of special-purpose addresses). */
const PRIVATE = networks(
  'ipv4',
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/3'],
)
/** Of IPv6 only what is handed out as public, without the ways in which it can hold an address of the above. */
const PUBLIC6 = networks('ipv6', '2000::/3')
const HOLDS_OTHERS = networks('ipv6', '2001::/23', '2001:db8::/32', '2002::/16')

export function isPrivate(address: string): boolean {
  if (isIP(address) === 4) return PRIVATE.check(address, 'ipv4')
  return !PUBLIC6.check(address, 'ipv6') || HOLDS_OTHERS.check(address, 'ipv6')
}

/** What no name may lead to, private or not: this machine, and what a cloud tells its machines (among it their credentials). */
const NOWHERE4 = networks('ipv4', '0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3')
/** Apart: an address of IPv4 would be found under those of IPv6 that hold one. */
const NOWHERE6 = networks('ipv6', '::/64', '64:ff9b::/32', '2002::/16', 'fd00:ec2::/32', 'fe80::/10', 'ff00::/8')

function isNowhere(address: string): boolean {
  return isIP(address) === 4 ? NOWHERE4.check(address, 'ipv4') : NOWHERE6.check(address, 'ipv6')
}
