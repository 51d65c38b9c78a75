import { blobIdOf } from '#core/blob-id.ts'
import { CountersignError } from '#core/errors.ts'
import { type FileIdentity, sameIdentity } from '#core/file-identity.ts'
import { mergeKey } from '#core/merge.ts'
import { maxBytesOf } from '#core/path-ownership.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { Oid, RepoPort } from '#core/ports/repo.ts'
import type { BaseRow, SyncStore } from '#core/ports/sync-store.ts'
import type { Listing, Oddity, WorkTreePort } from '#core/ports/work-tree.ts'
import { placeOf, type VaultPath } from '#core/vault-path.ts'

export interface Scanned {
  readonly oid: Oid
  /** Null: the file is not what was scanned any more, or cannot be carried; sync leaves it alone. */
  readonly identity: FileIdentity | null
}

export interface Scan {
  readonly files: ReadonlyMap<VaultPath, Scanned>
  /** What lies in the vault's folders and is not carried, with the rule. */
  readonly oddities: readonly Oddity[]
  /** False: files were moving or being written while we looked; look again soon. */
  readonly isSettled: boolean
}

export interface Scanner {
  scan(): Promise<Scan>
}

export interface ScanDeps {
  readonly workTree: WorkTreePort
  readonly repo: Pick<RepoPort, 'writeBlob'>
  readonly store: Pick<SyncStore, 'base'>
  readonly clock: Clock
}

/** A disappearance is believed when this many listings in a row agree on it … */
const AGREEING_LISTINGS = 2
/** … within as many tries. */
const MAX_LISTINGS = 6
/** With fewer files known, an empty vault may be what the person wants. */
const EMPTIED_AT = 10
/**
 * A file changed this recently may change again without its times telling (they have the grain of the kernel's
 * tick), so its identity is not trusted to skip the next read.
 */
const RACY_MS = 50

/**
 * Scans the vault against what it was last synchronised with. Only files whose identity changed are read; their bytes
 * are in the repository when this returns. Throws ERR_VAULT_EMPTIED when everything vanished at once.
 */
export function createScanner(deps: ScanDeps): Scanner {
  // Also knows what is dirty and was read before: a held-back file is not read at each scan.
  const known = new Map<VaultPath, Scanned>()
  return {
    async scan() {
      const base = deps.store.base()
      const { listing, isSettled } = await steadyListing(deps.workTree, base)
      refuseEmptied(listing, base)
      const files = new Map<VaultPath, Scanned>()
      const oddities: Oddity[] = [...listing.oddities]
      let isSteady = isSettled
      for (const { path } of listing.oddities) keepBase(path as VaultPath)
      for (const [path, identity] of listing.files) {
        const unchanged = [known.get(path), base.get(path)].find((one) => sameIdentity(one?.identity, identity))
        const found = unchanged
          ? { kind: 'read' as const, oid: unchanged.oid, identity }
          : await readFile(deps, path, base)
        if (found.kind === 'read') {
          files.set(path, { oid: found.oid, identity: found.identity })
          if (isTrustworthy(found.identity, deps.clock)) known.set(path, found)
        } else {
          keepBase(path)
          if (found.kind === 'odd') oddities.push({ path, rule: found.rule })
          if (found.kind === 'moving') isSteady = false
        }
      }
      return { files, oddities, isSettled: isSteady }

      /** A file that cannot be carried now counts as unchanged, never as deleted. */
      function keepBase(path: VaultPath): void {
        const row = base.get(path)
        if (row) files.set(path, { oid: row.oid, identity: null })
      }
    },
  }
}

/** The identity as the base may remember it; null when the next scan had better read the file again. */
export function rememberable(identity: FileIdentity | null, clock: Clock): FileIdentity | null {
  return identity && isTrustworthy(identity, clock) ? identity : null
}

function isTrustworthy(identity: FileIdentity, clock: Clock): boolean {
  return clock.now() - Number(BigInt(identity.ctimeNs) / 1_000_000n) > RACY_MS
}

/**
 * Listings are not atomic: a file moved meanwhile may be missed in both folders, or seen in both. So when something has
 * disappeared or stands twice, the listing is repeated until two in a row say the same.
 */
async function steadyListing(
  workTree: WorkTreePort,
  base: ReadonlyMap<VaultPath, BaseRow>,
): Promise<{ listing: Listing; isSettled: boolean }> {
  let listing = await workTree.list()
  let doubts = doubtsOf(listing, base)
  let agreeing = 1
  for (let tries = 1; doubts !== '' && agreeing < AGREEING_LISTINGS && tries < MAX_LISTINGS; tries++) {
    listing = await workTree.list()
    const again = doubtsOf(listing, base)
    agreeing = again === doubts ? agreeing + 1 : 1
    doubts = again
  }
  return { listing, isSettled: doubts === '' || agreeing >= AGREEING_LISTINGS }
}

function doubtsOf({ files }: Listing, base: ReadonlyMap<VaultPath, BaseRow>): string {
  const gone = [...base.keys()].filter((path) => !files.has(path))
  const seen = new Set<string>()
  const twice = [...files.keys()].filter((path) => seen.size === seen.add(mergeKey(path)).size)
  return [...gone, ...twice].sort().join('\n')
}

function refuseEmptied({ files }: Listing, base: ReadonlyMap<VaultPath, BaseRow>): void {
  if (base.size < EMPTIED_AT || [...base.keys()].some((path) => files.has(path))) return
  throw new CountersignError(
    'ERR_VAULT_EMPTIED',
    `scanning the vault: none of the ${base.size} files known from before is there any more`,
  )
}

type ReadFile =
  | { readonly kind: 'read'; readonly oid: Oid; readonly identity: FileIdentity }
  | { readonly kind: 'odd'; readonly rule: string }
  | { readonly kind: 'moving' }

async function readFile(
  { workTree, repo }: ScanDeps,
  path: VaultPath,
  base: ReadonlyMap<VaultPath, BaseRow>,
): Promise<ReadFile> {
  const place = placeOf(path)
  let found: Awaited<ReturnType<WorkTreePort['read']>>
  try {
    found = await workTree.read(path, maxBytesOf(place))
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'ERR_VAULT_UNREADABLE')
      return { kind: 'odd', rule: 'unreadable-or-too-big' }
    throw error
  }
  if (!found) return { kind: 'moving' }
  // A ledger is carried up to its last whole line: the rest is being written.
  const bytes = place.kind === 'log' ? found.bytes.subarray(0, found.bytes.lastIndexOf(10) + 1) : found.bytes
  const oid = blobIdOf(bytes)
  if (base.get(path)?.oid !== oid) await repo.writeBlob(bytes)
  return { kind: 'read', oid, identity: found.identity }
}
