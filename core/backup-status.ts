import { z } from 'zod'
import { CountersignError } from './errors.ts'

const runSchema = z.strictObject({
  at: z.iso.datetime(),
  outcome: z.enum(['done', 'failed']),
  /** The snapshot it made or looked at. */
  snapshot: z.string().optional(),
  /** What went wrong, in words for a person. */
  problem: z.string().max(1_000).optional(),
})

const statusSchema = z.strictObject({
  /** The repository that backups go to, by where it is and by its own id: another in its place is noticed. */
  repository: z.strictObject({ target: z.string(), id: z.string() }).optional(),
  backup: runSchema.optional(),
  backupDoneAt: z.iso.datetime().optional(),
  drill: runSchema.optional(),
  drillDoneAt: z.iso.datetime().optional(),
  /** Snapshots that have to be there: made here and thrown away by nobody. */
  snapshots: z.array(z.strictObject({ id: z.string(), at: z.iso.datetime() })).optional(),
})

/** What this machine remembers of its backups. */
export type BackupStatus = z.infer<typeof statusSchema>
export type BackupRun = z.infer<typeof runSchema>
export type BackupWork = 'backup' | 'drill'

const HOUR_MS = 3_600_000
const BACKUP_EVERY_MS = 24 * HOUR_MS
const DRILL_EVERY_MS = 7 * 24 * HOUR_MS
const AGAIN_AFTER_MS = HOUR_MS
const MAX_PROBLEM = 900

/** A run that failed; a longer problem is cut. */
export function failedRun(at: string, problem: string): BackupRun {
  return { at, outcome: 'failed', problem: problem.slice(0, MAX_PROBLEM) }
}

/** What cannot be read is forgotten: the next backup remembers anew. */
export function parseBackupStatus(text: string): BackupStatus {
  try {
    return statusSchema.safeParse(JSON.parse(text)).data ?? {}
  } catch {
    return {}
  }
}

/**
 * What is due now. A backup is a day after the last that succeeded, so that a machine that sleeps at night makes it when it
 * wakes; a drill a week after the last. What failed is tried again after an hour. A moment that lies ahead (the clock was
 * set back) counts as never.
 */
export function dueWork(status: BackupStatus, now: number): BackupWork | undefined {
  if (isDue(status.backup, status.backupDoneAt, BACKUP_EVERY_MS, now)) return 'backup'
  if (status.backupDoneAt && isDue(status.drill, status.drillDoneAt, DRILL_EVERY_MS, now)) return 'drill'
  return undefined
}

function isDue(last: BackupRun | undefined, doneAt: string | undefined, everyMs: number, now: number): boolean {
  const age = (at: string | undefined) => {
    const ms = at === undefined ? Number.POSITIVE_INFINITY : now - Date.parse(at)
    return ms < 0 ? Number.POSITIVE_INFINITY : ms
  }
  if (age(doneAt) < everyMs) return false
  return last?.outcome !== 'failed' || age(last.at) >= AGAIN_AFTER_MS
}

/** What was under way when the service was told to end: it says nothing of the backups. */
export function isStopped(error: unknown): boolean {
  return error instanceof CountersignError && error.details.isStopped === true
}
