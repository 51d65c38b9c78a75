import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Zone } from '#core/zone-policy.ts'
import { Supervisor, type SupervisorHooks } from '#runtime/supervisor.ts'
import type { ZoneHome } from '../cli/zone-home.ts'
import { cacheFolder } from './debian-packages.ts'
import type { Mailbox } from './mailbox/mailbox.ts'
import { startMailbox } from './mailbox/start-mailbox.ts'
import { type MadeZone, makeZones } from './make-zones.ts'
import { type Reaper, removeFolder, startReaper } from './reaper.ts'
import { findRedis, type RedisFound, type RedisSource, redisCommand } from './redis.ts'
import { until } from './until.ts'
import { type ZoneProcesses, zoneProcesses } from './zone-processes.ts'

export type WorldOptions = {
  /** Both zones, the hub and the logs stand in here. Made when absent. */
  readonly root: string
  /** Removed at the end, also after a SIGKILL; only for folders named by WORLD_PREFIX. */
  readonly isTemporary: boolean
  readonly undoMs: number
  readonly redis: readonly RedisSource[]
  readonly mailbox: 'auto' | 'container' | 'dev'
  readonly env: Readonly<Record<string, string | undefined>>
  readonly say: (line: string) => void
  readonly signal: AbortSignal
  /** For the cloud zone: which model it asks, say. */
  readonly cloudSettings?: Readonly<Record<string, string>>
  readonly localSettings?: Readonly<Record<string, string>>
  /** Files below `secrets/` of a zone, besides those of the mailbox. */
  readonly secrets?: Readonly<Record<Zone, Readonly<Record<string, string>>>>
  readonly onEvent?: NonNullable<SupervisorHooks['onEvent']>
}

/** Both zones on this machine. Disposing it drains every process and leaves nothing running. */
export type World = AsyncDisposable & {
  readonly root: string
  readonly homes: Readonly<Record<Zone, ZoneHome>>
  /** The hub's bare repository. */
  readonly hub: string
  readonly mailbox: Mailbox
  readonly supervisor: Supervisor
  /** Where each zone answers: its Redis, and `http://127.0.0.1:port` by service. */
  readonly reach: Readonly<Record<Zone, Pick<ZoneProcesses, 'redis' | 'urls'>>>
  /** One line a fact: which Redis, which mail server. */
  readonly facts: readonly string[]
  /** Resolves when every service of the zone is ready. */
  startZone(zone: Zone): Promise<void>
  stopZone(zone: Zone): Promise<void>
  /** SIGKILL, as the kernel's out-of-memory killer would: `cloud/sync`, `local/redis`. */
  kill(name: string): Promise<void>
  flushRedis(zone: Zone): Promise<void>
}

const READY_LIMIT_MS = 60_000
/** What a child needs of our own environment: to find programs, its home, the language and the Docker engine. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'TZ', 'DOCKER_HOST', 'DOCKER_CONTEXT', 'XDG_RUNTIME_DIR']

/**
 * Brings up hub, homes and mailbox, and starts no zone yet. Everything that comes to be is registered with the reaper
 * first, so that even a SIGKILL of this process leaves nothing behind.
 */
