import type { FileIdentity } from '../file-identity.ts'
import type { VaultPath } from '../vault-path.ts'

/** Something in the vault's folders that sync does not carry, and the rule it breaks. */
export interface Oddity {
  readonly path: string
  readonly rule: string
}

/** What one folder holds itself; '' is the vault's root. */
export interface Listing {
  readonly folder: string
  readonly files: ReadonlyMap<VaultPath, FileIdentity>
  readonly oddities: readonly Oddity[]
}

/** What stands at one path. */
export type Sight =
  | { readonly kind: 'file'; readonly path: VaultPath; readonly identity: FileIdentity }
  | { readonly kind: 'odd'; readonly rule: string }
  /** No file: nothing at all, or a folder that may hold some. */
  | { readonly kind: 'gone' }

/** `changed`: the file was not (any more) what the caller had seen; nothing was done. */
export type ChangeOutcome =
  | {
      readonly kind: 'done'
      /** Of the file now at its place; undefined after a removal, or when it was touched again at once. */
      readonly identity?: FileIdentity
      /** Bytes that another program wrote into the replaced file in the instant before it was replaced. */
      readonly displaced?: Uint8Array
    }
  | { readonly kind: 'changed' }

/**
 * The vault as sync sees it: listings, single looks, and changes that happen only if a file is still what was scanned.
 * Other programs write at any time. Throws ERR_VAULT_UNREADABLE, ERR_VAULT_WRITE_FAILED.
 */
export interface WorkTreePort {
  /** Every plain file of the contract, folder by folder. Not atomic: a file moved meanwhile may be missed or seen twice. */
  list(): AsyncIterable<Listing>
  /** The folders that there are, those of the contract. */
  folders(): Promise<string[]>
  look(path: string): Promise<Sight>
  /** The bytes with the identity they belong to; undefined when the file is gone or does not hold still. */
  read(path: VaultPath, maxBytes: number): Promise<{ bytes: Uint8Array; identity: FileIdentity } | undefined>
  /** Writes whole and durably; `expected` null: only if there is no file. */
  write(path: VaultPath, bytes: Uint8Array, expected: FileIdentity | null): Promise<ChangeOutcome>
  /** One rename that never replaces a file. */
  move(from: VaultPath, to: VaultPath, expected: FileIdentity): Promise<ChangeOutcome>
  remove(path: VaultPath, expected: FileIdentity): Promise<ChangeOutcome>
  /** Renames a file whose name stands in another Unicode form, unless the other name is taken. */
  respell(from: string, to: VaultPath): Promise<ChangeOutcome>
}
