import { ruleScan } from './content-scan.ts'
import { type Author, checkCommit, type FileChange, MAX_CHANGES, maxBytesOf } from './path-ownership.ts'
import type { ContentScan } from './ports/content-scan.ts'
import type { CommitChange, Oid, RepoPort, SignedCommit } from './ports/repo.ts'
import { scanChanges, scanMessage, shownPath } from './scan-changes.ts'
import { arrivals, TakenNames } from './taken-names.ts'
import { type RevokedKey, sshFingerprint, type Trust } from './trust.ts'
import { parseVaultPath } from './vault-path.ts'
import type { Zone } from './zone-policy.ts'

/** One reason for which a commit may not enter. `detail` is a path or a few words, safe to print on one line. */
export interface GateFault {
  readonly commit: Oid | null
  readonly rule: string
  readonly detail: string
}

/**
 * `verifiedHead` is the newest commit that may enter, `commits` are those after the last verified one up to it, oldest
 * first. Of a refused range that is what stands before its first bad commit.
 */
export type GateVerdict = { readonly verifiedHead: Oid | null; readonly commits: readonly SignedCommit[] } & (
  | { readonly kind: 'ok' }
  | { readonly kind: 'refused'; readonly faults: readonly GateFault[] }
)

export interface GateContext {
  /** Agents by name, from trust/agents.json. */
  readonly agents: ReadonlyMap<string, Zone>
  /** Keys that count no more, by fingerprint. */
  readonly revoked?: ReadonlyMap<string, RevokedKey>
  /** At the hub: the agent whose deploy key opened the connection, when known. It must also be the signer. */
  readonly pushedBy?: string
  /** At the hub: the bytes of files that one push may bring, each version counted. */
  readonly maxFileBytes?: number
  /** The paths of the last verified tree that may share a name with one of these; without it only new ones are compared. */
  readonly standing?: (paths: readonly string[]) => readonly string[] | Promise<readonly string[]>
  /** What may not stand in contents, names and messages. Without one the program's own rules are applied. */
  readonly scan?: ContentScan
}

/** What the gate has to know of `trust/agents.json`. */
export function gateTrust({ agents, revoked }: Trust): Required<Pick<GateContext, 'agents' | 'revoked'>> {
  return {
    agents: new Map(agents.map((one) => [one.name, one.zone])),
    revoked: new Map(revoked.map((one) => [sshFingerprint(one.signing), one])),
  }
}

export interface Range {
  readonly lastVerified: Oid | null
  readonly head: Oid | null
}

/** What a commit is judged by besides itself. */
interface Surroundings {
  /** Paths of its parent's tree, as `checkCommit` wants them. */
  readonly standing?: readonly string[]
  /** Whether it is this commit or stands before it. */
  readonly isUpTo?: (commit: Oid) => boolean
}

/** Enough to see what happened; a hostile commit of thousands of bad paths is not worth more. */
const MAX_FAULTS = 50
/** A message is a subject and trailers. */
const MAX_MESSAGE_CHARS = 16 * 1024
const MAX_DETAIL_CHARS = 200
/** All blobs of one commit, before and after: what judging it may hold in memory. */
const MAX_COMMIT_BYTES = 160 * 1024 * 1024

/**
 * Judges everything between the last verified head and a new one: the hub's pre-receive hook before it accepts, and
 * each clone after it fetched. Same function, so that a hub with its hook removed gains nothing. Ends at the first bad
 * commit: whatever builds on it is bad too. Reads blobs through `repo`, commit by commit; refuses oversize ones unread.
 */
export async function judgeRange(
  repo: Pick<RepoPort, 'commitsBetween' | 'readBlob' | 'isAncestor'>,
  range: Range,
  context: GateContext,
): Promise<GateVerdict> {
  const { lastVerified, head } = range
  if (head === lastVerified) return { kind: 'ok', verifiedHead: head, commits: [] }
  const refuse = (faults: readonly GateFault[], commits: readonly SignedCommit[] = []): GateVerdict => ({
    kind: 'refused',
    faults: faults.slice(0, MAX_FAULTS),
    verifiedHead: commits.at(-1)?.oid ?? lastVerified,
    commits,
  })
  if (head === null) return refuse([{ commit: null, rule: 'hub-rolled-back', detail: 'the hub has no main any more' }])
  if (lastVerified !== null && !(await repo.isAncestor(lastVerified, head)))
    return refuse([{ commit: head, rule: 'hub-rolled-back', detail: `it does not follow ${lastVerified}` }])
  const found = await repo.commitsBetween(lastVerified, head)
  const line = lineOf(found, range)
  if (line.kind === 'broken') return refuse(line.faults)
  const tooMuch = bulkFault(found, head, context.maxFileBytes)
  if (tooMuch) return refuse([tooMuch])
  const arriving = lastVerified === null ? [] : found.flatMap(({ changes }) => arrivals(changes))
  const taken = new TakenNames((await context.standing?.(arriving)) ?? [])
  const places = new Map(line.commits.map(({ oid }, index) => [oid, index]))
  for (const [index, commit] of line.commits.entries()) {
    const faults = await judgeContent(repo, commit, context, {
      standing: taken.sharedWith(commit.changes.map(({ path }) => path)),
      isUpTo: (oid) => index <= (places.get(oid) ?? -1),
    })
    if (faults.length > 0) return refuse(faults, line.commits.slice(0, index))
    taken.change(commit.changes)
  }
  return { kind: 'ok', verifiedHead: head, commits: line.commits }
}

