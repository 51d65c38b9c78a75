import { BACKUP_AGE, DRILL_AGE } from './alerts-backup.ts'
import type { Panel } from './panels.ts'
import { metric } from './promql.ts'

const failing = metric('countersign_backup_failing')
const runs = metric('countersign_backup_runs_total')

/** A row of the dashboard "Host": the backups of the zone. */
export const BACKUP_PANELS: readonly Panel[] = [
  {
    title: 'Last backup',
    description: 'How long ago the last one that succeeded was begun; or, as long as none did, the service.',
    ...{ kind: 'stat', width: 6, unit: 's', badAbove: 93_600, queries: [[BACKUP_AGE, '{{zone}}']] },
  },
  {
    title: 'Last trial restore',
    description: 'How long ago a backup was put back in a scratch place and was whole. Each week.',
    ...{ kind: 'stat', width: 6, unit: 's', badAbove: 691_200, queries: [[DRILL_AGE, '{{zone}}']] },
  },
  {
    title: 'Backups that fail',
    description: '1: the last backup failed, or the last trial found damage. It is tried again each hour.',
    ...{ kind: 'stat', width: 6, badAbove: 1, queries: [[failing, '{{zone}} {{of}}']] },
  },
  {
    title: 'Backups and trials',
    description: 'In the last seven days, by what became of them.',
    ...{ kind: 'stat', width: 6, queries: [[`increase(${runs}[7d])`, '{{zone}} {{of}} {{outcome}}']] },
  },
]
