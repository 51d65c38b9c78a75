import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { platform } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { CountersignError } from '#core/errors.ts'
import type { ProcessSpec } from '#runtime/supervisor.ts'
import { cacheFolder, libraryPath, unpackPackages } from './debian-packages.ts'

const run = promisify(execFile)

/** A Redis that can be started here. */
export type RedisFound =
  | { readonly kind: 'binary'; readonly file: string; readonly libraryPath?: string; readonly label: string }
  | { readonly kind: 'docker'; readonly image: string; readonly label: string }

export const REDIS_SOURCES = ['path', 'docker', 'packages'] as const
export type RedisSource = (typeof REDIS_SOURCES)[number]

export type RedisSearch = {
  /** Where to look, in this order. */
  readonly sources: readonly RedisSource[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Told before anything that takes long or downloads something. */
  readonly say: (line: string) => void
}

const IMAGE = 'redis:8'
/** BullMQ asks for 6.2. */
const OLDEST = [6, 2] as const

/** Finds a Redis without installing a service on the machine. Throws ERR_REDIS_MISSING naming what to install. */
export async function findRedis(search: RedisSearch): Promise<RedisFound> {
  const tried: string[] = []
  for (const source of search.sources) {
    const found = await FINDERS[source](search)
    if (typeof found !== 'string') return found
    tried.push(found)
  }
  throw new CountersignError('ERR_REDIS_MISSING', `looked for a Redis to start: ${tried.join('; ')}`)
}

const FINDERS: Record<RedisSource, (search: RedisSearch) => Promise<RedisFound | string>> = {
  async path({ env }) {
    for (const folder of (env.PATH ?? '').split(delimiter)) {
      for (const name of ['redis-server', 'valkey-server']) {
        const label = folder === '' ? undefined : await usableVersion(join(folder, name))
        if (label) return { kind: 'binary', file: join(folder, name), label: `${join(folder, name)} (${label})` }
      }
    }
    return `no redis-server of ${OLDEST.join('.')} or newer on the PATH`
  },

  async docker({ say }) {
    try {
      await run('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 5_000 })
    } catch {
      return 'no Docker engine answers'
    }
    try {
      await run('docker', ['image', 'inspect', IMAGE], { timeout: 10_000 })
    } catch {
      say(`Fetching the image ${IMAGE} with Docker (once).`)
      try {
        await run('docker', ['pull', '-q', IMAGE], { timeout: 120_000 })
      } catch (error) {
        return `Docker could not fetch ${IMAGE} (${firstLine(error)})`
      }
    }
    return { kind: 'docker', image: IMAGE, label: `a container of ${IMAGE}` }
  },

  async packages({ env, say }) {
    if (platform() !== 'linux') return `no Debian packages on ${platform()}`
    const cache = cacheFolder(env, 'redis')
    const root = join(cache, 'root')
    const unpacked = { file: join(root, 'usr/bin/redis-server'), libraryPath: libraryPath(root) }
    const cached = await usableVersion(unpacked.file, unpacked.libraryPath)
    if (cached) return { kind: 'binary', ...unpacked, label: `${unpacked.file} (${cached})` }
    say(
      `Unpacking the system's redis-server packages into ${cache} (once; nothing is installed, no service is started).`,
    )
    try {
      await unpackPackages(cache, PACKAGES, LIBRARIES)
    } catch (error) {
      return `the system's packages could not be unpacked (${firstLine(error)})`
    }
    const label = await usableVersion(unpacked.file, unpacked.libraryPath)
    if (!label) return `the unpacked ${unpacked.file} does not run`
    return { kind: 'binary', ...unpacked, label: `${unpacked.file} (${label})` }
  },
}

const PACKAGES = ['redis-server', 'redis-tools']
/** What the packaged binary is linked with beyond a minimal Debian or Ubuntu; names differ between releases. */
const LIBRARIES = ['libjemalloc2', 'liblzf1', 'libatomic1', 'libssl3', 'libssl3t64', 'libsystemd0', 'libhiredis1.1.0']

async function usableVersion(file: string, libraryPath?: string): Promise<string | undefined> {
  try {
    const env = libraryPath ? { LD_LIBRARY_PATH: libraryPath } : {}
    const { stdout } = await run(file, ['--version'], { timeout: 5_000, env })
    const [, major = '0', minor = '0', rest = ''] = /v=(\d+)\.(\d+)(\S*)/.exec(stdout) ?? []
    const isNewEnough = Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1])
    return isNewEnough ? `${major}.${minor}${rest}` : undefined
  } catch {
    return undefined // not there, or does not run on this machine
  }
}

function firstLine(error: unknown): string {
  const text = (error as { stderr?: string }).stderr || String(error)
  return text.trim().split('\n')[0] ?? ''
}

export type RedisInstance = {
  readonly name: string
  readonly port: number
  readonly password: string
  readonly dataDir: string
  readonly logFile: string
  /** The world it belongs to: a label of its container. */
  readonly world: string
}

/** The container's name when this Redis is one. */
export function redisContainer(found: RedisFound, instance: RedisInstance): string | undefined {
  return found.kind === 'docker' ? `countersign-${instance.name.replaceAll('/', '-')}-${instance.port}` : undefined
}

/** How the supervisor runs it: loopback only, with a password that stands in no argument list, append-only file on. */
export function redisProcess(found: RedisFound, instance: RedisInstance, env: Record<string, string>): ProcessSpec {
  const common = { name: instance.name, logFile: instance.logFile, tier: 0, drainMs: 5_000 }
  const settings = [
    `requirepass ${instance.password}`,
    'maxmemory-policy noeviction',
    'save ""',
    'appendonly yes',
    'appendfsync always',
    'daemonize no',
  ]
  if (found.kind === 'binary') {
    const own = ['bind 127.0.0.1', `port ${instance.port}`, `dir ${instance.dataDir}`]
    return {
      ...common,
      command: found.file,
      args: ['-'],
      env: { ...env, ...(found.libraryPath ? { LD_LIBRARY_PATH: found.libraryPath } : {}) },
      stdin: [...settings, ...own, ''].join('\n'),
    }
  }
  const container = redisContainer(found, instance) as string
  const published = `127.0.0.1:${instance.port}:6379`
  return {
    ...common,
    command: 'docker',
    args: [
      ...['run', '--rm', '-i', '--name', container, '--label', `countersign.world=${instance.world}`],
      ...['-p', published, found.image, 'redis-server', '-'],
    ],
    env,
    stdin: [...settings, ''].join('\n'),
    // The client may be killed while its container lives on and holds the name and the port.
    beforeSpawn: () => removeContainer(container),
  }
}

export async function removeContainer(name: string): Promise<void> {
  await run('docker', ['rm', '-f', '-v', name], { timeout: 30_000 }).catch(() => {}) // there was none
}

/** Sends one or more inline commands after AUTH and gives the raw answer. Rejects when nobody answers within 2 s. */
export function redisCommand(port: number, password: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`AUTH ${password}\r\n${command}\r\nQUIT\r\n`))
    let answer = ''
    socket.setTimeout(2_000, () => socket.destroy(new Error(`Redis on port ${port} gave no answer in 2 s`)))
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
  })
}
