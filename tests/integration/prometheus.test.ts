import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GenericContainer } from 'testcontainers'
import { expect, it, onTestFinished } from 'vitest'
import { parse, stringify } from 'yaml'
import { HealthState } from '#runtime/health-state.ts'
import { createHttp, listen } from '#runtime/http.ts'
import { createMetrics, METRICS, type Metrics } from '#runtime/metrics.ts'
import { freePorts } from '../../demo/free-ports.ts'
import { ALERTS } from '../../grafana/source/alerts.ts'
import { DASHBOARDS } from '../../grafana/source/dashboards.ts'
import { RECORDING_RULES } from '../../grafana/source/promises.ts'
import { startWatchedRedis } from '../support/watched-redis.ts'

const folder = join(import.meta.dirname, '../../prometheus')
const image =
  /image: (prom\/prometheus:\S+)/.exec(readFileSync(join(folder, '../compose.cloud.yml'), 'utf8'))?.[1] ?? ''
const LIMIT = { timeout: 60_000, interval: 500 }

type Told = Record<'count' | 'set' | 'since' | 'observe', (name: string, value: unknown, labels?: object) => void>

/** Tells something of every metric, under each value of each label in turn. */
function tellAll(metrics: Metrics): void {
  const told = metrics as unknown as Told
  for (const [name, { kind, labels }] of Object.entries(METRICS)) {
    const values = Object.entries(labels) as [string, readonly string[] | 'open'][]
    const most = Math.max(1, ...values.map(([, known]) => known.length))
    for (let index = 0; index < most; index++) {
      const one = values.map(([label, known]) => [label, known === 'open' ? anyOf(label) : known[index % known.length]])
      const chosen = Object.fromEntries(one)
      if (kind === 'counter') told.count(name, chosen)
      if (kind === 'gauge') told.set(name, Date.now() / 1000, chosen)
      if (kind === 'age') told.since(name, Date.now(), chosen)
      if (kind === 'histogram') told.observe(name, 1, chosen)
    }
  }
}

/** A value of an open vocabulary: the one that an alert asks for, or any. */
function anyOf(label: string): string {
  return label === 'rule' ? 'local-only-path' : 'x'
}

/** Every series that an expression names, with the labels it asks for. */
function seriesIn(expr: string): string[] {
  return [...expr.matchAll(/\b(?:(?:countersign|node|redis|process)_\w+|up\b)(?:\{[^}]*\})?/g)].map(
    ([series]) => series,
  )
}

it('a real Prometheus answers every panel and evaluates every rule on what services and exporters serve', async () => {
  await using stack = new AsyncDisposableStack()
  const watched = stack.use(await startWatchedRedis('redis-exporter', 'node-exporter'))
  const processes = [
    createMetrics({ service: 'sync', zone: 'cloud', version: '0.1.0' }),
    createMetrics({ service: 'executor', zone: 'local', version: '0.1.0' }),
    createMetrics({ service: 'backup', zone: 'cloud', version: '0.1.0' }),
  ]
  const targets: string[] = []
  for (const metrics of processes) {
    const { port } = stack.use(await listen(createHttp(new HealthState(), metrics), '127.0.0.1', 0))
    targets.push(`127.0.0.1:${port}`)
  }
  const telling = setInterval(() => processes.forEach(tellAll), 300)
  stack.defer(() => clearInterval(telling))

  const [port = 0] = await freePorts(1)
  const settings = mkdtempSync(join(tmpdir(), 'countersign-prometheus-'))
  onTestFinished(() => rmSync(settings, { recursive: true }))
  const config = parse(readFileSync(join(folder, 'prometheus.yml'), 'utf8'))
  config.global = { scrape_interval: '1s', evaluation_interval: '1s' }
  const targetsOf = (job: string) =>
    config.scrape_configs.find(({ job_name }: { job_name: string }) => job_name === job).static_configs[0]
  targetsOf('countersign').targets = targets
  for (const job of ['machine', 'redis'])
    for (const [index, target] of targetsOf(job).targets.entries()) {
      const [name, ofPort] = target.split(':')
      targetsOf(job).targets[index] = `${await watched.address(name)}:${ofPort}`
    }
  writeFileSync(join(settings, 'prometheus.yml'), stringify(config))
  mkdirSync(join(settings, 'rules'))
  for (const name of readdirSync(join(folder, 'rules'))) {
    const rules = parse(readFileSync(join(folder, 'rules', name), 'utf8'))
    rules.groups[0].interval = '1s'
    writeFileSync(join(settings, 'rules', name), stringify(rules))
  }
  for (const path of [settings, join(settings, 'rules')]) chmodSync(path, 0o755)
  stack.use(
    await new GenericContainer(image)
      .withNetworkMode('host')
      .withBindMounts([{ source: settings, target: '/etc/prometheus', mode: 'ro' }])
      .withCommand([
        '--config.file=/etc/prometheus/prometheus.yml',
        '--storage.tsdb.path=/tmp/prometheus',
        `--web.listen-address=127.0.0.1:${port}`,
      ])
      .start(),
  )

  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)
    return ((await response.json()) as { data: { result: unknown[]; groups: { rules: { health: string }[] }[] } }).data
  }
  const panels = DASHBOARDS.flatMap(({ title, panels }) =>
    panels.flatMap(({ title: panel, queries = [] }) => queries.map(([expr]) => ({ what: `${title}, ${panel}`, expr }))),
  )
  // An alert is silent while all is well; what it asks about must be there all the same.
  const asked = ALERTS.flatMap(({ name, query }) => seriesIn(query).map((expr) => ({ what: `${name}: ${expr}`, expr })))
  const empty = async () => {
    const answers = [...panels, ...asked].map(async ({ what, expr }) => {
      const { result } = await ask(`query?query=${encodeURIComponent(expr)}`)
      return result.length > 0 ? [] : [what]
    })
    return (await Promise.all(answers)).flat()
  }
  await expect.poll(() => empty().catch((error: unknown) => String(error)), LIMIT).toEqual([])
  const health = async () => (await ask('rules')).groups.flatMap(({ rules }) => rules.map((rule) => rule.health))
  const all = Array.from({ length: ALERTS.length + RECORDING_RULES.length }, () => 'ok')
  await expect.poll(health, LIMIT).toEqual(all)
})
