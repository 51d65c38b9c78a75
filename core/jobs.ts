import { z } from 'zod'
import { isTaskId, type TaskId } from './ids.ts'

const taskId = z
  .string()
  .refine(isTaskId, 'not a task id')
  .transform((id) => id as TaskId)
const taskJob = z.strictObject({ taskId, generation: z.int().nonnegative() })

/**
 * The job catalogue: queue → job name → payload. A job is a doorbell: it carries ids and never content, so that a
 * flushed Redis loses nothing (each service's reconcile rings again) and a forged job says nothing worth believing.
 */
export const JOBS = {
  draft: { 'draft-reply': taskJob },
  execute: { 'execute-approved': taskJob },
  sync: { 'sync-now': z.strictObject({}) },
} as const

export type QueueName = keyof typeof JOBS
export type JobName<Q extends QueueName> = keyof (typeof JOBS)[Q] & string
export type JobPayload<Q extends QueueName, N extends JobName<Q>> =
  (typeof JOBS)[Q][N] extends z.ZodType<infer T> ? T : never
export type TaskJob = z.infer<typeof taskJob>

/** BullMQ's job id for a task: one job per task and generation. BullMQ forbids `:` in ids. */
export function taskJobId(payload: TaskJob): string {
  return `${payload.taskId}-${payload.generation}`
}
