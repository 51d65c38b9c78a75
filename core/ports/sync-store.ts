import type { FileIdentity } from '../file-identity.ts'
import type { TaskJob } from '../jobs.ts'
import type { VaultPath } from '../vault-path.ts'
import type { Oid } from './repo.ts'

/** The version that a work-tree file is known to be synchronised with. Identity null: read it again to be sure. */
export interface BaseRow {
  readonly oid: Oid
  readonly identity: FileIdentity | null
}

/** A file of the hub's verified head. */
export interface HubFile {
  readonly oid: Oid
  /** Bytes. */
  readonly size: number
}

/** A claim; `request`: what asked for it, and is told when it has landed. */
export interface Claim extends TaskJob {
  readonly request?: string
}

/** A push that was begun: once the hub's history holds `commit`, its rows become the base. */
export interface PushIntent {
  readonly commit: Oid
  /** The hub head it was built on: when the hub has moved past it without `commit`, it can never land. */
  readonly parent: Oid | null
  readonly rows: readonly { readonly path: VaultPath; readonly row: BaseRow | null }[]
  readonly claims: readonly Claim[]
}

/** One atomic change of the store; absent parts stay as they are. */
export interface StoreChange {
  readonly base?: Iterable<readonly [VaultPath, BaseRow | null]>
  /** What changed in the tree of the verified head; null: removed. */
  readonly hub?: Iterable<readonly [VaultPath, HubFile | null]>
  /** The whole tree of the verified head, when it was not known. */
  readonly wholeHub?: Iterable<readonly [VaultPath, HubFile]>
  /** Merge key → HLC text of the hub's version. */
  readonly stamps?: Iterable<readonly [string, string]>
  /** What the work tree is about to become: path → new bytes (null: removed). `[]` when it has become it. */
  readonly applying?: Iterable<readonly [VaultPath, Oid | null]>
  readonly addIntent?: PushIntent
  readonly removeIntents?: Iterable<Oid>
  /** Small facts by name; null removes. */
  readonly facts?: Readonly<Record<string, string | null>>
}

/**
 * What sync remembers between cycles, outside the vault: of each file the version it was last synchronised as (the
 * base), and the tree of the hub's verified head. Everything is asked by merge key, so that a round costs what it
 * changes and not what the vault holds. Each `update` is all or nothing and on disk when it returns.
 */
export interface SyncStore extends Disposable {
  /** The base of all files with these merge keys. */
  baseOf(keys: Iterable<string>): Map<VaultPath, BaseRow>
  baseRow(path: VaultPath): BaseRow | undefined
  /** The base of the files that stand directly in a folder; '' is the vault's root. */
  baseIn(folder: string): Map<VaultPath, BaseRow>
  /** Every folder with a base row. */
  baseFolders(): string[]
  /** At most `limit` paths, in no particular order. */
  somePaths(limit: number): VaultPath[]
  hubOf(keys: Iterable<string>): Map<VaultPath, HubFile>
  /** The hub's files whose path begins with this. */
  hubUnder(prefix: string): Map<VaultPath, HubFile>
  /** The hub's conflict copies, sorted. */
  hubConflicts(): VaultPath[]
  /** Merge keys whose base and hub differ. Reads everything: for a start or a reconcile. */
  unequalKeys(): Set<string>
  stamp(key: string): string | undefined
  applying(): Map<VaultPath, Oid | null>
  intents(): PushIntent[]
  fact(name: string): string | undefined
  update(change: StoreChange): void
}
