import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { METRICS } from '#runtime/metrics.ts'

const folder = join(import.meta.dirname, '../grafana/dashboards')

interface Panel {
  readonly title: string
  readonly description?: string
  readonly targets: readonly { readonly expr: string }[]
}

describe.each(readdirSync(folder))('grafana/dashboards/%s', (file) => {
  const dashboard: { uid: string; panels: Panel[] } = JSON.parse(readFileSync(join(folder, file), 'utf8'))
  const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))

  it('asks only for metrics that a service has', () => {
    const asked = queries.flatMap((query) => query.match(/\b(countersign|process|nodejs|bullmq)_[a-z_]+/g) ?? [])
    expect(asked.length).toBeGreaterThan(0)
    const known = [...Object.keys(METRICS), 'process_resident_memory_bytes']
    expect(asked.filter((metric) => !known.includes(metric))).toEqual([])
  })

  it('groups only by labels that those metrics have', () => {
    const always = ['service', 'zone', 'job']
    for (const query of queries) {
      const [metric = ''] = query.match(/\bcountersign_[a-z_]+/) ?? []
      const labels = [...Object.keys(METRICS[metric as keyof typeof METRICS]?.labels ?? {}), ...always]
      for (const [, by = ''] of query.matchAll(/by \(([^)]*)\)/g))
        expect(labels).toEqual(expect.arrayContaining(by.split(', ')))
    }
  })

  it('explains every panel', () => {
    expect(dashboard.panels.filter(({ description }) => !description)).toEqual([])
  })
})