/**
 * The line of first parents from the last verified head to the new one. What does not lead there was rolled back or
 * rewritten. What a merge brings besides is not in the line; the merge itself is refused by its own parents.
 */
export function lineOf<T extends Pick<SignedCommit, 'oid' | 'parents'>>(
  found: readonly T[],
  { lastVerified, head }: Range,
):
  | { readonly kind: 'line'; readonly commits: readonly T[] }
  | { readonly kind: 'broken'; readonly faults: GateFault[] } {
  const byOid = new Map(found.map((commit) => [commit.oid, commit]))
  const commits: T[] = []
  for (let at = head; at !== lastVerified; ) {
    const commit = at === null ? undefined : byOid.get(at)
    if (!commit) {
      const merges = found
        .filter(({ parents }) => parents.length > 1)
        .map(({ oid, parents }) => mergeFault(oid, parents))
      const detail = `its first parents lead to ${at ?? 'nothing'}, not to ${lastVerified ?? 'nothing'}`
      return { kind: 'broken', faults: [...merges, { commit: head, rule: 'hub-rolled-back', detail }] }
    }
    commits.push(commit)
    at = commit.parents[0] ?? null
  }
  return { kind: 'line', commits: commits.reverse() }
}

function mergeFault(commit: Oid, parents: readonly Oid[]): GateFault {
  return { commit, rule: 'merge-commit', detail: `${parents.length} parents` }
}

function bulkFault(found: readonly SignedCommit[], head: Oid, maxFileBytes = Infinity): GateFault | undefined {
  const sizes = found.flatMap(({ changes }) => changes.map(({ after }) => after?.size ?? 0))
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  const detail = `${bytes} bytes of files in one push, ${maxFileBytes} are allowed`
  return bytes > maxFileBytes ? { commit: head, rule: 'push-size', detail } : undefined
}

/** Signature, form and ownership of one commit, given the bytes of its blobs (those `blobsToRead` names). */
export function judgeCommit(
  commit: SignedCommit,
  contents: ReadonlyMap<Oid, Uint8Array>,
  context: GateContext,
  surroundings: Surroundings = {},
): GateFault[] {
  const fault = (rule: string, detail: string): GateFault => ({
    commit: commit.oid,
    rule,
    detail: printable(detail),
  })
  if (commit.parents.length > 1) return [mergeFault(commit.oid, commit.parents)]
  const signer = signerOf(commit, context, surroundings)
  if ('rule' in signer) return [fault(signer.rule, signer.detail)]
  const faults: GateFault[] = []
  if (context.pushedBy !== undefined && context.pushedBy !== signer.agent)
    faults.push(fault('pusher-is-not-signer', `signed by ${signer.agent}, pushed by ${context.pushedBy}`))
  if (commit.message.length > MAX_MESSAGE_CHARS) faults.push(fault('message-size', `${commit.message.length}`))
  if (commit.changes.length === 0) faults.push(fault('empty-commit', 'it changes nothing'))
  const tooBig = bulkRule(commit)
  if (tooBig) return [...faults, fault(tooBig, `${commit.changes.length} paths`)]
  // An oversize or strange entry is refused on what the tree says of it; its bytes are never read.
  const strange = commit.changes.flatMap((change) => {
    const rule = entryRule(change)
    return rule ? [fault(rule, change.path)] : []
  })
  if (strange.length > 0) return [...faults, ...strange]
  const changes = commit.changes.map((change) => withBytes(change, contents))
  const violations = checkCommit(signer, changes, surroundings.standing)
  return [...faults, ...violations.map((one) => fault(one.rule, one.path))]
}

/**
 * Who signed: a known agent, or one whose key was revoked after this commit had been verified. Only its place in the
 * history tells; the date in a commit is whatever its author writes.
 */