export async function openWorld(options: WorldOptions): Promise<World> {
  await using opening = new AsyncDisposableStack()
  const reaper = startReaper()
  opening.defer(() => reaper.close())
  if (options.isTemporary) {
    reaper.add({ folder: options.root })
    opening.defer(() => removeFolder(options.root))
  }
  await mkdir(join(options.root, 'tmp'), { recursive: true, mode: 0o700 })
  const { env, say } = options
  const redis = await findRedis({ sources: options.redis, env, say })
  const mailbox = opening.use(
    await startMailbox({ kind: options.mailbox, say, onContainer: (container) => reaper.add({ container }) }),
  )
  const supervisor = superviseWith(reaper, options)
  const killAll = () => supervisor.killAll()
  process.once('exit', killAll)
  opening.defer(() => void process.off('exit', killAll))
  opening.defer(() => supervisor.stopAll())
  const zones = await makeZones({
    ...{ root: options.root, undoMs: options.undoMs, mailbox },
    settings: { cloud: options.cloudSettings ?? {}, local: options.localSettings ?? {} },
    secrets: options.secrets ?? { cloud: {}, local: {} },
  })
  const running = await planProcesses(options, zones, redis)
  for (const { container } of Object.values(running)) if (container) reaper.add({ container })
  const resources = opening.move()
  return {
    root: options.root,
    homes: { cloud: zones.cloud.home, local: zones.local.home },
    hub: join(zones.cloud.home.hub, 'vault.git'),
    mailbox,
    supervisor,
    reach: running,
    facts: [`Redis: ${redis.label}`, `Mail: ${mailbox.describe}`],
    startZone: (zone) => startZone(running[zone], supervisor, options.signal),
    async stopZone(zone) {
      const specs = [...running[zone].services].sort((a, b) => b.tier - a.tier)
      for (const spec of specs) await supervisor.stop(spec.name)
      await supervisor.stop(running[zone].redisSpec.name)
    },
    kill: (name) => kill(name, supervisor, running),
    async flushRedis(zone) {
      const { port, password } = running[zone].redis
      await redisCommand(port, password, 'FLUSHALL')
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** A supervisor whose children the reaper knows. */
function superviseWith(reaper: Reaper, { onEvent }: WorldOptions): Supervisor {
  return new Supervisor({
    onSpawn: (group) => reaper.add({ group }),
    onGone: (group) => reaper.remove({ group }),
    ...(onEvent ? { onEvent } : {}),
  })
}

async function planProcesses(
  options: WorldOptions,
  zones: Record<Zone, MadeZone>,
  redis: RedisFound,
): Promise<Record<Zone, ZoneProcesses>> {
  const { root } = options
  const world = { root, redis, logs: join(root, 'logs'), env: childEnvironment(options) }
  const plan = ({ home, ports }: MadeZone) => zoneProcesses(home, ports, { ...world, data: join(home.root, 'redis') })
  return { cloud: await plan(zones.cloud), local: await plan(zones.local) }
}

function childEnvironment({ root, env }: WorldOptions): Record<string, string> {
  return {
    ...Object.fromEntries(INHERITED.flatMap((name) => (env[name] ? [[name, env[name] as string]] : []))),
    // What a killed process leaves in its temporary folder goes with the world.
    TMPDIR: join(root, 'tmp'),
    // A third off each start from the second run on.
    NODE_COMPILE_CACHE: cacheFolder(env, 'compile'),
  }
}

async function startZone(zone: ZoneProcesses, supervisor: Supervisor, signal: AbortSignal): Promise<void> {
  const limits = { limitMs: READY_LIMIT_MS, signal }
  await supervisor.start(zone.redisSpec)
  const { port, password } = zone.redis
  await until(
    `${zone.redis.name} to answer`,
    async () => (await redisCommand(port, password, 'PING')).includes('PONG'),
    limits,
  )
  for (const spec of zone.services) await supervisor.start(spec)
  for (const [name, url] of Object.entries(zone.urls)) {
    const what = `${name} to be ready (its log: ${zone.services.find((spec) => spec.livezUrl === `${url}/livez`)?.logFile})`
    await until(what, async () => (await fetch(`${url}/readyz`)).ok, limits)
  }
}

async function kill(name: string, supervisor: Supervisor, zones: Record<Zone, ZoneProcesses>): Promise<void> {
  const container = Object.values(zones).find((zone) => zone.redis.name === name)?.container
  if (container) {
    await promisify(execFile)('docker', ['kill', '--signal', 'KILL', container])
    return
  }
  const pid = supervisor.state().find((one) => one.name === name)?.pid
  if (pid) process.kill(pid, 'SIGKILL')
}
