import { type GateContext, judgeRange } from '#core/gate.ts'
import type { Oid, RepoPort } from '#core/ports/repo.ts'

const ABSENT = '0'.repeat(40)
const UPDATE = /^([0-9a-f]{40}) ([0-9a-f]{40}) (\S+)$/

/**
 * What is wrong with a push, one plain line for each fault; empty when it may enter. `updates` is what git gives the
 * hook: `<old> <new> <ref>` a line. The hub's own head counts as verified, because everything before it came this way.
 */
export async function judgePush(
  updates: string,
  repo: Pick<RepoPort, 'commitsBetween' | 'readBlob' | 'isAncestor'>,
  context: GateContext,
): Promise<string[]> {
  const lines = updates.split('\n').filter(Boolean)
  const faults: string[] = []
  for (const line of lines) {
    const [, before = '', after = '', ref = ''] = UPDATE.exec(line) ?? []
    if (ref !== 'refs/heads/main') faults.push(faultLine('', 'ref', 'only refs/heads/main is kept here'))
    else if (after === ABSENT) faults.push(faultLine('', 'deletion', 'main is never deleted'))
    else {
      const lastVerified = before === ABSENT ? null : (before as Oid)
      const verdict = await judgeRange(repo, { lastVerified, head: after as Oid }, context)
      if (verdict.kind === 'refused')
        faults.push(...verdict.faults.map(({ commit, rule, detail }) => faultLine(commit ?? '', rule, detail)))
    }
  }
  return lines.length > 0 ? faults : [faultLine('', 'nothing', 'git named no ref')]
}

/** Clients show lines with this beginning to their person. */
function faultLine(commit: string, rule: string, detail: string): string {
  return `countersign: refused ${[commit.slice(0, 12), rule].filter(Boolean).join(' ')}: ${detail}`
}
