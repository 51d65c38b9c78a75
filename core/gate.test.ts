import { describe, expect, it } from 'vitest'
import { type GateContext, judgeChain, judgeCommit, judgeRange } from './gate.ts'
import type { CommitChange, CommitSignature, Oid, RepoPort, SignedCommit } from './ports/repo.ts'

const oid = (digit: string) => digit.repeat(40) as Oid
const [A, B, C, D] = ['a', 'b', 'c', 'd'].map(oid) as [Oid, Oid, Oid, Oid]
const BLOB = oid('1')
const BYTES = Buffer.from('note\n')
const NOTE = 'Updates/cloud/01K9ZZZZZZZZZZZZZZZZ7H3K9Q.md'
const good: CommitSignature = { state: 'good', agent: 'cloud', fingerprint: 'SHA256:x' }
const context: GateContext = {
  agents: new Map([
    ['cloud', 'cloud'],
    ['local', 'local'],
  ]),
}

function added(path: string, file: Partial<{ mode: string; oid: Oid; size: number }> = {}): CommitChange {
  return { path, after: { mode: '100644', oid: BLOB, size: BYTES.length, ...file } }
}

function commit(fields: Partial<SignedCommit> = {}): SignedCommit {
  return {
    oid: B,
    parents: [A],
    signature: good,
    message: 'sync',
    trailers: {},
    committedAt: 0,
    changes: [added(NOTE)],
    ...fields,
  }
}

const contents = new Map([[BLOB, BYTES]])
const rulesOf = (one: SignedCommit, where: GateContext = context) =>
  judgeCommit(one, contents, where).map((fault) => fault.rule)

describe('judging one commit', () => {
  it('passes an honest one', () => {
    expect(rulesOf(commit())).toEqual([])
  })

  it.each<[string, Partial<SignedCommit>, string[]]>([
    ['unsigned', { signature: { state: 'unsigned' } }, ['signature-unsigned']],
    ['a bad signature', { signature: { state: 'bad' } }, ['signature-bad']],
    ['an unknown key', { signature: { state: 'unknown-key', fingerprint: 'SHA256:y' } }, ['signature-unknown-key']],
    ['a good key of nobody we know', { signature: { ...good, agent: 'mallory' } }, ['signature-unknown-key']],
    ['a path of the other zone', { changes: [added('Dashboard.md')] }, ['local-only-path']],
    ['a link', { changes: [added(NOTE, { mode: '120000' })] }, ['mode']],
    ['an executable', { changes: [added(NOTE, { mode: '100755' })] }, ['mode']],
    ['a submodule', { changes: [added(NOTE, { mode: '160000' })] }, ['mode']],
    ['an unknown path', { changes: [added('Elsewhere/x.md')] }, ['path-unknown']],
    ['a note that is too large', { changes: [added(NOTE, { size: 256 * 1024 + 1 })] }, ['size']],
    [
      'blobs that are too large together',
      { changes: Array.from({ length: 20 }, () => added(`Attachments/${'a'.repeat(64)}`, { size: 10 * 1024 * 1024 })) },
      ['commit-size'],
    ],
    ['too many paths', { changes: Array.from({ length: 5_001 }, () => added(NOTE)) }, ['too-many-changes']],
    ['no change', { changes: [] }, ['empty-commit']],
    ['an endless message', { message: 'x'.repeat(20_000) }, ['message-size']],
  ])('refuses %s', (_what, fields, rules) => {
    expect(rulesOf(commit(fields))).toEqual(rules)
  })

  it('refuses what one agent signed and another pushed', () => {
    expect(rulesOf(commit(), { ...context, pushedBy: 'local' })).toEqual(['pusher-is-not-signer'])
    expect(rulesOf(commit(), { ...context, pushedBy: 'cloud' })).toEqual([])
  })

  it('judges by the signer’s zone', () => {
    const changes = [added('Dashboard.md')]
    expect(rulesOf(commit({ signature: { ...good, agent: 'local' }, changes }))).toEqual([])
  })

  it('does not take a blob that nobody read for an absent one', () => {
    expect(() => judgeCommit(commit(), new Map(), context)).toThrow(/was not given blob/)
  })

  it('shows hostile names without their control characters', () => {
    const [fault] = judgeCommit(commit({ changes: [added('Plans/\u202e\u001b[31m\nx.md')] }), contents, context)
    expect(fault?.detail).toBe('Plans/\\u{202e}\\u{1b}[31m\\u{a}x.md')
  })
})

