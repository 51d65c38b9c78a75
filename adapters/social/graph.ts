import { z } from 'zod'
import type { PublishOutcome } from '#core/ports/social-network.ts'
import { type HttpAnswer, messageOf, notDone } from './http.ts'

export const GRAPH_URL = 'https://graph.facebook.com'
/** Meta keeps each version for two years. */
export const GRAPH_VERSION = 'v24.0'

export const graphId = z.object({ id: z.string().regex(/^[\d_]{1,80}$/) })
/** Whether a list goes on. */
export const paging = z.object({ next: z.string().optional() }).optional()

const fault = z.object({ error: z.object({ code: z.number(), is_transient: z.boolean().optional() }) })
/** Too many calls, of one kind or another: definite, and over after a while. */
const LIMITS = [4, 17, 32, 341, 368, 613]
/** The service had a problem of its own: it may come after the post was made. */
const OWN_FAULTS = [1, 2]
/** The credential is no good (any more). */
const LOGIN = [102, 190]
const WAIT_MS = 15 * 60_000

/** As `notDone`, by Meta's own error codes, which say more than its HTTP status. */
export function graphNotDone(answer: HttpAnswer, now: number): Exclude<PublishOutcome, { kind: 'accepted' }> {
  const plain = notDone(answer, now)
  const error = answer.kind === 'answer' ? fault.safeParse(answer.body).data?.error : undefined
  if (answer.kind !== 'answer' || error === undefined) return plain
  const say = `${answer.status} ${messageOf(answer.body)} (code ${error.code})`
  if (LIMITS.includes(error.code)) return { kind: 'refused', permanent: false, say, retryAt: now + WAIT_MS }
  if (OWN_FAULTS.includes(error.code) || error.is_transient) return { kind: 'unknown', reason: say }
  if (plain.kind === 'unknown') return plain
  return { ...plain, permanent: !LOGIN.includes(error.code), say }
}
