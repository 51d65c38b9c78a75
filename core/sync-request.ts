import { z } from 'zod'
import { isTaskId, type TaskId } from './ids.ts'
import { AGENT, DOMAINS, isTaskPlace, parseVaultPath } from './vault-path.ts'

const agent = z.string().regex(AGENT)
const generation = z.int().nonnegative()
const fileName = z.string().refine((name) => {
  const verdict = parseVaultPath(`Approved/${name}`)
  return verdict.ok && isTaskPlace(verdict.place)
}, 'not the name of a task file')
const about = {
  /** Names the request and its answer: 32 random hex digits. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
  task: z
    .string()
    .refine(isTaskId, 'not a task id')
    .transform((id) => id as TaskId),
  file: fileName,
}

const requestSchema = z.discriminatedUnion('kind', [
  /** Claim the task for this zone's agent. */
  z.strictObject({ kind: z.literal('claim'), ...about }),
  /** Back to Needs_Action, if `holder` still holds it under that generation; null: it stands there already. */
  z.strictObject({
    kind: z.literal('give-back'),
    ...about,
    holder: agent.nullable(),
    generation,
    keptFor: agent.optional(),
    /** It is about something else than its folder says. */
    domain: z.enum(DOMAINS).optional(),
    why: z.string().max(200).optional(),
  }),
  /** Say where the task stands at the hub now. */
  z.strictObject({ kind: z.literal('look'), ...about }),
])

/** What a command asks of its zone's sync, which alone speaks to the hub. */
export type SyncRequest = Readonly<z.output<typeof requestSchema>>

const answerSchema = z.discriminatedUnion('kind', [
  /** What was asked has been accepted by the hub (or, for what the hub has never seen, was done at once). */
  z.strictObject({ kind: z.literal('landed'), generation }),
  /** This agent holds the task already; not by this request. */
  z.strictObject({ kind: z.literal('held'), generation }),
  z.strictObject({ kind: z.literal('taken'), by: agent, generation }),
  /** Past being claimed or given back: the folder where it stands, or null where it is nowhere any more. */
  z.strictObject({ kind: z.literal('elsewhere'), place: z.string().max(200).nullable() }),
  z.strictObject({ kind: z.literal('refused'), rule: z.string().max(60), say: z.string().max(500) }),
  /** The hub cannot be asked. The request stands: sync does it as soon as the hub is back. */
  z.strictObject({ kind: z.literal('waiting'), say: z.string().max(500) }),
  z.strictObject({
    kind: z.literal('seen'),
    place: z.string().max(200).nullable(),
    generation: generation.nullable(),
  }),
])

export type SyncAnswer = Readonly<z.output<typeof answerSchema>>

/** Undefined for a file that is no request: whoever wrote it, sync does nothing about it. */
export function parseRequest(text: string): SyncRequest | undefined {
  return parsed(text, requestSchema)
}

export function parseAnswer(text: string): SyncAnswer | undefined {
  return parsed(text, answerSchema)
}

function parsed<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
