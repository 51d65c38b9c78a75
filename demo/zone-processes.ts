import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Zone } from '#core/zone-policy.ts'
import type { ProcessSpec } from '#runtime/supervisor.ts'
import { environmentOf, type ZoneHome } from '../cli/zone-home.ts'
import { freePorts } from './free-ports.ts'
import { type RedisFound, type RedisInstance, redisContainer, redisProcess } from './redis.ts'

const REPOSITORY = join(import.meta.dirname, '..')

/** The services of each zone, in the order they are started; `tier` 0 is Redis, the highest is stopped first. */
const SERVICES: Record<Zone, readonly { readonly name: string; readonly tier: number }[]> = {
  cloud: [
    { name: 'sync', tier: 1 },
    { name: 'drafter', tier: 2 },
    { name: 'triage', tier: 2 },
    { name: 'health', tier: 3 },
  ],
  local: [
    { name: 'sync', tier: 1 },
    { name: 'drafter', tier: 2 },
    { name: 'executor', tier: 2 },
    { name: 'health', tier: 3 },
  ],
}
const DRAIN_MS = 5_000
/** As in the images: small heaps, collected often. */
export const NODE_FLAGS = ['--max-semi-space-size=1', '--optimize-for-size', '--disable-warning=ExperimentalWarning']

/** What runs for one zone on this machine. */
export type ZoneProcesses = {
  readonly redis: RedisInstance
  readonly redisSpec: ProcessSpec
  /** The container that Redis runs in, if it does. */
  readonly container: string | undefined
  readonly services: readonly ProcessSpec[]
  /** `http://127.0.0.1:port` by service. */
  readonly urls: Readonly<Record<string, string>>
}

/** The ports one zone needs: Redis and each service's own. */
export type ZonePorts = { readonly redis: number; readonly http: Readonly<Record<string, number>> }

/** Of both zones, all different. */
export async function zonePorts(): Promise<Record<Zone, ZonePorts>> {
  const free = await freePorts(2 + SERVICES.cloud.length + SERVICES.local.length)
  const next = () => free.pop() ?? 0
  const portsOf = (zone: Zone) => ({
    redis: next(),
    http: Object.fromEntries(SERVICES[zone].map(({ name }) => [name, next()])),
  })
  return { cloud: portsOf('cloud'), local: portsOf('local') }
}

/** Puts together what has to run for a zone. Nothing is started here. */
export async function zoneProcesses(
  home: ZoneHome,
  ports: ZonePorts,
  world: {
    readonly root: string
    readonly redis: RedisFound
    readonly logs: string
    readonly data: string
    readonly env: Record<string, string>
  },
): Promise<ZoneProcesses> {
  const { zone } = home
  const instance: RedisInstance = {
    name: `${zone}/redis`,
    port: ports.redis,
    password: await readFile(join(home.secrets, 'redis-password'), 'utf8'),
    dataDir: world.data,
    logFile: join(world.logs, `${zone}-redis.log`),
    world: world.root,
  }
  const urls = Object.fromEntries(Object.entries(ports.http).map(([name, port]) => [name, `http://127.0.0.1:${port}`]))
  const watched = Object.entries(urls).filter(([name]) => name !== 'health')
  const shared = {
    ...world.env,
    ...environmentOf(home),
    COUNTERSIGN_REDIS_URL: `redis://127.0.0.1:${ports.redis}`,
    COUNTERSIGN_SKILLS: join(REPOSITORY, 'skills'),
    COUNTERSIGN_HEALTH_TARGETS: watched.map(([name, url]) => `${name}=${url}`).join(','),
    COUNTERSIGN_DRAIN_MS: String(DRAIN_MS),
  }
  return {
    redis: instance,
    redisSpec: redisProcess(world.redis, instance, world.env),
    container: redisContainer(world.redis, instance),
    urls,
    services: SERVICES[zone].map(({ name, tier }) => ({
      name: `${zone}/${name}`,
      command: process.execPath,
      args: [...NODE_FLAGS, join(REPOSITORY, 'services', name, 'main.ts')],
      cwd: REPOSITORY,
      env: { ...shared, COUNTERSIGN_HTTP_PORT: String(ports.http[name]) },
      logFile: join(world.logs, `${zone}-${name}.log`),
      tier,
      livezUrl: `${urls[name]}/livez`,
      drainMs: DRAIN_MS + 2_000,
    })),
  }
}