describe('judging the chain', () => {
  const link = (own: Oid, ...parents: Oid[]) => ({ oid: own, parents })

  it.each<[string, { oid: Oid; parents: Oid[] }[], Oid | null, Oid, string[]]>([
    ['the first commits of a vault', [link(A), link(B, A)], null, B, []],
    ['two commits after the verified one', [link(B, A), link(C, B)], A, C, []],
    ['a merge', [link(B, A), link(C, B, D)], A, C, ['merge-commit']],
    ['a chain that starts elsewhere', [link(C, D)], A, C, ['hub-rolled-back']],
    ['a new root', [link(C)], A, C, ['hub-rolled-back']],
    ['nothing new but another head', [], A, B, ['hub-rolled-back']],
    ['a fork inside', [link(B, A), link(C, A), link(D, C)], A, D, ['not-linear']],
    ['a range that does not end at the head', [link(B, A)], A, C, ['hub-rolled-back']],
  ])('%s', (_what, commits, lastVerified, head, rules) => {
    expect(judgeChain(commits, { lastVerified, head }).map((fault) => fault.rule)).toEqual(rules)
  })
})

describe('judging a range', () => {
  const repo = (
    commits: SignedCommit[],
    isAncestor = true,
  ): Pick<RepoPort, 'commitsBetween' | 'readBlob' | 'isAncestor'> => ({
    commitsBetween: async () => commits,
    readBlob: async () => BYTES,
    isAncestor: async () => isAncestor,
  })

  it('passes when there is nothing new', async () => {
    const verdict = await judgeRange(repo([]), { lastVerified: A, head: A }, context)
    expect(verdict).toEqual({ kind: 'ok', verifiedHead: A })
    expect(await judgeRange(repo([]), { lastVerified: null, head: null }, context)).toMatchObject({ kind: 'ok' })
  })

  it('passes honest commits and names the new head', async () => {
    const verdict = await judgeRange(repo([commit()]), { lastVerified: A, head: B }, context)
    expect(verdict).toEqual({ kind: 'ok', verifiedHead: B })
  })

  it.each([
    ['lost its branch', null, true],
    ['does not contain the verified head', B, false],
  ])('refuses a hub that %s', async (_what, head, isAncestor) => {
    const verdict = await judgeRange(repo([commit()], isAncestor), { lastVerified: A, head }, context)
    expect(verdict).toMatchObject({ kind: 'refused', faults: [{ rule: 'hub-rolled-back' }] })
  })

  it('refuses the whole range for one bad commit, and names it', async () => {
    const bad = commit({ oid: C, parents: [B], changes: [added('Dashboard.md')] })
    const after = commit({ oid: D, parents: [C] })
    const verdict = await judgeRange(repo([commit(), bad, after]), { lastVerified: A, head: D }, context)
    expect(verdict).toEqual({
      kind: 'refused',
      faults: [{ commit: C, rule: 'local-only-path', detail: 'Dashboard.md' }],
    })
  })

  it('reads no blob of a commit that is refused without', async () => {
    const reader = {
      ...repo([commit({ signature: { state: 'unsigned' } })]),
      readBlob: () => Promise.reject(new Error('read')),
    }
    expect(await judgeRange(reader, { lastVerified: A, head: B }, context)).toMatchObject({ kind: 'refused' })
    const huge = { ...reader, commitsBetween: async () => [commit({ changes: [added(NOTE, { size: 1e9 })] })] }
    expect(await judgeRange(huge, { lastVerified: A, head: B }, context)).toMatchObject({ kind: 'refused' })
  })
})
