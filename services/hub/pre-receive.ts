import { type GateContext, type GateVerdict, judgeRange } from '#core/gate.ts'
import { PROOF_REF } from '#core/hub-proof.ts'
import type { Oid, RepoPort } from '#core/ports/repo.ts'

/** What the gate reads of a push. */
export interface PushReader extends Pick<RepoPort, 'commitsBetween' | 'readBlob' | 'isAncestor'> {
  /** `from` null: from the beginning. */
  countBetween(from: Oid | null, to: Oid): Promise<number>
  standingNames(commit: Oid, paths: readonly string[]): Promise<readonly string[]>
}

const ABSENT = '0'.repeat(40)
const UPDATE = /^([0-9a-f]{40}) ([0-9a-f]{40}) (\S+)$/
/** Far more than an honest push brings: sync makes one commit of what changed and one of its claims. */
const MAX_COMMITS = 500
const MAX_FILE_BYTES = 256 * 1024 * 1024

/**
 * What is wrong with a push, one plain line for each fault; empty when it may enter. `updates` is what git gives the
 * hook: `<old> <new> <ref>` a line. The hub's own head counts as verified, because everything before it came this way.
 */
export async function judgePush(updates: string, repo: PushReader, context: GateContext): Promise<string[]> {
  const lines = updates.split('\n').filter(Boolean)
  const faults: string[] = []
  for (const line of lines) {
    const [, before = '', after = '', ref = ''] = UPDATE.exec(line) ?? []
    if (ref === PROOF_REF && after !== ABSENT) faults.push(...(await judgeProof(after as Oid, repo, context)))
    else if (ref !== 'refs/heads/main') faults.push(faultLine('', 'ref', 'only refs/heads/main is kept here'))
    else if (after === ABSENT) faults.push(faultLine('', 'deletion', 'main is never deleted'))
    else if (before === ABSENT) faults.push(...(await judgeFirst(after as Oid, repo, context)))
    else faults.push(...(await judgeUpdate(before as Oid, after as Oid, repo, context)))
  }
  return lines.length > 0 ? faults : [faultLine('', 'nothing', 'git named no ref')]
}

/**
 * The history of an empty hub: of any length and signed by all, for it may be what an agent puts back after a loss.
 */
async function judgeFirst(head: Oid, repo: PushReader, { agents, revoked }: GateContext): Promise<string[]> {
  return faultsIn(await judgeRange(repo, { lastVerified: null, head }, { agents, ...(revoked && { revoked }) }))
}

/**
 * What `countersign prove` brings: one commit without a parent, judged by the rules of any other, and never let in. It could not
 * be even if nothing judged it: a branch of this name cannot stand beside main.
 */
async function judgeProof(commit: Oid, repo: PushReader, context: GateContext): Promise<string[]> {
  const never = faultLine('', 'proof', 'this was only to be judged')
  if ((await repo.countBetween(null, commit)) !== 1) return [never]
  return [...faultsIn(await judgeRange(repo, { lastVerified: null, head: commit }, context)), never]
}

async function judgeUpdate(lastVerified: Oid, head: Oid, repo: PushReader, context: GateContext): Promise<string[]> {
  // Counted before they are read: a push of a few megabytes can hold a hundred thousand.
  const count = await repo.countBetween(lastVerified, head)
  if (count > MAX_COMMITS)
    return [faultLine(head, 'too-many-commits', `${count} in one push, ${MAX_COMMITS} are allowed`)]
  const standing = (paths: readonly string[]) => repo.standingNames(lastVerified, paths)
  const bounds = { maxFileBytes: MAX_FILE_BYTES, standing }
  return faultsIn(await judgeRange(repo, { lastVerified, head }, { ...context, ...bounds }))
}

function faultsIn(verdict: GateVerdict): string[] {
  if (verdict.kind === 'ok') return []
  return verdict.faults.map(({ commit, rule, detail }) => faultLine(commit ?? '', rule, detail))
}

/** Clients show lines with this beginning to their person. */
function faultLine(commit: string, rule: string, detail: string): string {
  return `countersign: refused ${[commit.slice(0, 12), rule].filter(Boolean).join(' ')}: ${detail}`
}
