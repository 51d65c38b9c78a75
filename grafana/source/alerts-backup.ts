import type { Alert } from './alerts.ts'
import { builtIn, metric } from './promql.ts'

const made = metric('countersign_backup_last_success_timestamp_seconds')
const drilled = metric('countersign_restore_drill_last_success_timestamp_seconds')
const failing = (of: 'backup' | 'drill') => metric('countersign_backup_failing', { of })

/** One that never succeeded since the service began counts from there. */
const age = (last: string) => `time() - (${last} or on (zone) ${builtIn('process_start_time_seconds', 'backup')})`
export const BACKUP_AGE = age(made)
export const DRILL_AGE = age(drilled)

export const BACKUP_ALERTS: readonly Alert[] = [
  {
    name: 'CountersignBackupOverdue',
    query: BACKUP_AGE,
    above: 93_600,
    for: '10m',
    severity: 'ticket',
    summary: 'The {{ $labels.zone }} zone was not backed up for {{ $value | humanizeDuration }}.',
    description:
      'One is made each day and tried again each hour. `docker compose logs backup` says what is in its way: a full disk, a place that cannot be reached, a password; `countersign backup now` tries at once.',
  },
  {
    name: 'CountersignBackupDamaged',
    query: failing('drill'),
    above: 0,
    for: '2h',
    severity: 'page',
    summary:
      'A backup of the {{ $labels.zone }} zone was put back in a scratch place, and was not whole, or could not be read.',
    description:
      'Do not count on it. `countersign backup check` says what is damaged or missing; `countersign backup now` makes another.',
  },
  {
    name: 'CountersignDrillOverdue',
    query: DRILL_AGE,
    above: 691_200,
    for: '1h',
    severity: 'ticket',
    summary: 'No backup of the {{ $labels.zone }} zone was put back for a trial for {{ $value | humanizeDuration }}.',
    description:
      'Each week one is put back in a scratch place, so that you know it can be. `docker compose logs backup` says why not; `countersign backup check` does it now.',
  },
]
