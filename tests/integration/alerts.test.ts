import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse, stringify } from 'yaml'
import { createMetrics } from '#runtime/metrics.ts'
import { ALERTS } from '../../grafana/source/alerts.ts'
import { DASHBOARDS } from '../../grafana/source/dashboards.ts'
import { RECORDING_RULES } from '../../grafana/source/promises.ts'
import { promtoolFiles } from '../support/alert-cases.ts'

const folder = join(import.meta.dirname, '../../prometheus')
const compose = readFileSync(join(folder, '../compose.cloud.yml'), 'utf8')
const image = /image: (prom\/prometheus:\S+)/.exec(compose)?.[1] ?? ''
const rules = readdirSync(join(folder, 'rules'))

function promtool(args: readonly string[], more: readonly string[] = []) {
  const mount = ['-v', `${folder}:/rules:ro`, '-w', '/rules', '--entrypoint', 'promtool', ...more]
  return promisify(execFile)('docker', ['run', '--rm', ...mount, image, ...args], { timeout: 60_000 })
}

/** What promtool says of a failure, instead of the command that failed. */
async function said(running: ReturnType<typeof promtool>): Promise<string> {
  return (await running.catch(({ stdout, stderr }) => ({ stdout: `${stdout}${stderr}` }))).stdout
}

describe('the alerts', () => {
  it('of sync fire at the right minute and are silent before, says promtool', async () => {
    expect(await said(promtool(['test', 'rules', 'tests/sync.test.yml']))).toContain('SUCCESS')
  })

  it('all fire at the right minute with the right words, and are silent before, says promtool', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-alerts-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const files = promtoolFiles('/rules/rules')
    for (const [name, tests] of files) writeFileSync(join(folder, name), stringify(tests))
    chmodSync(folder, 0o755)
    const names = [...files.keys()].map((name) => `/cases/${name}`)
    const answer = await said(promtool(['test', 'rules', ...names], ['-v', `${folder}:/cases:ro`]))
    expect(answer).not.toContain('FAILED')
    expect(answer.match(/SUCCESS/g)).toHaveLength(files.size)
  })

  it('and every panel ask in the language of Prometheus', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-panels-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const asked = DASHBOARDS.flatMap(({ panels }) =>
      panels.flatMap(({ queries = [] }) => queries.map(([expr]) => expr)),
    )
    const panels = asked.map((expr, index) => ({ record: `panel:${index}`, expr }))
    writeFileSync(join(folder, 'panels.yml'), stringify({ groups: [{ name: 'panels', rules: panels }] }))
    chmodSync(folder, 0o755)
    const { stdout } = await promtool(['check', 'rules', '/panels/panels.yml'], ['-v', `${folder}:/panels:ro`])
    expect(stdout).toContain(`SUCCESS: ${panels.length} rules found`)
  })

  it('have metrics to ask whose names and forms are as they should be', async () => {
    const metrics = createMetrics({ service: 'sync', zone: 'cloud', version: '0' })
    metrics.set('countersign_sync_open_conflicts', 1, {})
    metrics.since('countersign_queue_oldest_age_seconds', 0, { queue: 'sync' })
    const running = promtool(['check', 'metrics'], ['-i'])
    running.child.stdin?.end(await metrics.expose())
    const { stderr } = await running.catch((error: { stderr: string }) => error)
    // The client library's own names are not ours to change.
    expect(stderr.split('\n').filter((line) => line && !line.startsWith('nodejs_active_'))).toEqual([])
  })

  it('are each tried both ways', () => {
    const written = parse(readFileSync(join(folder, 'tests/sync.test.yml'), 'utf8')).tests.flatMap(
      ({ alert_rule_test }: { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] }) => alert_rule_test,
    ) as { alertname: string; exp_alerts?: unknown[] }[]
    const made = [...promtoolFiles('').values()].flatMap(({ tests }) => tests.flatMap((one) => one.alert_rule_test))
    const names = (isFiring: boolean) =>
      new Set(
        [...written, ...made]
          .filter(({ exp_alerts = [] }) => exp_alerts.length > 0 === isFiring)
          .map(({ alertname }) => alertname),
      )
    for (const { name } of ALERTS) {
      expect(names(true), name).toContain(name)
      expect(names(false), name).toContain(name)
    }
  })

  it('are rules that Prometheus loads', async () => {
    const { stdout } = await promtool(['check', 'rules', ...rules.map((name) => `rules/${name}`)])
    const found = [...stdout.matchAll(/SUCCESS: (\d+) rules found/g)].map(([, count]) => Number(count))
    expect(found.reduce((sum, count) => sum + count, 0)).toBe(ALERTS.length + RECORDING_RULES.length)
    expect(compose).toContain('./prometheus/rules:/etc/prometheus/rules:ro')
    for (const file of ['prometheus.yml', 'prometheus.local.yml']) {
      expect(parse(readFileSync(join(folder, file), 'utf8')).rule_files).toEqual(['rules/*.yml'])
      expect((await promtool(['check', 'config', file])).stdout).toContain('SUCCESS')
    }
  })
})
