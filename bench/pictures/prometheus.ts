import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GenericContainer } from 'testcontainers'
import { stringify } from 'yaml'
import { freePorts } from '../../demo/free-ports.ts'
import type { World } from '../../demo/world.ts'

const root = join(import.meta.dirname, '../..')

export interface Series {
  readonly metric: Readonly<Record<string, string>>
  /** Seconds since the epoch, and the value. */
  readonly values: readonly (readonly [number, number])[]
}

/** A Prometheus that looks at both zones, at this machine and at both Redis, with the rules of the compose files. */
export interface Watching extends AsyncDisposable {
  /** As a stat asks: one value a series. */
  now(expr: string): Promise<Series[]>
  /** As a graph asks; times in seconds. */
  over(expr: string, from: number, to: number): Promise<Series[]>
}

/** Of the images of compose.cloud.yml, on the host's network. */
export async function watchWorld(world: World): Promise<Watching> {
  await using opening = new AsyncDisposableStack()
  const compose = await readFile(join(root, 'compose.cloud.yml'), 'utf8')
  const imageOf = (name: string) => new RegExp(`image: (\\S*${name}:\\S+)`).exec(compose)?.[1] ?? name
  const [port = 0, machine = 0, cloudRedis = 0, localRedis = 0] = await freePorts(4)
  const start = async (name: string, command: string[], mounts: Record<string, string> = {}) => {
    const container = await new GenericContainer(imageOf(name))
      .withNetworkMode('host')
      .withBindMounts(Object.entries(mounts).map(([source, target]) => ({ source, target, mode: 'ro' })))
      .withCommand(command)
      .start()
    opening.use(container)
  }
  // On the host's own network it sees the host's figures without being given them.
  await start('node-exporter', [
    `--web.listen-address=127.0.0.1:${machine}`,
    '--collector.netdev.device-exclude=^(lo|veth.*|br-.*|docker.*|ifb.*|virbr.*)$',
  ])
  for (const [zone, on] of [
    ['cloud', cloudRedis],
    ['local', localRedis],
  ] as const) {
    const { redis } = world.reach[zone]
    await start('redis_exporter', [
      ...[`--redis.addr=redis://127.0.0.1:${redis.port}`, `--redis.password=${redis.password}`],
      ...[`--web.listen-address=127.0.0.1:${on}`, '--config-command=-'],
    ])
  }
  const target = (service: string, zone: string, of: number | string) => ({
    targets: [`127.0.0.1:${of}`],
    labels: { zone, service },
  })
  const services = (['cloud', 'local'] as const).flatMap((zone) =>
    Object.entries(world.reach[zone].urls).map(([name, url]) => target(name, zone, new URL(url).port)),
  )
  const redis = [target('redis-exporter', 'cloud', cloudRedis), target('redis-exporter', 'local', localRedis)]
  const settings = await mkdtemp(join(tmpdir(), 'countersign-pictures-'))
  opening.defer(() => rm(settings, { recursive: true, force: true }))
  await chmod(settings, 0o755)
  await writeFile(
    join(settings, 'prometheus.yml'),
    stringify({
      global: { scrape_interval: '5s', evaluation_interval: '5s' },
      rule_files: ['/rules/*.yml'],
      scrape_configs: [
        { job_name: 'countersign', honor_labels: true, static_configs: services },
        { job_name: 'machine', static_configs: [target('node-exporter', 'cloud', machine)] },
        { job_name: 'redis', static_configs: redis },
      ],
    }),
  )
  await start(
    'prometheus',
    [
      '--config.file=/settings/prometheus.yml',
      '--storage.tsdb.path=/tmp/prometheus',
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { [settings]: '/settings', [join(root, 'prometheus/rules')]: '/rules' },
  )
  const resources = opening.move()
  const ask = async (path: string): Promise<{ metric: Record<string, string>; value?: Point; values?: Point[] }[]> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)
    const answer = (await response.json()) as { data?: { result: [] }; error?: string }
    if (!answer.data) throw new Error(answer.error)
    return answer.data.result
  }
  const series = (found: Awaited<ReturnType<typeof ask>>): Series[] =>
    found.map(({ metric, value, values = value ? [value] : [] }) => ({
      metric,
      values: values.map(([at, text]) => [at, Number(text)] as const).filter(([, number]) => Number.isFinite(number)),
    }))
  return {
    now: async (expr) => series(await ask(`query?query=${encodeURIComponent(expr)}`)),
    over: async (expr, from, to) =>
      series(await ask(`query_range?query=${encodeURIComponent(expr)}&start=${from}&end=${to}&step=5`)),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

type Point = readonly [at: number, value: string]
