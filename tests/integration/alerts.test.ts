import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { METRICS } from '#runtime/metrics.ts'

const folder = join(import.meta.dirname, '../../prometheus')
const compose = readFileSync(join(folder, '../compose.cloud.yml'), 'utf8')
const image = /image: (prom\/prometheus:\S+)/.exec(compose)?.[1] ?? ''

function promtool(...args: string[]) {
  const mount = ['-v', `${folder}:/rules:ro`, '-w', '/rules', '--entrypoint', 'promtool']
  return promisify(execFile)('docker', ['run', '--rm', ...mount, image, ...args], { timeout: 60_000 })
}

describe('the alerts of sync', () => {
  it('fire at the right minute and are silent before, says promtool', async () => {
    const { stdout } = await promtool('test', 'rules', 'sync-rules.test.yml')
    expect(stdout).toContain('SUCCESS')
  })

  it('are rules that Prometheus loads', async () => {
    const { stdout } = await promtool('check', 'rules', 'sync-rules.yml')
    expect(stdout).toContain('SUCCESS: 5 rules found')
    const config = parse(readFileSync(join(folder, 'prometheus.yml'), 'utf8'))
    expect(config.rule_files).toEqual(['sync-rules.yml'])
    expect(compose).toContain('./prometheus/sync-rules.yml:/etc/prometheus/sync-rules.yml:ro')
  })

  it('ask for metrics that there are', () => {
    const text = readFileSync(join(folder, 'sync-rules.yml'), 'utf8')
    const names = new Set(text.match(/countersign_[a-z_]+/g))
    expect(names.size).toBeGreaterThan(4)
    expect([...names].filter((name) => !Object.hasOwn(METRICS, name))).toEqual([])
  })
})
