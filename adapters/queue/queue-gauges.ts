import type { QueueName } from '#core/jobs.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { openQueue } from './doorbell.ts'
import type { RedisConnection } from './redis.ts'

/** Asks Redis at each scrape what stands in the queue. While Redis is away the last answer stays, and ages go on. */
export async function openQueueGauges(
  redis: RedisConnection,
  queue: QueueName,
  metrics: Pick<Metrics, 'set' | 'since' | 'beforeScrape'>,
): Promise<AsyncDisposable> {
  const bell = await openQueue(redis, queue)
  metrics.beforeScrape(async () => {
    const [counts, [next]] = await Promise.all([
      bell.getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed'),
      bell.getJobs('wait', 0, 0, true),
    ])
    const { wait = 0, prioritized = 0, active = 0, delayed = 0, failed = 0 } = counts
    for (const [state, jobs] of Object.entries({ waiting: wait + prioritized, active, delayed, failed }))
      metrics.set('countersign_queue_jobs', jobs, { queue, state: state as 'waiting' })
    // From when it was due on: a delayed job is not late before that.
    const since = next && next.timestamp + (next.opts.delay ?? 0)
    metrics.since('countersign_queue_oldest_age_seconds', since, { queue })
  })
  return { [Symbol.asyncDispose]: () => bell.close() }
}
