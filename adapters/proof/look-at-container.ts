import { readdirSync, readFileSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join, relative } from 'node:path'
import { SOURCES_MARK } from '#core/acting-code.ts'
import type { Attempt, ContainerLook } from '#core/ports/container-look.ts'

export interface ContainerOptions {
  /** Names of settings in the environment; their values are not looked at. */
  readonly settings: readonly string[]
  /** `host:port` places outside that nothing here should reach. */
  readonly outside: readonly string[]
  /** The way out, `host:port`, and what to ask it for. */
  readonly egress?: string | undefined
  readonly askedOfEgress: readonly string[]
  /** The root of the file system, and how long a connection may take; for tests. */
  readonly root?: string
  readonly limitMs?: number
}

const LIMIT_MS = 3_000
/** Of a program its last line is read. */
const MAX_SOURCES = 1024 * 1024
const SECRET_FOLDERS = [
  'run/secrets',
  'zone/keys',
  'zone/secrets',
  'zone/social',
  'zone/banks',
  'zone/whatsapp',
  'zone/mailboxes',
]
const ZONE_FILES = /^\.env/
const SOCKETS = ['run/docker.sock', 'var/run/docker.sock', 'run/containerd/containerd.sock', 'run/podman/podman.sock']
/** Whatever it is mounted as. */
const MOUNTED_SOCKET = /(?:docker|containerd|podman|crio?)[^/]*\.sock$/
const BROWSERS = [
  ...[
    'usr/bin/chromium',
    'usr/bin/chromium-browser',
    'usr/lib/chromium',
    'usr/bin/google-chrome',
    'usr/bin/firefox-esr',
  ],
  ...['app/node_modules/whatsapp-web.js', 'app/node_modules/@playwright', 'app/node_modules/puppeteer-core'],
]

/** Looks around in the container that this process runs in, and tries its ways out. Changes nothing. */
export async function lookAtContainer(options: ContainerOptions): Promise<ContainerLook> {
  const { root = '/', limitMs = LIMIT_MS, egress } = options
  const at = (path: string) => join(root, path)
  const status = linesOf(at('proc/self/status'))
  const field = (name: string) =>
    status
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim()
  const all = <T>(places: readonly string[], look: (place: string) => Promise<T>) => Promise.all(places.map(look))
  return {
    secrets: secretsIn(at),
    settings: options.settings.filter((name) => name.startsWith('COUNTERSIGN_')).sort(),
    sockets: [
      ...new Set([...SOCKETS.filter((path) => isThere(at(path))).map((path) => `/${path}`), ...mountedSockets(at)]),
    ],
    uid: Number(field('Uid')?.split(/\s+/)[0] ?? process.getuid?.() ?? -1),
    capabilities: field('CapEff'),
    noNewPrivileges: field('NoNewPrivs') === undefined ? undefined : field('NoNewPrivs') === '1',
    sources: await sourcesIn(at('app')),
    browsers: BROWSERS.filter((path) => isThere(at(path))).map((path) => `/${path}`),
    ports: listeningPorts([...linesOf(at('proc/net/tcp')), ...linesOf(at('proc/net/tcp6'))]),
    direct: await all(options.outside, (place) => tryConnection(place, limitMs)),
    through: egress ? await all(options.askedOfEgress, (place) => askEgress(egress, place, limitMs)) : [],
  }
}

function secretsIn(at: (path: string) => string): ContainerLook['secrets'] {
  const found = SECRET_FOLDERS.flatMap((folder) => filesIn(at(folder), true).map((path) => `${folder}/${path}`))
  const zone = filesIn(at('zone')).filter((name) => ZONE_FILES.test(name))
  return [...found, ...zone.map((name) => `zone/${name}`)]
    .map((path) => ({ path: `/${path}`, isEmpty: sizeOf(at(path)) === 0 }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** A socket that was mounted under any name: the kernel says what it was on the machine. */
function mountedSockets(at: (path: string) => string): string[] {
  return linesOf(at('proc/self/mountinfo')).flatMap((line) => {
    const [, , , source = '', target = ''] = line.split(' ')
    return MOUNTED_SOCKET.test(source) || MOUNTED_SOCKET.test(target) ? [target] : []
  })
}

/** The source files that each program says it was made of. */
async function sourcesIn(folder: string): Promise<ContainerLook['sources']> {
  const programs = filesIn(folder).filter((name) => name.endsWith('.mjs'))
  return Promise.all(
    programs.sort().map(async (program) => ({ program, files: sourcesOf(await endOf(join(folder, program))) })),
  )
}

function sourcesOf(end: string): string[] {
  const at = end.lastIndexOf(SOURCES_MARK)
  try {
    const files: unknown = JSON.parse(end.slice(at + SOURCES_MARK.length))
    return at >= 0 && Array.isArray(files) ? files.map(String) : []
  } catch {
    return [] // a program of somebody else's
  }
}

async function endOf(path: string): Promise<string> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  const length = Math.min(size, MAX_SOURCES)
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
  return buffer.toString('utf8')
}

/** As the kernel writes them, four bytes at a time and each four backwards: 127.…, ::1, ::ffff:127.… */
const LOOPBACK = /^(?:[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F)$/

/** Of the kernel's table: what listens on an address that others can reach. */
function listeningPorts(lines: readonly string[]): number[] {
  const ports = lines.flatMap((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/)
    const [address = '', port = ''] = local.split(':')
    return state === '0A' && !LOOPBACK.test(address) ? [Number.parseInt(port, 16)] : []
  })
  return [...new Set(ports)].sort((a, b) => a - b)
}

function tryConnection(place: string, limitMs: number): Promise<Attempt> {
  return attempt(place, place, limitMs, (socket, end) => socket.once('connect', () => end('connected')))
}

/** The status that the way out answers; 200 would be a tunnel. */
function askEgress(egress: string, place: string, limitMs: number): Promise<Attempt> {
  return attempt(place, egress, limitMs, (socket, end) =>
    socket
      .once('connect', () => socket.write(`CONNECT ${place} HTTP/1.1\r\nhost: ${place}\r\n\r\n`))
      .once('data', (data) => end(/^HTTP\/1\.1 (\d{3})/.exec(String(data))?.[1] ?? 'no answer of a proxy'))
      .once('close', () => end('no answer')),
  )
}

/** What becomes of a connection `to` somewhere. */
function attempt(
  place: string,
  to: string,
  limitMs: number,
  watch: (socket: Socket, end: (outcome: string) => void) => void,
): Promise<Attempt> {
  return new Promise((resolve) => {
    const socket = connect({ ...split(to), timeout: limitMs })
    const end = (outcome: string) => {
      socket.destroy()
      resolve({ place, outcome })
    }
    watch(socket, end)
    socket.once('timeout', () => end('no answer'))
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  })
}

function split(place: string): { host: string; port: number } {
  const at = place.lastIndexOf(':')
  return { host: place.slice(0, at), port: Number(place.slice(at + 1)) }
}

/** By their paths in the folder. */
function filesIn(folder: string, recursive = false): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
  } catch {
    return [] // no such folder
  }
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return [] // not on this system
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size
  } catch {
    return 0
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
