import { describe, expect, it } from 'vitest'
import { createMetrics, METRICS } from './metrics.ts'

const create = () => createMetrics({ service: 'sync', zone: 'cloud', version: '0.1.0' })
const lines = async (metrics: ReturnType<typeof create>, name: string) =>
  (await metrics.expose()).split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))

describe('the metrics', () => {
  it('name service, zone and version', async () => {
    expect(await lines(create(), 'countersign_build_info')).toEqual([
      'countersign_build_info{version="0.1.0",service="sync",zone="cloud"} 1',
    ])
  })

  it('expose every counter with closed labels from the start, at 0', async () => {
    const exposed = await create().expose()
    for (const [name, { kind, labels }] of Object.entries(METRICS)) {
      const sets = Object.values(labels) as readonly (readonly string[] | 'open')[]
      if (kind !== 'counter' || sets.includes('open')) continue
      const expected = sets.reduce((product, values) => product * values.length, 1)
      expect(exposed.match(new RegExp(`^${name}\\{.*\\} 0$`, 'gm')), name).toHaveLength(expected)
    }
  })

  it('count and set', async () => {
    const metrics = create()
    metrics.count('countersign_claims_total', { outcome: 'won' })
    metrics.count('countersign_claims_total', { outcome: 'won' }, 2)
    metrics.set('countersign_queue_jobs', 4, { queue: 'draft', state: 'waiting' })
    expect(await lines(metrics, 'countersign_claims_total')).toContain(
      'countersign_claims_total{outcome="won",service="sync",zone="cloud"} 3',
    )
    expect(await lines(metrics, 'countersign_queue_jobs')).toEqual([
      'countersign_queue_jobs{queue="draft",state="waiting",service="sync",zone="cloud"} 4',
    ])
  })

  it('never take a label value that could be anything', async () => {
    const metrics = create()
    metrics.count('countersign_gate_refusals_total', { rule: 'Approved/EMAIL ann@example.org' })
    metrics.count('countersign_gate_refusals_total', { rule: 'not-yours' })
    metrics.count('countersign_claims_total', { outcome: 'maybe' as 'won' })
    expect(
      (await lines(metrics, 'countersign_gate_refusals_total')).map((line) => /rule="([^"]*)"/.exec(line)?.[1]),
    ).toEqual(['other', 'not-yours'])
    expect(await lines(metrics, 'countersign_claims_total')).toContain(
      'countersign_claims_total{outcome="other",service="sync",zone="cloud"} 1',
    )
  })

  it('ask before each scrape, and outlive a question that fails', async () => {
    const metrics = create()
    metrics.beforeScrape(async () => metrics.set('countersign_queue_jobs', 7, { queue: 'sync', state: 'active' }))
    metrics.beforeScrape(() => Promise.reject(new Error('Redis is away')))
    expect(await lines(metrics, 'countersign_queue_jobs')).toEqual([expect.stringMatching(/ 7$/)])
  })
})
