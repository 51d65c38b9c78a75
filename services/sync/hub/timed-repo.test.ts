import { expect, test } from 'vitest'
import type { RepoPort } from '#core/ports/repo.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { timedRepo } from './timed-repo.ts'

test('a fetch and a push are timed, whatever comes of them, and everything else is as it was', async () => {
  const metrics = createMetrics({ service: 'sync', zone: 'cloud', version: '0' })
  const repo = {
    agent: 'cloud',
    fetch: async () => 'fetched',
    push: () => Promise.reject(new Error('the hub is away')),
    head: async () => 'head',
  } as unknown as RepoPort
  const timed = timedRepo(repo, metrics)
  expect(await timed.fetch()).toBe('fetched')
  await expect(timed.push({} as never)).rejects.toThrow('the hub is away')
  expect(await timed.head()).toBe('head')
  const text = await metrics.expose()
  for (const operation of ['fetch', 'push'])
    expect(text).toMatch(new RegExp(`^countersign_git_seconds_count\\{.*operation="${operation}".*\\} 1$`, 'm'))
})
