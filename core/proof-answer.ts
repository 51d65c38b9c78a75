import { z } from 'zod'
import type { ServiceProof } from './proof.ts'

const text = z.string().max(2_000)
const attempts = z.array(z.looseObject({ place: text, outcome: text })).max(50)
const answer = z.looseObject({
  look: z.looseObject({
    secrets: z.array(z.looseObject({ path: text, isEmpty: z.boolean() })).max(200),
    settings: z.array(text).max(500),
    sockets: z.array(text).max(50),
    uid: z.int(),
    capabilities: text.optional(),
    noNewPrivileges: z.boolean().optional(),
    sources: z.array(z.looseObject({ program: text, files: z.array(text).max(20_000) })).max(50),
    browsers: z.array(text).max(50),
    ports: z.array(z.int()).max(1_000),
    direct: attempts,
    through: attempts,
  }),
  findings: z
    .array(
      z.looseObject({
        check: text,
        result: z.enum(['ok', 'repaired', 'failed', 'skipped']),
        found: text,
        hint: text.optional(),
      }),
    )
    .max(200),
})

/** What a service answered to being asked for its proof; undefined: it is none. */
export function readAsked(service: string, json: string): ServiceProof | undefined {
  try {
    const parsed = answer.safeParse(JSON.parse(json))
    return parsed.success ? ({ ...parsed.data, service } as ServiceProof) : undefined
  } catch {
    return undefined
  }
}
