import { type JobsOptions, Queue } from 'bullmq'
import { JOBS, type QueueName, taskJobId } from '#core/jobs.ts'
import type { Doorbell } from '#core/ports/doorbell.ts'
import type { Log } from '#runtime/logger.ts'
import type { RedisConnection } from './redis.ts'

export type QueueCounts = Readonly<Record<'waiting' | 'active' | 'delayed' | 'failed', number>>

/** The zone's bells, and what stands in their queues. */
export interface ZoneDoorbell extends Doorbell, AsyncDisposable {
  counts(queue: QueueName): Promise<QueueCounts>
}

/** Opens all queues of the catalogue on one connection. A ring that fails is logged and resolves. */
export async function openDoorbell(redis: RedisConnection, log: Log): Promise<ZoneDoorbell> {
  const queues = new Map<string, Queue>()
  for (const name of Object.keys(JOBS)) queues.set(name, await openQueue(redis, name))
  const queueOf = (name: string): Queue => queues.get(name) as Queue
  return {
    async ring(queue, job, payload, options) {
      try {
        await queueOf(queue).add(job, payload, jobOptions(payload as object, options?.delayMs))
      } catch (error) {
        log.warn({ queue, job, err: error }, 'could not ring; the next reconcile will')
      }
    },
    async counts(queue) {
      const found = await queueOf(queue).getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed')
      const { wait = 0, prioritized = 0, active = 0, delayed = 0, failed = 0 } = found
      return { waiting: wait + prioritized, active, delayed, failed }
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()))
    },
  }
}

/** Opens one queue for adding to it; resolves when Redis answered. */
export async function openQueue(redis: RedisConnection, name: string): Promise<Queue> {
  const queue = new Queue(name, { connection: redis.producer })
  queue.on('error', () => {}) // The connection tells of outages, once.
  await queue.waitUntilReady()
  return queue
}

/** Finished jobs go at once, failed ones too: a job that stays would hold its id, and a later ring would be lost. */
export const JOB_OPTIONS: JobsOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true }

function jobOptions(payload: object, delayMs = 0): JobsOptions {
  const delay = delayMs > 0 ? { delay: delayMs } : {}
  if ('taskId' in payload && 'generation' in payload) {
    return { ...JOB_OPTIONS, ...delay, jobId: taskJobId(payload as Parameters<typeof taskJobId>[0]) }
  }
  // A bell without a task is rung for any change: one waiting ring is enough, but one that comes while the last is
  // being worked on must not be lost.
  return { ...JOB_OPTIONS, ...delay, deduplication: { id: 'any', keepLastIfActive: true } }
}
