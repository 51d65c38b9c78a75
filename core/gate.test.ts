import { describe, expect, it } from 'vitest'
import { type GateContext, judgeCommit, judgeRange, lineOf } from './gate.ts'
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
    ['a merge', { parents: [A, C] }, ['merge-commit']],
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

describe('the line of commits', () => {
  const link = (own: Oid, ...parents: Oid[]) => ({ oid: own, parents })

  it.each<[string, { oid: Oid; parents: Oid[] }[], Oid | null, Oid, string[] | Oid[]]>([
    ['the first commits of a vault', [link(A), link(B, A)], null, B, [A, B]],
    ['two commits after the verified one', [link(B, A), link(C, B)], A, C, [B, C]],
    ['a merge of something new, which stands in the line alone', [link(D), link(B, A), link(C, B, D)], A, C, [B, C]],
    [
      'a merge that leaves the line by its first parent',
      [link(D), link(C, D, A)],
      A,
      C,
      ['merge-commit', 'hub-rolled-back'],
    ],
    ['a chain that starts elsewhere', [link(C, D)], A, C, ['hub-rolled-back']],
    ['a new root', [link(C)], A, C, ['hub-rolled-back']],
    ['nothing new but another head', [], A, B, ['hub-rolled-back']],
    ['a range that does not end at the head', [link(B, A)], A, C, ['hub-rolled-back']],
  ])('%s', (_what, commits, lastVerified, head, expected) => {
    const line = lineOf(commits, { lastVerified, head })
    const found = line.kind === 'line' ? line.commits.map((one) => one.oid) : line.faults.map((fault) => fault.rule)
    expect(found).toEqual(expected)
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
    expect(verdict).toEqual({ kind: 'ok', verifiedHead: A, commits: [] })
    expect(await judgeRange(repo([]), { lastVerified: null, head: null }, context)).toMatchObject({ kind: 'ok' })
  })

  it('passes honest commits and names the new head', async () => {
    const verdict = await judgeRange(repo([commit()]), { lastVerified: A, head: B }, context)
    expect(verdict).toEqual({ kind: 'ok', verifiedHead: B, commits: [commit()] })
  })

  it.each([
    ['lost its branch', null, true],
    ['does not contain the verified head', B, false],
  ])('refuses a hub that %s', async (_what, head, isAncestor) => {
    const verdict = await judgeRange(repo([commit()], isAncestor), { lastVerified: A, head }, context)
    expect(verdict).toMatchObject({
      kind: 'refused',
      faults: [{ rule: 'hub-rolled-back' }],
      verifiedHead: A,
      commits: [],
    })
  })

  it('refuses a bad commit and what follows it; what stands before it is good', async () => {
    const bad = commit({ oid: C, parents: [B], changes: [added('Dashboard.md')] })
    const after = commit({ oid: D, parents: [C], changes: [added('HALT.md')] })
    const verdict = await judgeRange(repo([commit(), bad, after]), { lastVerified: A, head: D }, context)
    expect(verdict).toEqual({
      kind: 'refused',
      faults: [{ commit: C, rule: 'local-only-path', detail: 'Dashboard.md' }],
      verifiedHead: B,
      commits: [commit()],
    })
    const first = await judgeRange(repo([{ ...bad, parents: [A] }]), { lastVerified: A, head: C }, context)
    expect(first).toMatchObject({ kind: 'refused', verifiedHead: A, commits: [] })
  })

  it('takes what stands before a merge', async () => {
    const side = commit({ oid: D, parents: [] })
    const merge = commit({ oid: C, parents: [B, D] })
    const verdict = await judgeRange(repo([side, commit(), merge]), { lastVerified: A, head: C }, context)
    expect(verdict).toMatchObject({ kind: 'refused', faults: [{ commit: C, rule: 'merge-commit' }], verifiedHead: B })
  })

  describe('with a revoked key', () => {
    const key: CommitSignature = { state: 'unknown-key', fingerprint: 'SHA256:old' }
    const line = [B, C, D].map((own, at) =>
      commit({ oid: own, parents: [[A, B, C][at] as Oid], signature: key, committedAt: 0 }),
    )
    const revokedAfter = (after: Oid | null): GateContext => ({
      ...context,
      revoked: new Map([['SHA256:old', { name: 'former', zone: 'cloud', signing: '', ledger: '', after }]]),
    })
    const verified = async (after: Oid | null, commits = line, lastVerified: Oid | null = A) => {
      const head = commits.at(-1)?.oid ?? null
      const verdict = await judgeRange(repo(commits), { lastVerified, head }, revokedAfter(after))
      return [verdict.verifiedHead, verdict.kind === 'refused' ? verdict.faults[0]?.rule : 'ok']
    }
    const own = (text: string) => [added(`Updates/former/01K9ZZZZZZZZZZZZZZZZ7H3K9Q.md`, { size: text.length })]

    it('believes its commits up to the last that was verified, and no later one', async () => {
      const signed = line.map((one) => ({ ...one, changes: own('note\n') }))
      expect(await verified(D, signed)).toEqual([D, 'ok'])
      expect(await verified(C, signed)).toEqual([C, 'signature-revoked'])
      expect(await verified(A, signed)).toEqual([A, 'signature-revoked'])
      expect(await verified(null, signed)).toEqual([A, 'signature-revoked'])
    })

    it('believes nothing of a history without that commit', async () => {
      const elsewhere = line.map((one) => ({ ...one, changes: own('note\n') }))
      expect(await verified(oid('e'), elsewhere)).toEqual([A, 'signature-revoked'])
      const root = [{ ...elsewhere[0]!, parents: [] }]
      expect(await verified(A, root, null)).toEqual([null, 'signature-revoked'])
    })

    it('holds it to what its agent might do', async () => {
      expect(await verified(D)).toEqual([A, 'not-your-updates'])
    })

    it('refuses it although an agent of that name is known, as one whose trust was not read anew', async () => {
      const stale = [commit({ signature: { ...good, fingerprint: 'SHA256:old' } })]
      expect(await verified(null, stale)).toEqual([A, 'signature-revoked'])
    })
  })

  describe('and names that stand already', () => {
    const needs = (name: string) => `Needs_Action/email/EMAIL_2026-11-20_${name}_7h3k9q.md`
    const TASK = Buffer.from(`---
id: 01K9ZZZZZZZZZZZZZZZZ7H3K9Q
schema: "1"
kind: EMAIL
domain: email
title: t
created: "2026-11-20T10:00:00Z"
generation: "0"
---
`)
    const withTask = { ...repo([]), readBlob: async () => TASK }
    const judge = (commits: SignedCommit[], standing: string[] = []) =>
      judgeRange(
        { ...withTask, commitsBetween: async () => commits },
        { lastVerified: A, head: commits.at(-1)?.oid ?? null },
        {
          ...context,
          standing: (paths) =>
            standing.filter((one) =>
              paths.some((path) => path.slice(-9).toLowerCase() === one.slice(-9).toLowerCase()),
            ),
        },
      )
    const rules = async (...given: Parameters<typeof judge>) => {
      const verdict = await judge(...given)
      return verdict.kind === 'refused' ? verdict.faults.map((fault) => fault.rule) : []
    }
    const local: CommitSignature = { ...good, agent: 'local' }

    it('refuses a task that stands elsewhere in the verified tree', async () => {
      const one = commit({ changes: [added(needs('x'))] })
      expect(await rules([one])).toEqual([])
      expect(await rules([one], ['Done/2026-11/EMAIL_2026-11-20_x_7h3k9q.md'])).toEqual(['task-in-two-places'])
    })

    it('refuses a name that an earlier commit of the range brought', async () => {
      const first = commit({ signature: local, changes: [added('Inbox/Café.md')] })
      const second = (path: string) => commit({ oid: C, parents: [B], signature: local, changes: [added(path)] })
      expect(await rules([first, second('Inbox/CAFÉ.md')])).toEqual(['name-differs-only-in-case'])
      expect(await rules([first, second('Plans/CAFÉ.md')])).toEqual([])
    })

    it('lets a name go on once it was taken away', async () => {
      const file = { mode: '100644', oid: BLOB, size: 1 }
      const away = commit({ signature: local, changes: [{ path: 'Inbox/a.md', before: file }] })
      const anew = commit({ oid: C, parents: [B], signature: local, changes: [added('Inbox/A.md')] })
      expect(await rules([away, anew], ['Inbox/a.md'])).toEqual([])
      expect(await rules([{ ...anew, parents: [A] }], ['Inbox/a.md'])).toEqual(['name-differs-only-in-case'])
    })
  })

  it('refuses a push of more bytes than one may bring', async () => {
    const two = repo([commit(), commit({ oid: C, parents: [B] })])
    const range = { lastVerified: A, head: C }
    expect(await judgeRange(two, range, { ...context, maxFileBytes: 10 })).toMatchObject({ kind: 'ok' })
    expect(await judgeRange(two, range, { ...context, maxFileBytes: 9 })).toMatchObject({
      kind: 'refused',
      faults: [{ commit: C, rule: 'push-size', detail: '10 bytes of files in one push, 9 are allowed' }],
      verifiedHead: A,
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