function signerOf(
  { signature }: SignedCommit,
  { agents, revoked }: GateContext,
  { isUpTo }: Surroundings,
): Author | { readonly rule: string; readonly detail: string } {
  const fingerprint = 'fingerprint' in signature ? signature.fingerprint : ''
  const old = revoked?.get(fingerprint)
  if (old) {
    if (old.after !== null && isUpTo?.(old.after)) return { agent: old.name, zone: old.zone }
    return { rule: 'signature-revoked', detail: `the key of ${old.name} counts up to ${old.after ?? 'nothing'}` }
  }
  if (signature.state !== 'good') return { rule: `signature-${signature.state}`, detail: 'no known agent signed this' }
  const zone = agents.get(signature.agent)
  return zone ? { agent: signature.agent, zone } : { rule: 'signature-unknown-key', detail: signature.agent }
}

/** The blobs whose bytes `judgeCommit` needs, each with the size beyond which it would be refused anyway. */
export function blobsToRead(commit: SignedCommit): { oid: Oid; maxBytes: number }[] {
  if (bulkRule(commit) || commit.changes.some((change) => entryRule(change) !== undefined)) return []
  const files = commit.changes.flatMap(({ before, after }) => [before, after].filter((file) => file !== undefined))
  return [...new Map(files.map((file) => [file.oid, { oid: file.oid, maxBytes: file.size }])).values()]
}

function bulkRule({ changes }: SignedCommit): string | undefined {
  if (changes.length > MAX_CHANGES) return 'too-many-changes'
  const bytes = changes.reduce((sum, { before, after }) => sum + (before?.size ?? 0) + (after?.size ?? 0), 0)
  return bytes > MAX_COMMIT_BYTES ? 'commit-size' : undefined
}

/** What the tree entry alone shows to be wrong. Removing a wrong entry is allowed by form; ownership still decides. */
function entryRule({ path, after }: CommitChange): string | undefined {
  if (after === undefined) return undefined
  if (after.mode !== '100644') return 'mode'
  const verdict = parseVaultPath(path)
  if (!verdict.ok) return verdict.rule
  return after.size > maxBytesOf(verdict.place) ? 'size' : undefined
}

async function judgeContent(
  repo: Pick<RepoPort, 'readBlob'>,
  commit: SignedCommit,
  context: GateContext,
  surroundings: Surroundings,
): Promise<GateFault[]> {
  const isRefused = commit.parents.length > 1 || 'rule' in signerOf(commit, context, surroundings)
  const wanted = isRefused ? [] : blobsToRead(commit)
  const contents = new Map<Oid, Uint8Array>()
  await Promise.all(wanted.map(async ({ oid, maxBytes }) => contents.set(oid, await repo.readBlob(oid, maxBytes))))
  const faults = judgeCommit(commit, contents, context, surroundings)
  return faults.length > 0 ? faults : secretFaults(commit, contents, context.scan ?? ruleScan)
}

async function secretFaults(
  commit: SignedCommit,
  contents: ReadonlyMap<Oid, Uint8Array>,
  scan: ContentScan,
): Promise<GateFault[]> {
  const changes = commit.changes.map((change) => withBytes(change, contents))
  const words = `${commit.header ?? ''}\n${commit.message}`
  const inMessage = (await scanMessage(words, scan)).map((rule) => ({ rule, detail: 'in its message or author' }))
  const inFiles = (await scanChanges(changes, scan)).map((one) => ({ rule: one.rule, detail: shownPath(one) }))
  return [...inMessage, ...inFiles].map(({ rule, detail }) => ({ commit: commit.oid, rule, detail: printable(detail) }))
}

function withBytes({ path, before, after }: CommitChange, contents: ReadonlyMap<Oid, Uint8Array>): FileChange {
  return {
    path,
    mode: after?.mode,
    before: before && bytesOf(before.oid, contents),
    after: after && bytesOf(after.oid, contents),
  }
}

/** A blob that nobody read must not pass as an absent one. */
function bytesOf(oid: Oid, contents: ReadonlyMap<Oid, Uint8Array>): Uint8Array {
  const bytes = contents.get(oid)
  if (bytes === undefined) throw new Error(`the gate was not given blob ${oid}`)
  return bytes
}

/** Names from another machine: no control, bidirectional or zero-width character reaches a terminal or a log. */
export function printable(text: string): string {
  return text.slice(0, MAX_DETAIL_CHARS).replace(/[^\x20-\x7e\p{L}\p{N}]/gu, (char) => {
    return `\\u{${char.codePointAt(0)?.toString(16)}}`
  })
}
