import type { CommitSignature, Oid, SignedCommit } from '#core/ports/repo.ts'
import { commitSignature } from './ssh-signature.ts'

/** A commit object without what it changes. */
export interface ReadCommit extends Omit<SignedCommit, 'changes'> {
  readonly tree: Oid | null
}

/**
 * Reads a commit object. One that is not built as ours are counts as badly signed, whatever else it says: of such a
 * commit nothing here is to be believed.
 */
export function parseCommit(oid: Oid, raw: Uint8Array, agents: ReadonlyMap<string, string>): ReadCommit {
  const text = Buffer.from(raw).toString('utf8')
  const end = text.indexOf('\n\n')
  const header = end < 0 ? text : text.slice(0, end)
  const message = end < 0 ? '' : text.slice(end + 2)
  const signature = commitSignature(raw)
  return {
    oid,
    tree: (/^tree ([0-9a-f]{40})$/m.exec(header)?.[1] as Oid | undefined) ?? null,
    parents: [...header.matchAll(/^parent ([0-9a-f]{40})$/gm)].map((match) => match[1] as Oid),
    signature: signerOf(signature, agents),
    message: message.trimEnd(),
    header: headerText(header),
    trailers: trailersOf(message),
    committedAt: Number(/^committer .* (\d{1,12}) [+-]\d{4}$/m.exec(header)?.[1] ?? 0) * 1000,
  }
}

/** Author, committer and whatever else somebody put there. */
function headerText(header: string): string {
  return header
    .replace(/^gpgsig .*(?:\n .*)*\n?/m, '')
    .split('\n')
    .filter((line) => !/^(?:tree|parent) [0-9a-f]{40}$/.test(line))
    .join('\n')
}

/** A commit of which nothing but its place is known. */
export function unreadCommit(oid: Oid, parents: readonly Oid[]): ReadCommit {
  const nothing = { tree: null, message: '', header: '', trailers: {}, committedAt: 0 }
  return { oid, parents, signature: { state: 'bad' }, ...nothing }
}

/** The bytes to sign of a commit by `agent`. */
export function formatCommit(commit: {
  readonly tree: Oid
  readonly parent: Oid | null
  readonly agent: string
  readonly atMs: number
  readonly text: string
}): Buffer {
  const who = `${commit.agent} <${commit.agent}@countersign.invalid> ${Math.trunc(commit.atMs / 1000)} +0000`
  const parent = commit.parent ? `parent ${commit.parent}\n` : ''
  return Buffer.from(`tree ${commit.tree}\n${parent}author ${who}\ncommitter ${who}\n\n${commit.text}`)
}

function signerOf(signature: ReturnType<typeof commitSignature>, agents: ReadonlyMap<string, string>): CommitSignature {
  if (signature.state !== 'good') return signature
  const agent = agents.get(signature.fingerprint)
  return agent === undefined ? { state: 'unknown-key', fingerprint: signature.fingerprint } : { ...signature, agent }
}

function trailersOf(message: string): Record<string, string> {
  const paragraph =
    message
      .trimEnd()
      .split(/\n\s*\n/)
      .slice(1)
      .at(-1) ?? ''
  const pairs = paragraph.split('\n').map((line) => /^([A-Za-z][A-Za-z0-9-]*): (.*)$/.exec(line))
  return pairs.every((pair) => pair !== null)
    ? Object.fromEntries(pairs.map((pair) => [pair[1] ?? '', pair[2] ?? '']))
    : {}
}
