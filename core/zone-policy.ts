import type { Domain } from './vault-path.ts'

export const ZONES = ['cloud', 'local'] as const
export type Zone = (typeof ZONES)[number]
export const OPERATIONS = ['triage', 'claim', 'draft', 'approve', 'execute'] as const
export type Operation = (typeof OPERATIONS)[number]

export type PolicyDecision = { readonly allow: true } | { readonly allow: false; readonly rule: string }

/** whatsapp and payment live on the local machine only; the cloud skips them without opening them. */
const LOCAL_ONLY: readonly Domain[] = ['whatsapp', 'payment']

export function isLocalOnly(domain: Domain): boolean {
  return LOCAL_ONLY.includes(domain)
}

/** Who may do what, as one table. `shared` domains are the cloud's to draft; local may when the cloud is silent. */
const TABLE: Record<Zone, Record<Operation, { shared: boolean; localOnly: boolean }>> = {
  cloud: {
    triage: { shared: true, localOnly: false },
    claim: { shared: true, localOnly: false },
    draft: { shared: true, localOnly: false },
    approve: { shared: false, localOnly: false },
    execute: { shared: false, localOnly: false },
  },
  local: {
    triage: { shared: true, localOnly: true },
    claim: { shared: true, localOnly: true },
    draft: { shared: true, localOnly: true },
    approve: { shared: true, localOnly: true },
    execute: { shared: true, localOnly: true },
  },
}

/** Whether a zone may do an operation on a domain at all; no argument in a task can widen this. */
export function decideZone(zone: Zone, domain: Domain, operation: Operation): PolicyDecision {
  const isPrivate = isLocalOnly(domain)
  const row = TABLE[zone][operation]
  if (isPrivate ? row.localOnly : row.shared) return { allow: true }
  return { allow: false, rule: isPrivate && row.shared ? 'domain-local-only' : `zone-${zone}-never-${operation}s` }
}
