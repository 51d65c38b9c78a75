import type { Domain } from './vault-path.ts'
import { isTaskPlace, placeOf, type VaultPath } from './vault-path.ts'
import { isLocalOnly } from './zone-policy.ts'

/** One file of the work tree, with what it says itself; undefined: nobody can read it as a task. */
export interface OwnFile {
  readonly path: VaultPath
  readonly domain: Domain | undefined
}

/** All that is known of one merge key in the local zone. */
export interface KnownKey {
  readonly ours: readonly OwnFile[]
  /** Where the hub has it, or had it when it was last synchronised. */
  readonly hub: readonly VaultPath[]
  /** It stayed on this machine before. */
  readonly hasStayed: boolean
}

/**
 * Whether a file of the local zone stays on its machine: tasks of the domains that are local's alone, from their
 * beginning. What the cloud has put at the hub for local to claim is shared until local has claimed it, and stays from
 * then on. A file that nobody can read stays when it was private before, and when nothing says that it was not. The
 * dashboard names private tasks.
 */
export function staysHere({ ours, hub, hasStayed }: KnownKey): boolean {
  const [first] = ours
  if (!first) return false
  const place = placeOf(first.path)
  if (place.kind === 'note') return place.name === 'Dashboard.md'
  if (!isTaskPlace(place) || !(hasStayed || ours.some((one) => isPrivate(one, hub)))) return false
  // Still open, and given to this zone by another: whoever claims it decides.
  return hub.length === 0 || ours.some((one) => placeOf(one.path).kind !== 'needs-action')
}

function isPrivate({ path, domain }: OwnFile, hub: readonly VaultPath[]): boolean {
  if (isPrivateFolder(path)) return true
  if (domain !== undefined) return isLocalOnly(domain)
  return hub.some(isPrivateFolder) || (hub.length === 0 && !isSharedFolder(path))
}

function isPrivateFolder(path: VaultPath): boolean {
  const place = placeOf(path)
  return 'domain' in place && isLocalOnly(place.domain)
}

function isSharedFolder(path: VaultPath): boolean {
  const place = placeOf(path)
  return 'domain' in place && !isLocalOnly(place.domain)
}
