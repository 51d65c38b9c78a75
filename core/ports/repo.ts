/** A git object id: 40 lower-case hex digits. Made by adapters; accepted everywhere else without checking again. */
export type Oid = string & { readonly __brand: 'Oid' }

/** One file of a tree. `mode` as git prints it: 100644, 100755, 120000 (link), 160000 (submodule). */
export interface TreeFile {
  readonly mode: string
  readonly oid: Oid
  /** Bytes; 0 for a submodule. */
  readonly size: number
}

/** Who really signed a commit, by the key's fingerprint. Author and committer names mean nothing and are not offered. */
export type CommitSignature =
  | { readonly state: 'good'; readonly agent: string; readonly fingerprint: string }
  /** A valid signature by a key that no known agent holds. */
  | { readonly state: 'unknown-key'; readonly fingerprint: string }
  | { readonly state: 'unsigned' | 'bad' }

/** One path that a commit changed. No `before`: added; no `after`: removed. Renames are a removal and an addition. */
export interface CommitChange {
  /** Bytes that are no UTF-8 appear as U+FFFD, which no vault path contains. */
  readonly path: string
  readonly before?: TreeFile
  readonly after?: TreeFile
}

export interface SignedCommit {
  readonly oid: Oid
  readonly parents: readonly Oid[]
  readonly signature: CommitSignature
  /** The whole message with its trailers. */
  readonly message: string
  /** The rest of the commit's text but its tree, parents and signature: names that nobody believes. Kept for the scan. */
  readonly header?: string
  /** `Key: value` lines of the message's last paragraph; the last one of a key counts. Keys keep their case. */
  readonly trailers: Readonly<Record<string, string>>
  /** Committer date, ms since the epoch; the signer's claim, one second resolution. */
  readonly committedAt: number
  /** Against the first parent (or against nothing), sorted by path. */
  readonly changes: readonly CommitChange[]
}

export type FetchOutcome =
  /** `head` is null when the hub has no `main` yet. It is fetched, not verified. */
  | { readonly kind: 'ok'; readonly head: Oid | null }
  | { readonly kind: 'unreachable'; readonly reason: string }
  /**
   * The hub answered with objects that git's own checks refuse (fsck): treat like a refusal of the gate. `head` is the
   * hub's, when it could be found out; `good` the newest commit before the first refused one, fetched and not verified.
   */
  | { readonly kind: 'refused'; readonly reason: string; readonly head: Oid | null; readonly good: Oid | null }

export type RefusedCause = 'refused' | 'unstored'

/** Three outcomes, never two. `unknown`: fetch and look whether the commit is an ancestor of the hub's head. */
export type PushOutcome =
  | { readonly kind: 'landed' }
  /**
   * The head had moved (`raced`), the hub's hook refused it (`refused`, its plain lines in `reason`), or the hub's disk
   * did not take it (`unstored`).
   */
  | { readonly kind: 'rejected'; readonly cause: 'raced' | RefusedCause; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string }

export interface PushRequest {
  readonly commit: Oid
  readonly expected: Oid | null
  /** The hub gets back what it had lost, whoever had made it. */
  readonly isRestore?: boolean
}

export interface CommitDraft {
  /** The hub head to build on; null for the first commit of a vault. */
  readonly parent: Oid | null
  /** Whole new content by path; `oid: null` removes the path. Always mode 100644. Applied to the parent's tree. */
  readonly changes: readonly { readonly path: string; readonly oid: Oid | null }[]
  readonly message: string
  /** Written after the message in this order, e.g. `{ Claim: id, Nonce: hex, HLC: '…' }`. One line each. */
  readonly trailers?: Readonly<Record<string, string>>
}

/** Something that tells of pushes to the hub. */
export interface HubWatch extends AsyncDisposable {
  /** False: pushes may go unnoticed now, and the hub has to be asked. */
  isLive(): boolean
}

/**
 * The sync engine's view of one clone and of the hub's single branch `main`. No work tree, no index of the user's, no
 * merge: only objects, refs and transport. Each call has a deadline of its own. Lifecycle first, then transport (the
 * calls that may find the hub away, as values), then reading and writing objects (which throw ERR_GIT_FAILED).
 */
export interface RepoPort extends AsyncDisposable {
  /** This clone's agent: the signer of `commitTree`. */
  readonly agent: string

  /**
   * Brings the hub's `main` here. Never throws for a hub that is away or hostile. `mayBeTold`: where the hub has sent its
   * newest commits by itself while it was watched, it is not asked again.
   */
  fetch(options?: { readonly mayBeTold?: boolean }): Promise<FetchOutcome>
  /**
   * Calls back after each push to the hub, whoever made it; with its head where that is known. Undefined where the hub
   * cannot be listened to.
   */
  watch(onPush: (head?: Oid | null) => void): HubWatch | undefined
  /** The hub's head without fetching it: one cheap round trip. */
  remoteHead(): Promise<FetchOutcome>
  /**
   * Compare-and-swap of the hub's head from `expected` (null: no branch yet) to `commit`, never forced. `commit` must
   * descend from `expected`; throws ERR_GIT_FAILED when it does not.
   */
  push(request: PushRequest): Promise<PushOutcome>
  /**
   * Puts the hub's head from `expected` back to an older commit (null: to nothing), which throws away what came after. Only
   * on the person's word; our own hub refuses it to everybody.
   */
  resetHub(request: { to: Oid | null; expected: Oid }): Promise<PushOutcome>

  /** The hub head as last fetched, null before the first fetch or for an empty hub. */
  head(): Promise<Oid | null>
  /** Commits reachable from `to` and not from `from` (null: all), parents before children, signatures checked. */
  commitsBetween(from: Oid | null, to: Oid): Promise<SignedCommit[]>
  /** False also when `ancestor` is not in this clone. */
  isAncestor(ancestor: Oid, descendant: Oid): Promise<boolean>
  /** Every file of a commit by path; null gives the empty tree. */
  treeOf(commit: Oid | null): Promise<Map<string, TreeFile>>
  /** The bytes of a blob. Throws ERR_GIT_FAILED when it is absent or over `maxBytes`. */
  readBlob(oid: Oid, maxBytes: number): Promise<Uint8Array>
  /** Stores bytes (on disk when it resolves) and gives their id; storing the same bytes twice is one blob. */
  writeBlob(bytes: Uint8Array): Promise<Oid>
  /** A commit signed with the agent's key. It moves no ref and is known to nobody until it is pushed. */
  commitTree(draft: CommitDraft): Promise<Oid>

  /** Packs loose objects once there are many. For idle moments; other calls may go on meanwhile. */
  tidy(): Promise<void>
  /**
   * What is wrong with the objects that the refs lead to, a line each: whether they are all there, and with `readAll` also
   * whether their bytes are what their names say. Empty when nothing is.
   */
  checkObjects(options: { readonly readAll: boolean }): Promise<string[]>

  /** Refs of this clone alone: `refs/countersign/<name>`, name like `verified`, `quarantine`. null removes. */
  saveRef(name: string, oid: Oid | null): Promise<void>
  readRef(name: string): Promise<Oid | null>
  /** Makes `refs/countersign/lost/<name>` exactly these, so that their bytes stay in this clone. Names: letters, digits, `-`. */
  keepBlobs(blobs: ReadonlyMap<string, Oid>): Promise<void>
}
