import type { JobName, JobPayload, QueueName } from '../jobs.ts'

/**
 * Wakes a worker in the same zone. A ring may be lost (Redis flushed or away): callers log that and go on, because
 * every worker's reconcile looks at the vault by itself.
 */
export interface Doorbell {
  ring<Q extends QueueName, N extends JobName<Q>>(
    queue: Q,
    job: N,
    payload: JobPayload<Q, N>,
    options?: { delayMs?: number },
  ): Promise<void>
}
