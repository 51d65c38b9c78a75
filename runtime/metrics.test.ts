import { describe, expect, it } from 'vitest'
import { createMetrics, METRICS } from './metrics.ts'

let now = 1_000_000
const create = () => createMetrics({ service: 'sync', zone: 'cloud', version: '0.1.0' }, () => now)
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

  it('expose no gauge that nobody has set', async () => {
    const exposed = await create().expose()
    for (const [name, { kind }] of Object.entries(METRICS))
      if (['gauge', 'age'].includes(kind) && name !== 'countersign_build_info')
        expect(exposed, name).not.toMatch(new RegExp(`^${name}[{ ]`, 'm'))
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

  it('tell an age anew at each scrape: of what waits, and 0 when nothing does', async () => {
    const metrics = create()
    const age = () => lines(metrics, 'countersign_task_oldest_age_seconds')
    const exposed = (s: number) => [
      `countersign_task_oldest_age_seconds{state="approved",service="sync",zone="cloud"} ${s}`,
    ]
    expect(await age()).toEqual([])
    metrics.since('countersign_task_oldest_age_seconds', now - 5_000, { state: 'approved' })
    expect(await age()).toEqual(exposed(5))
    now += 30_000
    expect(await age()).toEqual(exposed(35))
    metrics.since('countersign_task_oldest_age_seconds', now + 5_000, { state: 'approved' })
    expect(await age()).toEqual(exposed(0))
    metrics.since('countersign_task_oldest_age_seconds', undefined, { state: 'approved' })
    now += 60_000
    expect(await age()).toEqual(exposed(0))
  })

  it('sort durations into buckets, one of which ends at each promised bound', async () => {
    const metrics = create()
    metrics.observe('countersign_approval_to_execution_seconds', 1.9, {})
    metrics.observe('countersign_approval_to_execution_seconds', 30.1, {})
    metrics.observe('countersign_approval_to_execution_seconds', -2, {})
    const upTo = async (le: string) =>
      (await lines(metrics, 'countersign_approval_to_execution_seconds_bucket'))
        .find((line) => line.includes(`le="${le}"`))
        ?.split(' ')[1]
    expect([await upTo('0.1'), await upTo('2'), await upTo('30'), await upTo('+Inf')]).toEqual(['1', '2', '2', '3'])
    expect(METRICS.countersign_approval_to_execution_seconds.buckets).toEqual(expect.arrayContaining([2, 30]))
    expect(METRICS.countersign_arrival_to_draft_seconds.buckets).toEqual(expect.arrayContaining([5, 300]))
    expect(METRICS.countersign_sync_propagation_seconds.buckets).toEqual(expect.arrayContaining([10, 300]))
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
