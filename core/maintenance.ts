import { z } from 'zod'
import type { Finding } from './finding.ts'

/** What a person, or the night, asks of sync besides its rounds. `reset-hub`: repair, and put back a hub that holds what may not enter. */
export const MAINTENANCE = ['repair', 'reset-hub', 'verify'] as const
export type MaintenanceKind = (typeof MAINTENANCE)[number]

const requestSchema = z.strictObject({ id: z.string().regex(/^[0-9a-f]{16,64}$/), kind: z.enum(MAINTENANCE) })

const findingSchema = z.strictObject({
  check: z.string(),
  result: z.enum(['ok', 'repaired', 'failed', 'skipped']),
  found: z.string(),
  hint: z.string().optional(),
})

const reportSchema = z.strictObject({
  /** Of the request that it answers. */
  id: z.string(),
  kind: z.enum(MAINTENANCE),
  /** ISO 8601 UTC. */
  at: z.string(),
  findings: z.array(findingSchema),
})

export type MaintenanceRequest = z.output<typeof requestSchema>
export interface MaintenanceReport {
  readonly id: string
  readonly kind: MaintenanceKind
  readonly at: string
  readonly findings: readonly Finding[]
}

/** Undefined for anything else: a half-written or foreign file is no request. */
export function parseMaintenanceRequest(text: string): MaintenanceRequest | undefined {
  return parsed(requestSchema, text)
}

export function parseMaintenanceReport(text: string): MaintenanceReport | undefined {
  return parsed(reportSchema, text) as MaintenanceReport | undefined
}

/**
 * Whether the nightly check is due: `hour` (of the machine's own clock) has come since the last one. `lastMs` undefined:
 * there never was one.
 */
export function isCheckDue(nowMs: number, lastMs: number | undefined, hour: number): boolean {
  if (lastMs === undefined || lastMs > nowMs) return true
  const boundary = new Date(nowMs)
  boundary.setHours(hour, 0, 0, 0)
  if (boundary.getTime() > nowMs) boundary.setDate(boundary.getDate() - 1)
  return lastMs < boundary.getTime()
}

function parsed<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
