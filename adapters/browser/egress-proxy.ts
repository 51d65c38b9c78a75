import { lookup as dnsLookup } from 'node:dns/promises'
import { createServer } from 'node:http'
import { type AddressInfo, BlockList, connect, isIP, type Socket } from 'node:net'
import type { Reach } from '#core/bank-script.ts'
import { CountersignError } from '#core/errors.ts'

export interface EgressOptions {
  /** Everything that can be reached; nothing else can. */
  readonly reach: readonly Reach[]
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** All addresses of a name. */
  readonly lookup?: (name: string) => Promise<readonly string[]>
  /** Called once for each thing that was refused, with what was asked for, shortened. */
  readonly onRefused?: (asked: string) => void
}

export interface Egress extends AsyncDisposable {
  readonly port: number
}

const MAX_CONNECTIONS = 64
const MAX_TOLD = 200
const IDLE_MS = 120_000
const CONNECT_MS = 15_000
const LOCAL_NAME = 'localhost'

/**
 * The only way out of a browser that pays: tunnels (CONNECT) to the named hosts and ports, and nothing else, whoever asks.
 * A host is a name, never a bare address, is looked up here, and reached only when none of its addresses is of this
 * machine or of a private network (`localhost`, where a script names it, is this machine). What goes through is TLS, which
 * is not looked into.
 */
export async function startEgress({
  reach,
  host,
  port,
  lookup = allAddresses,
  onRefused,
}: EgressOptions): Promise<Egress> {
  const open = new Set<Socket>()
  const told = new Set<string>()
  const tell = (asked: string) => {
    const short = asked.replace(/[^\x20-\x7e]/g, '?').slice(0, 100)
    if (told.has(short) || told.size >= MAX_TOLD) return
    told.add(short)
    onRefused?.(short)
  }
  const hold = (socket: Socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.setTimeout(IDLE_MS, () => socket.destroy())
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
    const target = readTarget(asked)
    if (!target || !reach.some((one) => one.host === target.host && one.port === target.port)) return refuse()
    if (open.size > MAX_CONNECTIONS) return refuse()
    addressOf(target.host, lookup).then(
      (address) => {
        if (address === undefined) return refuse()
        tunnel(client, first, { address, port: target.port }, hold)
      },
      () => client.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n'),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new CountersignError('ERR_CONFIG_INVALID', `cannot listen on ${host}:${port} for the browser`, { cause })),
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
  hold: (socket: Socket) => void,
): void {
  const server = connect({ host: address, port })
  hold(server)
  const late = setTimeout(() => server.destroy(), CONNECT_MS)
  server.once('connect', () => {
    clearTimeout(late)
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    if (first.length > 0) server.write(first)
    server.pipe(client).pipe(server)
  })
  server.once('close', () => {
    clearTimeout(late)
    client.destroy()
  })
  client.once('close', () => server.destroy())
}

function readTarget(asked: string): Reach | undefined {
  const match = /^(?<host>[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?):(?<port>[1-9]\d{0,4})$/i.exec(asked)
  const { host, port } = match?.groups ?? {}
  if (host === undefined || isIP(host) !== 0) return undefined
  return { host: host.toLowerCase(), port: Number(port) }
}

/** The address to connect to; undefined when the name leads where a bank cannot be. Throws when it leads nowhere. */
async function addressOf(
  host: string,
  lookup: (name: string) => Promise<readonly string[]>,
): Promise<string | undefined> {
  if (host === LOCAL_NAME) return '127.0.0.1'
  const addresses = await lookup(host)
  return addresses.every((one) => isIP(one) !== 0 && !isPrivate(one)) ? addresses[0] : undefined
}

async function allAddresses(name: string): Promise<string[]> {
  return (await dnsLookup(name, { all: true })).map(({ address }) => address)
}

/** Every network that is not the public internet (IANA's registries of special-purpose addresses). */
const PRIVATE = new BlockList()
for (const [network, bits] of [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
  ] as const),
  ...([
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 3],
  ] as const),
])
  PRIVATE.addSubnet(network, bits, 'ipv4')
/** Of IPv6 only what is handed out as public, without the ways in which it can hold an address of the above. */
const PUBLIC6 = new BlockList()
PUBLIC6.addSubnet('2000::', 3, 'ipv6')
const HOLDS_OTHERS = new BlockList()
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
] as const)
  HOLDS_OTHERS.addSubnet(network, bits, 'ipv6')

export function isPrivate(address: string): boolean {
  if (isIP(address) === 4) return PRIVATE.check(address, 'ipv4')
  return !PUBLIC6.check(address, 'ipv6') || HOLDS_OTHERS.check(address, 'ipv6')
}
