import { CREDENTIALS, type Credential, credentialsOf } from './credentials.ts'
import type { Zone } from './zone-policy.ts'

const DAY_MS = 86_400_000
/** From so long before its end on a credential is called one that ends soon. */
const SOON_MS = 14 * DAY_MS

/** What was seen of one credential of a zone home; nothing of its content. */
export interface CredentialLook {
  readonly name: string
  /** Where it lies: a file, or a folder. */
  readonly place: string
  /** When it was last written, ms since 1970; undefined: it is not there, or empty. */
  readonly since?: number
  /** When whoever gave it ends it, where that is known, ms since 1970. */
  readonly endsAt?: number
  /** Files of it that others on this machine can open, each with what is wrong with its mode. */
  readonly loose: readonly string[]
  /** It belongs to the other zone and is here all the same: where. */
  readonly foreign?: readonly string[]
  /** Whoever gave it says that it may do more than this zone should. */
  readonly tooStrong?: string
  /** Why whoever gave it could not be asked. */
  readonly unasked?: string
  /** A rotation of it was begun and is not finished. */
  readonly isHalfRotated?: boolean
}

export type CredentialFault = 'foreign' | 'open' | 'expired' | 'too-strong'

export interface CredentialLine {
  readonly name: string
  readonly what: string
  readonly zones: readonly Zone[]
  /** Services of this zone that read it. */
  readonly readBy: readonly string[]
  readonly may: string
  readonly place: string
  readonly isHere: boolean
  /** ISO 8601 UTC. */
  readonly since?: string
  readonly ageDays?: number
  readonly endsAt?: string
  /** By when it should be replaced without any cause. */
  readonly rotateBy?: string
  readonly faults: readonly { readonly kind: CredentialFault; readonly found: string; readonly hint: string }[]
  /** What the person should know, and is no fault. */
  readonly notes: readonly string[]
}

export interface CredentialList {
  readonly zone: Zone
  /** No credential has a fault. */
  readonly ok: boolean
  readonly credentials: readonly CredentialLine[]
  /** Files among the keys and secrets that nobody here knows. */
  readonly unknown: readonly string[]
}

/** Every credential that the zone may hold, and what else of the table is here. `now`: ms since 1970. */
export function credentialList(
  zone: Zone,
  looks: readonly CredentialLook[],
  unknown: readonly string[],
  now: number,
): CredentialList {
  const own = credentialsOf(zone)
  const credentials = CREDENTIALS.flatMap((credential) => {
    const look = looks.find(({ name }) => name === credential.name)
    return look && (own.includes(credential) || look.foreign?.length) ? [lineOf(zone, credential, look, now)] : []
  })
  return { zone, ok: credentials.every(({ faults }) => faults.length === 0), credentials, unknown }
}

function lineOf(zone: Zone, credential: Credential, look: CredentialLook, now: number): CredentialLine {
  const { name, what, may, everyDays } = credential
  const { place, since, endsAt } = look
  const rotateBy = since !== undefined && everyDays !== undefined ? since + everyDays * DAY_MS : undefined
  const faults = faultsOf(zone, credential, look, now)
  const notes = [
    ...(look.isHalfRotated ? [`its rotation is not finished: countersign rotate ${name}`] : []),
    ...(endsAt !== undefined && endsAt > now && endsAt - now <= SOON_MS ? [`it ends ${day(endsAt)}`] : []),
    ...(rotateBy !== undefined && rotateBy <= now ? [`it is old: countersign rotate ${name}`] : []),
    ...(look.unasked ? [`could not be asked what it may do: ${look.unasked}`] : []),
  ]
  return {
    ...{ name, what, may, place, faults, notes, isHere: since !== undefined },
    zones: (['cloud', 'local'] as const).filter((one) => credential.zones[one] !== undefined),
    readBy: credential.zones[zone] ?? [],
    ...(since !== undefined && { since: iso(since), ageDays: Math.max(0, Math.floor((now - since) / DAY_MS)) }),
    ...(endsAt !== undefined && { endsAt: iso(endsAt) }),
    ...(rotateBy !== undefined && { rotateBy: iso(rotateBy) }),
  }
}

function faultsOf(zone: Zone, { name, may }: Credential, look: CredentialLook, now: number): CredentialLine['faults'] {
  const other = zone === 'cloud' ? 'local' : 'cloud'
  const renew = `countersign rotate ${name}`
  return [
    ...(look.foreign ?? []).map((place) => ({
      kind: 'foreign' as const,
      found: `${place} belongs to the ${other} zone, and may ${may}`,
      hint: `Remove it here, and get a new one for the ${other} zone, since this machine had it.`,
    })),
    ...look.loose.map((found) => ({
      kind: 'open' as const,
      found,
      hint: `countersign init ${zone} closes it; if anybody else uses this machine, ${renew} as well.`,
    })),
    ...(look.endsAt !== undefined && look.endsAt <= now
      ? [{ kind: 'expired' as const, found: `it ended ${day(look.endsAt)}`, hint: renew }]
      : []),
    ...(look.tooStrong === undefined ? [] : [{ kind: 'too-strong' as const, found: look.tooStrong, hint: renew }]),
  ]
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

function day(ms: number): string {
  return iso(ms).slice(0, 10)
}
