import { type ConflictCopy, mergeKey } from '#core/merge.ts'
import type { Oid } from '#core/ports/repo.ts'
import { staysHere } from '#core/private-tasks.ts'
import {
  conflictCopyPath,
  fileNameOf,
  isTaskPlace,
  parseVaultPath,
  placeOf,
  taskPath,
  type VaultPath,
} from '#core/vault-path.ts'
import { isLocalOnly } from '#core/zone-policy.ts'
import type { SyncDeps } from '../sync-deps.ts'
import type { MergeSides, PlannedChange, TaskFacts } from './plan-merge.ts'

/** What stays on this machine, of the keys that are being merged. */
export interface PrivateKeys {
  readonly keys: ReadonlySet<string>
  /** Takes from the hub what it has of them. */
  readonly removals: readonly PlannedChange[]
  /** Bytes that only the hub has: kept beside, on this machine. */
  readonly copies: readonly ConflictCopy[]
}

/** Once a task has stayed it always does, whatever becomes of its file: its name is remembered. */
const factOf = (key: string) => `private:${key}`

export function hasStayed(key: string, { store }: Pick<SyncDeps, 'store'>): boolean {
  return store.fact(factOf(key)) !== undefined
}

/** Whether a file that the hub has may be one to take from it: what it is was not asked while it stood open. */
export function mayLeaveHub(path: VaultPath, { zone, agent, carriesPrivate }: SyncDeps): boolean {
  if (zone !== 'local' || carriesPrivate) return false
  const place = placeOf(path)
  return (
    (place.kind === 'in-progress' && place.agent === agent) || (place.kind === 'pending' && isLocalOnly(place.domain))
  )
}

/** Finds the private ones among the keys, in the local zone and unless it is set to carry them. */
export function privateKeys(
  { base, ours, theirs }: MergeSides,
  facts: ReadonlyMap<string, TaskFacts>,
  deps: SyncDeps,
): PrivateKeys {
  const keys = new Set<string>()
  if (deps.zone !== 'local' || deps.carriesPrivate) return { keys, removals: [], copies: [] }
  const byKey = Map.groupBy(ours, ([path]) => mergeKey(path))
  const hub = Map.groupBy([...base.keys(), ...theirs.keys()], mergeKey)
  const remembered: Record<string, string | null> = {}
  for (const key of new Set([...byKey.keys(), ...hub.keys()])) {
    const own = (byKey.get(key) ?? []).map(([path, oid]) => ({ path, domain: facts.get(oid)?.ownDomain }))
    const isKnown = hasStayed(key, deps)
    if (staysHere({ ours: own, hub: hub.get(key) ?? [], hasStayed: isKnown })) keys.add(key)
    const isTask = own.some((one) => isTaskPlace(placeOf(one.path)))
    if (isKnown && own.length === 0) remembered[factOf(key)] = null
    if (!isKnown && isTask && keys.has(key)) remembered[factOf(key)] = 'yes'
  }
  if (Object.keys(remembered).length > 0) deps.store.update({ facts: remembered })
  const leaving = [...theirs].filter(([path]) => keys.has(mergeKey(path)))
  const known = new Set([...base.values(), ...ours.values()])
  return {
    keys,
    removals: leaving.map(([path]) => ({ path, oid: null })),
    copies: leaving.flatMap(([path, oid]) =>
      known.has(oid) || !isTaskPlace(placeOf(path)) ? [] : [copyOf(path, oid, facts, deps)],
    ),
  }
}

function copyOf(
  path: VaultPath,
  oid: Oid,
  facts: ReadonlyMap<string, TaskFacts>,
  { clock }: Pick<SyncDeps, 'clock'>,
): ConflictCopy {
  const home = taskPath({ kind: 'pending', domain: facts.get(oid)?.domain ?? 'general' }, fileNameOf(path))
  const copy = conflictCopyPath(home, 'hub', clock.now(), oid)
  return { path: parseVaultPath(copy).ok ? copy : home, blob: oid, of: path }
}
