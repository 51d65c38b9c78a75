import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { StartedTestContainer } from 'testcontainers'
import { freePorts } from '../../demo/free-ports.ts'
import { makeHub, makeZones, type Zones } from './git-zones.ts'

/** A zone with its vault, in which the real sync service can be started and killed. */
export interface SyncProcess {
  readonly vault: string
  readonly state: string
  /** What the service is started with, but for its port. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** `under`: a program that runs it, with its arguments. */
  start(under?: readonly string[]): Promise<void>
  /** SIGKILL for the service and every git it runs. */
  kill(): Promise<void>
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>
  /** The command line on this zone, as in its container. */
  countersign(...args: string[]): Promise<{ code: number; answer: Record<string, unknown> }>
  read(path: string): string | undefined
  /** Vault-relative paths of all files but ledgers, sorted. */
  files(): string[]
  status(): Record<string, unknown>
  ready(): Promise<{ checks: Record<string, { ok: boolean; detail?: string }> }>
  readonly log: string[]
}

export function syncProcess(zones: Zones, zone: 'cloud' | 'local', hub: string, redisUrl: string): SyncProcess {
  const home = zones.home(zone)
  const [vault, state] = [join(home, 'vault'), join(home, 'state')]
  for (const dir of [vault, state]) mkdirSync(dir, { recursive: true })
  const log: string[] = []
  let child: ChildProcess | undefined
  let port = 0
  const end = async (signal: NodeJS.Signals) => {
    const ending = child
    if (!ending?.pid || ending.exitCode !== null || ending.signalCode !== null) return null
    const exited = once(ending, 'exit')
    // Its own process group: git dies with it, as they do with a container.
    process.kill(signal === 'SIGKILL' ? -ending.pid : ending.pid, signal)
    await exited
    return ending.exitCode
  }
  const env = {
    PATH: process.env.PATH,
    // What a start that ended in good order has compiled, the next ones need not.
    NODE_COMPILE_CACHE: resolve('node_modules/.cache/node'),
    COUNTERSIGN_ZONE: zone,
    COUNTERSIGN_AGENT: zone,
    COUNTERSIGN_VAULT: vault,
    COUNTERSIGN_STATE: state,
    COUNTERSIGN_KEYS: join(home, 'keys'),
    COUNTERSIGN_TRUST: join(home, 'trust'),
    COUNTERSIGN_HUB_URL: hub,
    COUNTERSIGN_REDIS_URL: redisUrl,
    COUNTERSIGN_SYNC_POLL_MS: '200',
    COUNTERSIGN_SYNC_RECONCILE_MS: '2000',
  }
  const files = () =>
    readdirSync(vault, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(vault.length + 1))
      .filter((path) => !path.startsWith('Logs/') && !path.includes('/.tmp-'))
      .sort()
  return {
    vault,
    state,
    env,
    log,
    async start(under = []) {
      ;[port = 0] = await freePorts(1)
      const [program = '', ...args] = [...under, process.execPath, resolve('services/sync/main.ts')]
      child = spawn(program, args, {
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...env, COUNTERSIGN_HTTP_PORT: String(port) },
      })
      for (const stream of [child.stdout, child.stderr])
        stream?.setEncoding('utf8').on('data', (text: string) => void log.push(text))
    },
    async kill() {
      await end('SIGKILL')
    },
    stop: () => end('SIGTERM'),
    countersign: (...args) =>
      new Promise((done) => {
        execFile(process.execPath, [resolve('cli/main.ts'), ...args, '--json'], { env }, (error, stdout) => {
          done({ code: error ? Number(error.code) : 0, answer: JSON.parse(stdout || '{}') })
        })
      }),
    read: (path) => (existsSync(join(vault, path)) ? readFileSync(join(vault, path), 'utf8') : undefined),
    files,
    status: () => JSON.parse(readFileSync(join(state, 'sync-status.json'), 'utf8')) as Record<string, unknown>,
    async ready() {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`)
      return (await answer.json()) as { checks: Record<string, { ok: boolean; detail?: string }> }
    },
  }
}

/** Both zones and their hub, each zone with a database of its own in this Redis. */
export async function syncPair(redis: StartedTestContainer) {
  const zones = await makeZones()
  const hub = await makeHub(zones)
  const url = `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`
  return {
    ...{ zones, hub },
    cloud: syncProcess(zones, 'cloud', hub, `${url}/0`),
    local: syncProcess(zones, 'local', hub, `${url}/1`),
  }
}

/** Waits until `look` gives something other than undefined or false; says what was waited for when it does not. */
export async function until<T>(what: string, look: () => T | Promise<T>, limitMs = 30_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + limitMs
  let last: unknown
  for (;;) {
    try {
      const found = await look()
      if (found !== undefined && found !== null && found !== false) return found as NonNullable<T>
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms for: ${what}`, { cause: last })
    await delay(30)
  }
}
