import { z } from 'zod'

/** More than any service tells; what is longer is no report. */
export const MAX_REPORT_BYTES = 32 * 1024
/** So many codes are remembered by a service, the newest. */
export const MAX_ERRORS = 20

const count = z.int().nonnegative()
const name = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,39}$/)

/** What the executor has done since it began, and what waits for it: numbers alone, fit to travel. */
export const numbersSchema = z.strictObject({
  /** Approved actions, by what became of them. */
  executions: z.strictObject({ done: count, refused: count, failed: count, unknown: count, cancelled: count }),
  /** Doubles that were prevented. */
  duplicates: count,
  /** How long the oldest approved task has been waiting, s; 0: none waits. */
  oldest_approved_s: count,
})
export type ZoneNumbers = z.output<typeof numbersSchema>

/**
 * What a service tells its zone's health service beside `/livez` and `/readyz`: what else it works with, and which errors it
 * met. No message of an error, no id of a task, no address of a person. Times are ISO 8601 UTC.
 */
const reportSchema = z.strictObject({
  /** What it works with and is ready without; `unknown`: not used yet. */
  dependencies: z
    .array(
      z.strictObject({
        name: z.enum(['odoo', 'model']),
        state: z.enum(['ok', 'bad', 'unknown']),
        detail: z.string().max(300).optional(),
      }),
    )
    .max(20),
  /** What ends, and when. `of`: `mailbox-work`. */
  ends: z.array(z.strictObject({ what: z.enum(['certificate', 'token']), of: name, at: z.iso.datetime() })).max(50),
  /** Whether another clock shows the same; one lies between the two bounds ahead of this machine's (ms). */
  clocks: z.array(z.strictObject({ of: name, leastMs: z.int(), mostMs: z.int() })).max(20),
  /** By code, since the process began; `at`: of the last. */
  errors: z
    .array(z.strictObject({ code: z.string().regex(/^[A-Z_]{3,60}$/), count, at: z.iso.datetime() }))
    .max(MAX_ERRORS),
  /** Of the executor alone. */
  numbers: numbersSchema.optional(),
})
export type ServiceReport = z.output<typeof reportSchema>

export const NO_REPORT: ServiceReport = { dependencies: [], ends: [], clocks: [], errors: [] }

/** Nothing of it, when it is not whole: a service that tells nothing is judged by its readiness alone. Never throws. */
export function parseServiceReport(text: string): ServiceReport {
  if (Buffer.byteLength(text) > MAX_REPORT_BYTES) return NO_REPORT
  try {
    return reportSchema.parse(JSON.parse(text))
  } catch {
    return NO_REPORT
  }
}
