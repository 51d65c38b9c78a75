import { messageOf } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import { ASKED_OF_EGRESS, type ServiceProof } from '#core/proof.ts'
import type { Zone } from '#core/zone-policy.ts'
import { lookAtContainer } from './look-at-container.ts'

export interface CloudProofOptions {
  /** As the health service calls it. */
  readonly service: string
  readonly outside: readonly { readonly host: string; readonly port: number }[]
  readonly egress?: string | undefined
  /** Names of the settings that its environment holds. */
  readonly settings: readonly string[]
  /** What it can try with what it holds. */
  readonly tries?: () => Promise<readonly Finding[]>
  readonly clock: { now(): number }
  /** The root of the file system; for tests. */
  readonly root?: string
}

/** Asked again sooner, it gives the same answer: whoever is on its network could else keep Odoo and the hub busy. */
const FRESH_MS = 5_000

/** What a service of the cloud tells of itself, made when it is asked for; one at a time. */
export function cloudProof(options: CloudProofOptions): () => Promise<ServiceProof> {
  let last: Promise<ServiceProof> | undefined
  let staleAt = Number.POSITIVE_INFINITY
  return () => {
    if (last && options.clock.now() <= staleAt) return last
    staleAt = Number.POSITIVE_INFINITY
    last = prove(options).finally(() => {
      staleAt = options.clock.now() + FRESH_MS
    })
    return last
  }
}

/** Has a service of the cloud tell it at `/proof`. The local zone is the one that acts, and has nothing to prove. */
export function answerProof(
  { document }: { document(path: string, make: () => Promise<ServiceProof>): void },
  { zone, ...options }: Omit<CloudProofOptions, 'clock' | 'root'> & { readonly zone: Zone },
): void {
  if (zone === 'cloud') document('/proof', cloudProof({ ...options, clock: { now: () => Date.now() } }))
}

async function prove({ service, outside, egress, settings, tries, root }: CloudProofOptions): Promise<ServiceProof> {
  const look = lookAtContainer({
    ...{ settings, egress, askedOfEgress: ASKED_OF_EGRESS, ...(root !== undefined && { root }) },
    outside: outside.map(({ host, port }) => `${host}:${port}`),
  })
  const findings = (tries?.() ?? Promise.resolve([])).catch((error: unknown): Finding[] => [
    {
      check: `what ${service} holds`,
      result: 'skipped',
      found: messageOf(error),
    },
  ])
  return { service, look: await look, findings: await findings }
}
