import { z } from 'zod'
import { numbersSchema } from './service-report.ts'
import type { StatusDocument } from './status.ts'
import { ZONES } from './zone-policy.ts'

/** How often an agent says that it is alive, ms. */
export const BEAT_EVERY_MS = 50_000
/** A longer heartbeat is none. */
export const MAX_BEAT_BYTES = 8 * 1024
const MAX_SERVICES = 20

const count = z.int().nonnegative()

const beatSchema = z.strictObject({
  schema: z.literal(1),
  agent: z.string().max(31),
  zone: z.enum(ZONES),
  /** When it was made, by its own clock. ISO 8601 UTC. */
  at: z.iso.datetime(),
  /** `unknown`: the zone's health service is silent itself. */
  health: z.enum(['ok', 'degraded', 'down', 'unknown']),
  problems: count,
  services: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/),
        state: z.enum(['ready', 'not ready', 'silent']),
      }),
    )
    .max(MAX_SERVICES),
  waiting: z.strictObject({
    ...{ needs_action: count, in_progress: count, pending: count, approved: count },
    /** Conflict copies. */
    conflicts: count.optional(),
  }),
  /** What the zone's executor has done since it began; absent where there is none. */
  numbers: numbersSchema.optional(),
})

/**
 * What an agent says of its zone about once a minute, signed, apart from the vault: states and numbers only. No name of a
 * task, a file or a person is in it.
 */
export type Heartbeat = z.output<typeof beatSchema>

export function heartbeatOf(
  who: Pick<Heartbeat, 'agent' | 'zone'>,
  status: StatusDocument | undefined,
  nowMs: number,
): Heartbeat {
  const { needs_action = 0, in_progress = {}, pending = 0, approved = 0, conflicts = 0 } = status?.vault ?? {}
  return {
    ...{ schema: 1, ...who, at: new Date(nowMs).toISOString() },
    health: status?.health ?? 'unknown',
    problems: status?.problems.length ?? 0,
    services: (status?.services ?? []).slice(0, MAX_SERVICES).map(({ name, live, ready }) => ({
      name,
      state: live ? (ready ? 'ready' : 'not ready') : 'silent',
    })),
    waiting: {
      ...{ needs_action, pending, approved, conflicts },
      in_progress: Object.values(in_progress).reduce((sum, one) => sum + one, 0),
    },
    ...(status?.numbers && { numbers: status.numbers }),
  }
}

/** Undefined for what is no heartbeat of this agent. Never throws. */
export function readHeartbeat(text: string, who: Pick<Heartbeat, 'agent' | 'zone'>): Heartbeat | undefined {
  if (Buffer.byteLength(text) > MAX_BEAT_BYTES) return undefined
  try {
    const beat = beatSchema.parse(JSON.parse(text))
    return beat.agent === who.agent && beat.zone === who.zone ? beat : undefined
  } catch {
    return undefined
  }
}
