import { blobIdOf } from '#core/blob-id.ts'
import { CountersignError } from '#core/errors.ts'
import { sameIdentity } from '#core/file-identity.ts'
import type { Finding } from '#core/finding.ts'
import { mergeKey } from '#core/merge.ts'
import { maxBytesOf } from '#core/path-ownership.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { BaseRow, HubFile } from '#core/ports/sync-store.ts'
import { placeOf, type VaultPath } from '#core/vault-path.ts'
import type { SyncDeps } from '../sync-deps.ts'

export interface VerifyDeps extends Pick<SyncDeps, 'repo' | 'store' | 'workTree'> {
  /** Whether a round is still to merge this key. */
  readonly isOpen: (key: string) => boolean
  /** Held back by a rule, or of a kind that stays on this machine. */
  readonly isHeld: (path: VaultPath) => boolean
  /** Called between two files: the check gives way to everything else. */
  readonly breathe: () => Promise<void>
}

/** The reasons that a running sync knows: among them what the local machine never takes from the hub. */
export function standingReasons({
  attention,
  zone,
}: Pick<SyncDeps, 'attention' | 'zone'>): Pick<VerifyDeps, 'isOpen' | 'isHeld'> {
  return {
    isOpen: (key) => attention.open.has(key),
    isHeld: (path) => attention.held.has(mergeKey(path)) || (zone === 'local' && placeOf(path).kind === 'approved'),
  }
}

/** How one path stands with base, hub and work tree. */
type Standing =
  | 'even'
  /** Changed here, and on its way. */
  | 'changed here'
  | 'held back'
  /** A round has still to bring it here. */
  | 'on its way here'
  /** No round will look at it again by itself. */
  | 'missing here'
  | 'out of step'
  /** Its times tell that nothing changed, its bytes say otherwise. */
  | 'changed unnoticed'

const FAULTS: readonly Standing[] = ['missing here', 'out of step', 'changed unnoticed']
const MAX_NAMED = 5
/** Files looked at between two pauses. */
const STRIDE = 20

export interface VaultVerdict {
  readonly findings: Finding[]
  /** Paths that are to be read again, whatever their times say. */
  readonly unnoticed: readonly VaultPath[]
}

/**
 * Holds the vault's files, what sync remembers of them, and the verified head against each other: every file of the head
 * is here as it is there, or there is a reason. Reads every file. `confirm` runs its argument while no round does: what
 * looks wrong is looked at once more then.
 */
export async function verifyVault(
  deps: VerifyDeps,
  confirm: <T>(act: () => Promise<T>) => Promise<T>,
): Promise<VaultVerdict> {
  const standings = new Map<VaultPath, Standing>()
  let looked = 0
  const look = async (path: VaultPath) => {
    if (++looked % STRIDE === 0) await deps.breathe()
    standings.set(path, await standingOf(path, deps))
  }
  const seen = new Set<VaultPath>()
  for await (const { files } of deps.workTree.list()) {
    for (const path of files.keys()) {
      seen.add(path)
      await look(path)
    }
  }
  for (const path of deps.store.hubUnder('').keys()) if (!seen.has(path)) await look(path)
  for (const folder of deps.store.baseFolders())
    for (const path of deps.store.baseIn(folder).keys()) if (!standings.has(path)) await look(path)
  const doubtful = [...standings].filter(([, standing]) => FAULTS.includes(standing)).map(([path]) => path)
  if (doubtful.length > 0)
    await confirm(async () => {
      for (const path of doubtful) standings.set(path, await standingOf(path, deps))
    })
  return verdictOf(standings)
}

async function standingOf(path: VaultPath, deps: VerifyDeps): Promise<Standing> {
  const { store } = deps
  const key = mergeKey(path)
  const base = store.baseRow(path)
  const hub = store.hubOf([key]).get(path)
  const here = await blobHere(path, base, deps)
  if (here === 'unreadable') return 'held back'
  if (here.isUnnoticed) return 'changed unnoticed'
  if (here.oid === hub?.oid && base?.oid === hub?.oid) return 'even'
  return explain(path, here.oid, base, hub, deps)
}

function explain(
  path: VaultPath,
  here: Oid | undefined,
  base: BaseRow | undefined,
  hub: HubFile | undefined,
  { isHeld, isOpen }: VerifyDeps,
): Standing {
  if (isHeld(path)) return 'held back'
  if (here !== base?.oid) return 'changed here'
  if (isOpen(mergeKey(path))) return 'on its way here'
  return hub && here === undefined ? 'missing here' : 'out of step'
}

/** The id of the bytes that stand at a path; a ledger counts up to its last whole line. */
async function blobHere(
  path: VaultPath,
  base: BaseRow | undefined,
  { workTree }: VerifyDeps,
): Promise<'unreadable' | { readonly oid: Oid | undefined; readonly isUnnoticed: boolean }> {
  const place = placeOf(path)
  try {
    const found = await workTree.read(path, maxBytesOf(place))
    if (!found) return { oid: undefined, isUnnoticed: false }
    const bytes = place.kind === 'log' ? found.bytes.subarray(0, found.bytes.lastIndexOf(10) + 1) : found.bytes
    const oid = blobIdOf(bytes)
    return { oid, isUnnoticed: oid !== base?.oid && sameIdentity(base?.identity, found.identity) }
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'ERR_VAULT_UNREADABLE') return 'unreadable'
    throw error
  }
}

function verdictOf(standings: ReadonlyMap<VaultPath, Standing>): VaultVerdict {
  const of = (standing: Standing) => [...standings].filter(([, one]) => one === standing).map(([path]) => path)
  const counts = (['changed here', 'held back', 'on its way here'] as const)
    .map((standing) => ({ standing, count: of(standing).length }))
    .filter(({ count }) => count > 0)
    .map(({ standing, count }) => `, ${count} ${standing}`)
  const faults = FAULTS.flatMap((standing): Finding[] => {
    const paths = of(standing)
    if (paths.length === 0) return []
    return [
      { check: 'vault', result: 'failed', found: `${standing}: ${named(paths)}`, hint: HINTS[standing] as string },
    ]
  })
  const whole: Finding = {
    check: 'vault',
    result: 'ok',
    found: `${standings.size} files as at the hub${counts.join('')}`,
  }
  return { findings: faults.length > 0 ? faults : [whole], unnoticed: of('changed unnoticed') }
}

const HINTS: Partial<Record<Standing, string>> = {
  'missing here': '`countersign sync --repair` brings it here again.',
  'out of step': '`countersign sync --repair` has everything compared again.',
  'changed unnoticed':
    'Bytes changed though the file’s times did not: a failing disk, or a program that sets times back. The next round treats it as an edit; look at the file.',
}

function named(paths: readonly string[]): string {
  const more = paths.length - MAX_NAMED
  return [...paths.slice(0, MAX_NAMED), ...(more > 0 ? [`… and ${more} more`] : [])].join(', ')
}
