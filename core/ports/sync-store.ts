import type { FileIdentity } from '../file-identity.ts'
import type { TaskJob } from '../jobs.ts'
import type { VaultPath } from '../vault-path.ts'
import type { Oid } from './repo.ts'

/** The version that a work-tree file is known to be synchronised with. Identity null: read it again to be sure. */
export interface BaseRow {
  readonly oid: Oid
  readonly identity: FileIdentity | null
}

/** A push that was begun: once the hub's history holds `commit`, its rows become the base. */
export interface PushIntent {
  readonly commit: Oid
  /** The hub head it was built on: when the hub has moved past it without `commit`, it can never land. */
  readonly parent: Oid | null
  readonly rows: readonly { readonly path: VaultPath; readonly row: BaseRow | null }[]
  readonly claims: readonly TaskJob[]
}

/** One atomic change of the store; absent parts stay as they are. */
export interface StoreChange {
  readonly base?: Iterable<readonly [VaultPath, BaseRow | null]>
  /** Merge key → HLC text of the hub's version. */
  readonly stamps?: Iterable<readonly [string, string]>
  /** What the work tree is about to become: path → new bytes (null: removed). `[]` when it has become it. */
  readonly applying?: Iterable<readonly [VaultPath, Oid | null]>
  readonly addIntent?: PushIntent
  readonly removeIntents?: Iterable<Oid>
  /** Small facts by name; null removes. */
  readonly facts?: Readonly<Record<string, string | null>>
}

/** What sync remembers between cycles, outside the vault. Each `update` is all or nothing and on disk when it returns. */
export interface SyncStore extends Disposable {
  base(): Map<VaultPath, BaseRow>
  stamp(key: string): string | undefined
  applying(): Map<VaultPath, Oid | null>
  intents(): PushIntent[]
  fact(name: string): string | undefined
  update(change: StoreChange): void
}
