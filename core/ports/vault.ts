import type { VaultPath } from '../vault-path.ts'

/**
 * The vault as files. Reads follow no links and are limited in size; writes appear whole or not at all (temporary
 * file, fsync, rename); a move is one rename. Nothing here runs git.
 */
export interface VaultPort {
  /** Absolute path of the vault's root folder. */
  readonly root: string
  /**
   * Regular `.md` files directly in one folder (`Needs_Action/email`), sorted; conflict copies and dot files left out; with
   * `ending`, only those whose names end so, which costs little among thousands. Missing folder: empty.
   */
  list(folder: string, ending?: string): Promise<VaultPath[]>
  /**
   * What else stands directly in one folder: other endings, names that are no path of the vault, links, folders. Dot files
   * and conflict copies left out; sorted.
   */
  strays(folder: string): Promise<string[]>
  /** Where a task file of this name stands now, in whatever state folder; undefined when nowhere. */
  find(fileName: string): Promise<VaultPath | undefined>
  /** Every folder in which a task may stand now, in the order of a task's life. */
  taskFolders(): Promise<string[]>
  /** Every conflict copy, sorted. */
  conflicts(): Promise<VaultPath[]>
  exists(path: VaultPath): Promise<boolean>
  /**
   * Something that is not the same any more once the file has changed, without reading it. undefined when nothing can be
   * told by it: absent, no plain file, or so young that one more change might leave it as it is.
   */
  stamp(path: VaultPath): Promise<string | undefined>
  /** UTF-8 text. Throws ERR_VAULT_UNREADABLE: a link, not a regular file, hard-linked, over `maxBytes` (default 1 MiB), not UTF-8. undefined when absent. */
  read(path: VaultPath, maxBytes?: number): Promise<string | undefined>
  readBytes(path: VaultPath, maxBytes: number): Promise<Uint8Array | undefined>
  /** Writes a new file; never replaces one. */
  create(path: VaultPath, content: string | Uint8Array): Promise<'created' | 'exists'>
  /** Whatever stands there: only for files that nobody else writes. */
  replace(path: VaultPath, content: string | Uint8Array): Promise<void>
  /**
   * Replaces a file only if it still reads as `expected`. What another program saves at the same instant stays:
   * `changed` means that its bytes stand there, not `content`.
   */
  replaceIf(path: VaultPath, expected: string, content: string): Promise<'replaced' | 'changed' | 'gone'>
  /** Removes a file only if it still reads as `expected`; as for `replaceIf`, what was saved at the same instant stays. */
  removeIf(path: VaultPath, expected: string): Promise<'removed' | 'changed' | 'gone'>
  /** One rename that never replaces a file. `gone`: `from` is not there any more. */
  move(from: VaultPath, to: VaultPath): Promise<'moved' | 'gone' | 'exists'>
  /** false when it was not there. */
  remove(path: VaultPath): Promise<boolean>
  /** Calls back (coalesced) after any change below the folders, created ones included, until disposed. */
  watch(folders: readonly string[], onChange: () => void): Promise<AsyncDisposable>
}
