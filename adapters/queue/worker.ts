import { UnrecoverableError, Worker } from 'bullmq'
import type { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import { JOBS, type JobName, type JobPayload, type QueueName } from '#core/jobs.ts'
import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { JOB_OPTIONS, openQueue } from './doorbell.ts'
import { openQueueGauges } from './queue-gauges.ts'
import type { RedisConnection } from './redis.ts'

/** One handler per job of the queue. It must be idempotent: Redis delivers at least once, and anyone may ring. */
export type JobHandlers<Q extends QueueName> = {
  readonly [N in JobName<Q>]: (payload: JobPayload<Q, N>) => Promise<void>
}

export interface WorkerOptions {
  readonly log: Log
  readonly concurrency?: number
  /** Given, it is told of each job, and of what stands in the queue at each scrape. */
  readonly metrics?: Pick<Metrics, 'count' | 'set' | 'since' | 'beforeScrape'>
  readonly onOutcome?: (outcome: 'done' | 'failed' | 'dropped') => void
  /**
   * Called while the worker takes jobs: after each one, after each canary that came through the queue, and while Redis
   * is away (that is no hang of this process, and a restart would not help).
   */
  readonly onProgress?: () => void
  /** Done whenever a canary comes through the queue, as any job is. Must not reject. */
  readonly onCanary?: () => Promise<void>
  readonly canaryEveryMs?: number
}

/** Not in the catalogue: it means nothing to anyone but this file. */
const CANARY = 'canary'
const CANARY_EVERY_MS = 15_000
/** A crashed worker's job is taken over within lock + check = 15 s. */
const LOCK_MS = 10_000
const STALLED_CHECK_MS = 5_000
/** A new job ends the wait at once. */
const IDLE_WAIT_S = 15
/** A job whose worker dies again and again stays: the vault and the journal decide what may happen twice, not Redis. */
const MAX_STALLED = 1_000_000

/** Takes jobs until disposed, which lets the running ones finish. Jobs that are not of the catalogue are dropped. */
export async function startWorker<Q extends QueueName>(
  redis: RedisConnection,
  queue: Q,
  handlers: JobHandlers<Q>,
  options: WorkerOptions,
): Promise<AsyncDisposable> {
  const { log } = options
  const connection = redis.workerConnection()
  const running = new Set<Promise<unknown>>()
  const worker = new Worker(
    queue,
    async (job) => {
      const handling = job.name === CANARY ? fly(options.onCanary) : handle(queue, handlers, job, log)
      running.add(handling)
      const outcome = await handling.finally(() => running.delete(handling))
      options.onProgress?.()
      if (outcome !== 'canary') {
        options.metrics?.count('countersign_jobs_total', { queue, outcome })
        options.onOutcome?.(outcome)
      }
      // Whatever attempts a job brought along: trying again is for the next reconcile to decide.
      if (outcome === 'failed') throw new UnrecoverableError('failed')
    },
    {
      connection,
      concurrency: options.concurrency ?? 1,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      drainDelay: IDLE_WAIT_S,
      maxStalledCount: MAX_STALLED,
      // As JOB_OPTIONS, for jobs that somebody else put here: a kept one would hold a task's id.
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    },
  )
  worker.on('error', (error) => log.debug({ queue, err: error }, 'worker'))
  await worker.waitUntilReady()
  const gauges = options.metrics && (await openQueueGauges(redis, queue, options.metrics))
  const canary = options.onProgress && (await startCanary(redis, queue, options.onProgress, options.canaryEveryMs))
  return {
    async [Symbol.asyncDispose]() {
      await canary?.[Symbol.asyncDispose]()
      await gauges?.[Symbol.asyncDispose]()
      // While Redis is away, BullMQ's close waits for it; then only the handlers themselves are worth waiting for.
      const away = (await redis.ping()) !== true
      if (away) {
        await Promise.allSettled(running)
        connection.disconnect()
      }
      await worker.close(away)
      connection.disconnect()
    },
  }
}

async function fly(work: (() => Promise<void>) | undefined): Promise<'canary'> {
  await work?.()
  return 'canary'
}

async function handle<Q extends QueueName>(
  queue: Q,
  handlers: JobHandlers<Q>,
  job: { readonly name: string; readonly data: unknown },
  log: Log,
): Promise<'done' | 'failed' | 'dropped'> {
  const catalogue: Readonly<Record<string, z.ZodType>> = JOBS[queue]
  const schema = Object.hasOwn(catalogue, job.name) ? catalogue[job.name] : undefined
  const payload = schema?.safeParse(job.data)
  if (!payload?.success) {
    log.warn(
      { queue, job: job.name.slice(0, 50), reason: payload ? 'payload' : 'name' },
      'dropped a job that is not of the catalogue',
    )
    return 'dropped'
  }
  try {
    await (handlers as Readonly<Record<string, (payload: unknown) => Promise<void>>>)[job.name]?.(payload.data)
    return 'done'
  } catch (error) {
    const what = error instanceof CountersignError ? `${error.code}: ${error.message}` : String(error)
    log.error({ queue, job: job.name, err: error }, `job failed: ${what}`)
    return 'failed'
  }
}

/** Sends a job through the queue now and then: Redis answering says nothing of a worker that no longer takes jobs. */
async function startCanary(
  redis: RedisConnection,
  queue: QueueName,
  onProgress: () => void,
  everyMs = CANARY_EVERY_MS,
): Promise<AsyncDisposable> {
  const bell = await openQueue(redis, queue)
  const send = async () => {
    try {
      await bell.add(CANARY, {}, { ...JOB_OPTIONS, jobId: CANARY })
    } catch {
      onProgress()
    }
  }
  const timer = setInterval(() => void send(), everyMs)
  await send()
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await bell.close()
    },
  }
}
