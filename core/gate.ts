import { ruleScan } from './content-scan.ts'
import { checkCommit, type FileChange, MAX_CHANGES, maxBytesOf } from './path-ownership.ts'
import type { ContentScan } from './ports/content-scan.ts'
import type { CommitChange, Oid, RepoPort, SignedCommit } from './ports/repo.ts'
import { scanChanges, scanMessage, shownPath } from './scan-changes.ts'
import { parseVaultPath } from './vault-path.ts'
import type { Zone } from './zone-policy.ts'

/** One reason for which a commit may not enter. `detail` is a path or a few words, safe to print on one line. */
export interface GateFault {
  readonly commit: Oid | null
  readonly rule: string
  readonly detail: string
}

export type GateVerdict =
  | { readonly kind: 'ok'; readonly verifiedHead: Oid | null }
  | { readonly kind: 'refused'; readonly faults: readonly GateFault[] }

export interface GateContext {
  /** Agents by name, from trust/agents.json. */
  readonly agents: ReadonlyMap<string, Zone>
  /** At the hub: the agent whose deploy key opened the connection, when known. It must also be the signer. */
  readonly pushedBy?: string
  /** What may not stand in contents, names and messages. Without one the program's own rules are applied. */
  readonly scan?: ContentScan
}

/** Enough to see what happened; a hostile push of thousands of bad commits is not worth more. */
const MAX_FAULTS = 50
/** A message is a subject and trailers. */
const MAX_MESSAGE_CHARS = 16 * 1024
const MAX_DETAIL_CHARS = 200
/** All blobs of one commit, before and after: what judging it may hold in memory. */
const MAX_COMMIT_BYTES = 160 * 1024 * 1024

/**
 * Judges everything between the last verified head and a new one: the hub's pre-receive hook before it accepts, and
 * each clone after it fetched. Same function, so that a hub with its hook removed gains nothing. Reads blobs through
 * `repo`, commit by commit; refuses oversize ones unread.
 */
export async function judgeRange(
  repo: Pick<RepoPort, 'commitsBetween' | 'readBlob' | 'isAncestor'>,
  range: { readonly lastVerified: Oid | null; readonly head: Oid | null },
  context: GateContext,
): Promise<GateVerdict> {
  const { lastVerified, head } = range
  if (head === lastVerified) return { kind: 'ok', verifiedHead: head }
  if (head === null) return refused([{ commit: null, rule: 'hub-rolled-back', detail: 'the hub has no main any more' }])
  if (lastVerified !== null && !(await repo.isAncestor(lastVerified, head)))
    return refused([{ commit: head, rule: 'hub-rolled-back', detail: `it does not follow ${lastVerified}` }])
  const commits = await repo.commitsBetween(lastVerified, head)
  const faults = judgeChain(commits, range)
  for (const commit of commits) {
    if (faults.length >= MAX_FAULTS) break
    faults.push(...(await judgeContent(repo, commit, context)))
  }
  return faults.length > 0 ? refused(faults) : { kind: 'ok', verifiedHead: head }
}

/** One line of single-parent commits from the last verified head to the new one, or the hub was rolled back or rewritten. */
export function judgeChain(
  commits: readonly Pick<SignedCommit, 'oid' | 'parents'>[],
  range: { readonly lastVerified: Oid | null; readonly head: Oid | null },
): GateFault[] {
  const last = commits.at(-1)
  if (last === undefined || last.oid !== range.head)
    return [
      { commit: range.head, rule: 'hub-rolled-back', detail: `expected to find more after ${range.lastVerified}` },
    ]
  const faults: GateFault[] = []
  let expected = range.lastVerified
  for (const { oid, parents } of commits) {
    if (parents.length > 1) faults.push({ commit: oid, rule: 'merge-commit', detail: `${parents.length} parents` })
    else if ((parents[0] ?? null) !== expected) {
      const rule = expected === range.lastVerified ? 'hub-rolled-back' : 'not-linear'
      faults.push({ commit: oid, rule, detail: `follows ${parents[0] ?? 'nothing'}, not ${expected ?? 'nothing'}` })
    }
    expected = oid
  }
  return faults
}

/** Signature, form and ownership of one commit, given the bytes of its blobs (those `blobsToRead` names). */
export function judgeCommit(
  commit: SignedCommit,
  contents: ReadonlyMap<Oid, Uint8Array>,
  context: GateContext,
): GateFault[] {
  const fault = (rule: string, detail: string): GateFault => ({
    commit: commit.oid,
    rule,
    detail: printable(detail),
  })
  const { signature } = commit
  if (signature.state !== 'good') return [fault(`signature-${signature.state}`, 'no known agent signed this')]
  const zone = context.agents.get(signature.agent)
  if (zone === undefined) return [fault('signature-unknown-key', signature.agent)]
  const faults: GateFault[] = []
  if (context.pushedBy !== undefined && context.pushedBy !== signature.agent)
    faults.push(fault('pusher-is-not-signer', `signed by ${signature.agent}, pushed by ${context.pushedBy}`))
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
  const violations = checkCommit({ agent: signature.agent, zone }, changes)
  return [...faults, ...violations.map((one) => fault(one.rule, one.path))]
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
): Promise<GateFault[]> {
  const wanted = commit.signature.state === 'good' ? blobsToRead(commit) : []
  const contents = new Map<Oid, Uint8Array>()
  await Promise.all(wanted.map(async ({ oid, maxBytes }) => contents.set(oid, await repo.readBlob(oid, maxBytes))))
  const faults = judgeCommit(commit, contents, context)
  return faults.length > 0 ? faults : secretFaults(commit, contents, context.scan ?? ruleScan)
}

async function secretFaults(
  commit: SignedCommit,
  contents: ReadonlyMap<Oid, Uint8Array>,
  scan: ContentScan,
): Promise<GateFault[]> {
  const changes = commit.changes.map((change) => withBytes(change, contents))
  const inMessage = (await scanMessage(commit.message, scan)).map((rule) => ({ rule, detail: 'in its message' }))
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

function refused(faults: readonly GateFault[]): GateVerdict {
  return { kind: 'refused', faults: faults.slice(0, MAX_FAULTS) }
}

/** Names from another machine: no control, bidirectional or zero-width character reaches a terminal or a log. */
function printable(text: string): string {
  return text.slice(0, MAX_DETAIL_CHARS).replace(/[^\x20-\x7e\p{L}\p{N}]/gu, (char) => {
    return `\\u{${char.codePointAt(0)?.toString(16)}}`
  })
}
