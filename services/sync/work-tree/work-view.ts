import { type FileIdentity, sameIdentity } from '#core/file-identity.ts'
import { mergeKey } from '#core/merge.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { BaseRow, SyncStore } from '#core/ports/sync-store.ts'
import type { VaultPath } from '#core/vault-path.ts'

export interface Scanned {
  readonly oid: Oid
  /** Null: the file is not what was scanned any more, or cannot be carried; sync leaves it alone. */
  readonly identity: FileIdentity | null
  /** It was read so soon after its last change that its identity alone does not tell the next one. */
  readonly isFresh?: boolean
}

/**
 * A file changed this recently may change again without its times telling (they have the grain of the kernel's
 * tick), so its identity is not trusted to skip the next read.
 */
const FRESH_MS = 50

export function isFresh(identity: FileIdentity, clock: Clock): boolean {
  return clock.now() - Number(BigInt(identity.ctimeNs) / 1_000_000n) <= FRESH_MS
}

/** The identity as the base may remember it; null when the next scan had better read the file again. */
export function rememberable(identity: FileIdentity | null, clock: Clock): FileIdentity | null {
  return identity && !isFresh(identity, clock) ? identity : null
}

/**
 * What is known of the work tree: the base, and over it what was found to be different. Only the differences are held
 * in memory.
 */
export class WorkView {
  readonly #store: SyncStore
  readonly #clock: Clock
  /** Null: gone. */
  readonly #differing = new Map<VaultPath, Scanned | null>()
  readonly #byKey = new Map<string, Set<VaultPath>>()

  constructor(store: SyncStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** The files of these keys as they stand in the work tree. */
  ours(keys: Iterable<string>): Map<VaultPath, Scanned> {
    const wanted = [...keys]
    const found = new Map<VaultPath, Scanned>(this.#store.baseOf(wanted))
    for (const path of wanted.flatMap((key) => [...(this.#byKey.get(key) ?? [])])) this.#overlay(found, path)
    return found
  }

  /** The files that stand directly in a folder. */
  in(folder: string): Map<VaultPath, Scanned> {
    const found = new Map<VaultPath, Scanned>(this.#store.baseIn(folder))
    for (const path of this.#differing.keys())
      if (path.slice(0, Math.max(0, path.lastIndexOf('/'))) === folder) this.#overlay(found, path)
    return found
  }

  /** What is there, and whether it may be believed without reading. */
  known(path: VaultPath): Scanned | undefined {
    const differing = this.#differing.get(path)
    return differing === undefined ? this.#store.baseRow(path) : (differing ?? undefined)
  }

  /** Every path that differs from the base. */
  differing(): Iterable<VaultPath> {
    return this.#differing.keys()
  }

  /** Takes note of what stands at a path; null: nothing. */
  note(path: VaultPath, found: Scanned | null): void {
    const base = this.#store.baseRow(path)
    this.#forget(path)
    const isBase = found === null ? base === undefined : found.oid === base?.oid
    if (isBase && (found === null || sameIdentity(found.identity, base?.identity))) return
    this.#differing.set(path, found)
    const key = mergeKey(path)
    this.#byKey.set(key, (this.#byKey.get(key) ?? new Set()).add(path))
  }

  /** What the base is to become for these keys once what stands in the work tree is what the hub has. */
  asBase(keys: Iterable<string>): [VaultPath, BaseRow | null][] {
    return [...keys].flatMap((key) =>
      [...(this.#byKey.get(key) ?? [])].map((path): [VaultPath, BaseRow | null] => {
        const found = this.#differing.get(path)
        return [path, found ? { oid: found.oid, identity: rememberable(found.identity, this.#clock) } : null]
      }),
    )
  }

  /** After the base of these keys was written: drops what is no difference any more. */
  settle(keys: Iterable<string>): void {
    for (const key of keys)
      for (const path of [...(this.#byKey.get(key) ?? [])]) {
        const found = this.#differing.get(path)
        const base = this.#store.baseRow(path)
        if (found ? found.oid === base?.oid && base.identity !== null : base === undefined) this.#forget(path)
      }
  }

  /** As after a restart: nothing that was read before is believed to be in the repository. */
  forget(): void {
    this.#differing.clear()
    this.#byKey.clear()
  }

  #overlay(found: Map<VaultPath, Scanned>, path: VaultPath): void {
    const differing = this.#differing.get(path)
    if (differing) found.set(path, differing)
    else if (differing === null) found.delete(path)
  }

  #forget(path: VaultPath): void {
    this.#differing.delete(path)
    const key = mergeKey(path)
    const paths = this.#byKey.get(key)
    paths?.delete(path)
    if (paths?.size === 0) this.#byKey.delete(key)
  }
}
