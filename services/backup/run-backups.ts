import { setTimeout } from 'node:timers/promises'
import { type BackupWork, dueWork } from '#core/backup-status.ts'
import { messageOf } from '#core/errors.ts'
import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { backUp } from './back-up.ts'
import type { BackupDeps } from './deps.ts'
import { drill } from './drill.ts'

export type RunBackups = {
  readonly deps: BackupDeps
  readonly log: Log
  readonly metrics: Metrics
  readonly pollMs: number
  readonly stopping: AbortSignal
  /** Called at each turn, and while something runs whenever it gets on. */
  readonly beat: () => void
}

/** Does what is due, one after the other, until it is stopped. What fails is told, remembered, and tried again in an hour. */
export async function runBackups(options: RunBackups): Promise<void> {
  const { deps, metrics, stopping } = options
  await tellMetrics(deps, metrics)
  while (!stopping.aborted) {
    options.beat()
    const work = dueWork(await deps.status.load(), deps.clock.now())
    if (work) {
      await attempt(work, options)
      await tellMetrics(deps, metrics)
    }
    await setTimeout(options.pollMs, undefined, { signal: stopping }).catch(() => {}) // Stopped: the loop ends.
  }
}

async function attempt(work: BackupWork, options: RunBackups): Promise<void> {
  const { log, metrics, stopping } = options
  const count = (outcome: 'done' | 'failed') => metrics.count('countersign_backup_runs_total', { of: work, outcome })
  log.info({ job: work }, `${work} begins`)
  try {
    count(await (work === 'backup' ? makeBackup(options) : lookAtBackup(options)))
  } catch (error) {
    if (stopping.aborted) return
    count('failed')
    log.error({ err: error }, `${work} failed: ${messageOf(error)}`)
  }
}

async function makeBackup({ deps, log }: RunBackups): Promise<'done'> {
  const { snapshot, files, skipped, kept } = await backUp(deps)
  const left = skipped.length > 0 ? `, ${skipped.length} left out` : ''
  log.info({ count: files, reason: kept }, `backup ${snapshot.slice(0, 8)} made${left}`)
  return 'done'
}

async function lookAtBackup({ deps, log }: RunBackups): Promise<'done' | 'failed'> {
  const { ok, findings } = await drill(deps, { part: partOf(deps.clock.now()) })
  if (ok) return 'done'
  const failed = findings.find(({ result }) => result === 'failed')
  log.error({ reason: failed && `${failed.check}: ${failed.found}` }, 'the backup is damaged')
  return 'failed'
}

/** Another quarter of the stored data each week: all of it in a month, without fetching it all every time. */
function partOf(now: number): number {
  return (Math.floor(now / (7 * 24 * 3_600_000)) % 4) + 1
}

async function tellMetrics(deps: BackupDeps, metrics: Metrics): Promise<void> {
  const { backup, backupDoneAt, drill: last, drillDoneAt } = await deps.status.load()
  const seconds = (at: string) => Date.parse(at) / 1000
  if (backupDoneAt) metrics.set('countersign_backup_last_success_timestamp_seconds', seconds(backupDoneAt), {})
  if (drillDoneAt) metrics.set('countersign_restore_drill_last_success_timestamp_seconds', seconds(drillDoneAt), {})
  if (backup) metrics.set('countersign_backup_failing', backup.outcome === 'failed' ? 1 : 0, { of: 'backup' })
  if (last) metrics.set('countersign_backup_failing', last.outcome === 'failed' ? 1 : 0, { of: 'drill' })
}
