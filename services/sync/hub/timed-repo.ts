import type { RepoPort } from '#core/ports/repo.ts'
import type { Metrics } from '#runtime/metrics.ts'

/** The same repository, which tells how long the hub took. */
export function timedRepo<R extends RepoPort>(repo: R, metrics: Pick<Metrics, 'observe'>): R {
  const timed = async <T>(operation: 'fetch' | 'push', call: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now()
    try {
      return await call()
    } finally {
      metrics.observe('countersign_git_seconds', (performance.now() - startedAt) / 1000, { operation })
    }
  }
  return {
    ...repo,
    fetch: (options) => timed('fetch', () => repo.fetch(options)),
    push: (request) => timed('push', () => repo.push(request)),
  }
}
