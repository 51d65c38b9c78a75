import { BACKUP_ALERTS } from './alerts-backup.ts'
import { FLOW_ALERTS } from './alerts-flow.ts'
import { HOST_ALERTS } from './alerts-host.ts'
import { MODEL_ALERTS } from './alerts-model.ts'
import { SERVICE_ALERTS } from './alerts-services.ts'
import { SYNC_ALERTS } from './alerts-sync.ts'

export interface Alert {
  readonly name: `Countersign${string}`
  /** Fires while this is above `above`. */
  readonly query: string
  readonly above: number
  /** How long before it fires: `5m`. */
  readonly for?: string
  /** page: at once, and again. ticket: has time until you look. */
  readonly severity: 'page' | 'ticket'
  /** Both may name `{{ $labels.x }}` and `{{ $value }}`. */
  readonly summary: string
  readonly description: string
}

export interface AlertGroup {
  /** Also the file's name in prometheus/rules/. */
  readonly name: string
  /** What the file's first line says. */
  readonly about: string
  readonly alerts: readonly Alert[]
}

export const ALERT_GROUPS: readonly AlertGroup[] = [
  { name: 'flow', about: 'What waits too long, and what was done or not done.', alerts: FLOW_ALERTS },
  { name: 'sync', about: 'What sync has to wake the owner for.', alerts: SYNC_ALERTS },
  { name: 'model', about: 'What the models cost, and whether they answer.', alerts: MODEL_ALERTS },
  { name: 'services', about: 'Services that are away, stuck or ill.', alerts: SERVICE_ALERTS },
  { name: 'host', about: 'The machine a zone runs on, and its Redis.', alerts: HOST_ALERTS },
  { name: 'backup', about: 'Backups, and whether they can be put back.', alerts: BACKUP_ALERTS },
]

export const ALERTS = ALERT_GROUPS.flatMap(({ alerts }) => alerts)

/** As Prometheus writes it. */
export function expressionOf({ query, above }: Pick<Alert, 'query' | 'above'>): string {
  return /\b(or|and|unless)\b/.test(query) ? `(${query}) > ${above}` : `${query} > ${above}`
}
