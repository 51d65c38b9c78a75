import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { judgeRange } from '#core/gate.ts'
import type { Oid } from '#core/ports/repo.ts'
import { Attacker, type HostileFile } from '#tests/support/git-attacker.ts'
import { commitFiles, makeHub, makeZones, openClone, taskText, type Zones } from '#tests/support/git-zones.ts'

const PENDING = 'Pending_Approval/email/EMAIL_2026-11-20_invoice_7h3k9q.md'
const OPEN = 'Needs_Action/email/EMAIL_2026-11-20_question_8h3k9q.md'
const APPROVED = 'Approved/EMAIL_2026-11-20_reply_9h3k9q.md'
const CARD = 'Pending_Approval/email/EMAIL_2026-11-20_card_bh3k9q.md'
const BROKEN = 'Pending_Approval/email/EMAIL_2026-11-20_broken_ch3k9q.md'
const CLAIMED = 'In_Progress/cloud/EMAIL_2026-11-20_claimed_dh3k9q.md'
const PLAN = 'Plans/trip.md'
const PLAN_COPY = 'Plans/trip.conflict-local-20261120T100000Z-12345678.md'
const LOG = 'Logs/cloud/2026-11-20.jsonl'
const ids = {
  pending: '01K9ZZZZZZZZZZZZZZZZ7H3K9Q',
  open: '01K9ZZZZZZZZZZZZZZZZ8H3K9Q',
  approved: '01K9ZZZZZZZZZZZZZZZZ9H3K9Q',
  card: '01K9ZZZZZZZZZZZZZZZZBH3K9Q',
  claimed: '01K9ZZZZZZZZZZZZZZZZDH3K9Q',
}

let zones: Zones
let hub: string
let head: Oid
/** The head before the person approved: what a merge with `ours` would bring back. */
let earlier: Oid

beforeAll(async () => {
  zones = await makeZones()
  hub = await makeHub(zones)
  await using local = await openClone(zones, 'local', hub)
  await using cloud = await openClone(zones, 'cloud', hub)
  const first = await commitFiles(local, null, {
    'Dashboard.md': '# Dashboard\n',
    [PENDING]: taskText(1, 'Invoice', ids.pending),
    [OPEN]: taskText(0, 'Question', ids.open),
    'Pending_Approval/email/EMAIL_2026-11-20_reply_9h3k9q.md': taskText(1, 'Reply', ids.approved),
    [CARD]: shown(taskText(1, 'Card', ids.card)),
    [BROKEN]: '---\nschema: [\n---\nthe person’s words\n',
    [CLAIMED.replace('In_Progress/cloud', 'Needs_Action/email')]: taskText(0, 'Claimed', ids.claimed),
    [PLAN]: 'ours\n',
    [PLAN_COPY]: 'the losing side\n',
  })
  expect(await local.push({ commit: first, expected: null })).toEqual({ kind: 'landed' })
  await cloud.fetch()
  earlier = await commitFiles(cloud, first, {
    [LOG]: '{"seq":1}\n{"seq":2}\n',
    [CLAIMED.replace('In_Progress/cloud', 'Needs_Action/email')]: null,
    [CLAIMED]: taskText(1, 'Claimed', ids.claimed),
  })
  expect(await cloud.push({ commit: earlier, expected: first })).toEqual({ kind: 'landed' })
  await local.fetch()
  head = await commitFiles(local, earlier, {
    'Pending_Approval/email/EMAIL_2026-11-20_reply_9h3k9q.md': null,
    [APPROVED]: taskText(1, 'Reply', ids.approved),
  })
  expect(await local.push({ commit: head, expected: earlier })).toEqual({ kind: 'landed' })
})

afterAll(() => zones[Symbol.dispose]())

/** The text with the mark that only local's executor sets. */
function shown(text: string): string {
  return text.replace('---\n#', 'presented:\n  digest: sha256:aa\n  at: "2026-11-20T10:00:00Z"\n---\n#')
}

function ticked(text: string): string {
  return `${text}\n<!-- countersign:decision -->\n- [x] Approve\n<!-- countersign:/decision -->\n`
}

interface Attack {
  readonly what: string
  /** The gate's rule, or what git's own check of objects says (it runs before the hook). */
  readonly rule: RegExp
  readonly make: (attacker: Attacker) => Oid
}

/** One commit on the head by the cloud's own key. */
const write =
  (files: Readonly<Record<string, HostileFile | null>>) =>
  (attacker: Attacker): Oid =>
    attacker.commit({ parents: [head], files, signer: 'cloud' })

function strangerKey(): string {
  const path = join(mkdtempSync(join(zones.root, 'stranger-')), 'key')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path])
  return path
}

const NOTE = `Updates/cloud/${ids.open}.md`
const FORGED = taskText(1, 'Pay me', '01K9ZZZZZZZZZZZZZZZZAH3K9Q')

const attacks: readonly Attack[] = [
  {
    what: 'an unsigned commit',
    rule: /signature-unsigned/,
    make: (a) => a.commit({ parents: [head], files: { [NOTE]: 'x\n' }, signer: null }),
  },
  {
    what: 'a commit signed with an unknown key',
    rule: /signature-unknown-key/,
    make: (a) => a.commit({ parents: [head], files: { [NOTE]: 'x\n' }, signer: strangerKey() }),
  },
  {
    what: 'the deploy key used to sign',
    rule: /signature-unknown-key/,
    make: (a) =>
      a.commit({ parents: [head], files: { [NOTE]: 'x\n' }, signer: join(zones.home('cloud'), 'keys', 'deploy') }),
  },
  {
    what: 'a commit by the cloud that names local as its author',
    rule: /local-only-path/,
    make: (a) => a.commit({ parents: [head], files: { 'Dashboard.md': 'x\n' }, signer: 'cloud', author: 'local' }),
  },
  { what: 'a signature moved to another commit', rule: /signature-bad/, make: moveSignature },
  {
    what: 'a forged approval',
    rule: /local-only-path/,
    make: write({ 'Approved/EMAIL_2026-11-20_pay-me_ah3k9q.md': FORGED }),
  },
  {
    what: 'a pending task moved to Approved',
    rule: /local-only-path/,
    make: write({
      [PENDING]: null,
      'Approved/EMAIL_2026-11-20_invoice_7h3k9q.md': taskText(1, 'Invoice', ids.pending),
    }),
  },
  {
    what: 'an approved task edited',
    rule: /local-only-path/,
    make: write({ [APPROVED]: taskText(1, 'Other', ids.approved) }),
  },
  { what: 'an approved task removed', rule: /local-only-path/, make: write({ [APPROVED]: null }) },
  {
    what: 'a task put into Done',
    rule: /local-only-path/,
    make: write({ 'Done/2026-11/EMAIL_2026-11-20_pay-me_ah3k9q.md': FORGED }),
  },
  { what: 'the dashboard written', rule: /local-only-path/, make: write({ 'Dashboard.md': 'all is well\n' }) },
  { what: 'HALT.md created', rule: /local-only-path/, make: write({ 'HALT.md': 'x\n' }) },
  {
    what: 'a task put into the local zone’s hands',
    rule: /not-your-work/,
    make: write({ 'In_Progress/local/EMAIL_2026-11-20_pay-me_ah3k9q.md': FORGED }),
  },
  {
    what: 'a pending task from nowhere',
    rule: /appears-from-nowhere/,
    make: write({ 'Pending_Approval/email/EMAIL_2026-11-20_pay-me_ah3k9q.md': FORGED }),
  },
  {
    what: 'a copy of a presented card under its name in another folder',
    rule: /presented-is-locals/,
    make: write({ [CARD.replace('Pending_Approval/email', 'Needs_Action/accounting')]: shown(taskText(0, 'Card')) }),
  },
  {
    what: 'a presented card changed',
    rule: /presented-draft-is-frozen/,
    make: write({ [CARD]: taskText(1, 'Other', ids.card) }),
  },
  {
    what: 'a draft that says it was presented',
    rule: /presented-is-locals/,
    make: write({ [PENDING]: shown(taskText(1, 'Invoice', ids.pending)) }),
  },
  {
    what: 'a draft that approves itself',
    rule: /decision-is-the-persons/,
    make: write({ [PENDING]: ticked(taskText(1, 'Invoice', ids.pending)) }),
  },
  {
    what: 'a task that comes approved',
    rule: /decision-is-the-persons/,
    make: write({ 'Needs_Action/email/EMAIL_2026-11-20_pay-me_ah3k9q.md': ticked(FORGED) }),
  },
  {
    what: 'a task in the folder of another domain',
    rule: /domain-differs/,
    make: write({ 'Needs_Action/accounting/EMAIL_2026-11-20_pay-me_ah3k9q.md': FORGED }),
  },
  {
    what: 'a card replaced that the person broke',
    rule: /broken-file-is-the-persons/,
    make: write({ [BROKEN]: FORGED }),
  },
  {
    what: 'a claimed task swapped for another',
    rule: /task-id-changed/,
    make: write({ [CLAIMED]: FORGED }),
  },
  {
    what: 'a claimed task with a lower generation',
    rule: /generation/,
    make: write({ [CLAIMED]: taskText(0, 'Claimed', ids.claimed) }),
  },
  { what: 'a plan removed', rule: /plan-removed/, make: write({ [PLAN]: null }) },
  {
    what: 'the losing side of a plan removed',
    rule: /conflict-copy-is-the-persons/,
    make: write({ [PLAN_COPY]: null }),
  },
  { what: 'the ledger rewritten', rule: /ledger-rewritten/, make: write({ [LOG]: '{"seq":1}\n{"seq":3}\n' }) },
  { what: 'the ledger cut', rule: /ledger-rewritten/, make: write({ [LOG]: '{"seq":1}\n' }) },
  { what: 'the ledger removed', rule: /ledger-deleted/, make: write({ [LOG]: null }) },
  {
    what: 'the other zone’s ledger written',
    rule: /not-your-ledger/,
    make: write({ 'Logs/local/2026-11-20.jsonl': '{"seq":1}\n' }),
  },
  {
    what: 'a merge commit that undoes an approval (-s ours)',
    rule: /merge-commit/,
    make: (a) => a.commit({ parents: [earlier, head], files: {}, signer: 'cloud' }),
  },
  {
    what: 'a merge commit on top of the head',
    rule: /merge-commit/,
    make: (a) =>
      a.commit({
        parents: [head, a.commit({ parents: [earlier], files: { [NOTE]: 'x\n' }, signer: 'cloud' })],
        files: { [NOTE]: 'x\n' },
        signer: 'cloud',
      }),
  },
  {
    what: 'a bad commit followed by one that undoes it',
    rule: /local-only-path/,
    make: (a) =>
      a.commit({
        parents: [write({ 'Dashboard.md': 'x\n' })(a)],
        files: { 'Dashboard.md': '# Dashboard\n' },
        signer: 'cloud',
      }),
  },
  {
    what: 'a symbolic link',
    rule: /mode|symlink/,
    make: write({ [NOTE]: { mode: '120000', content: '/etc/passwd' } }),
  },
  { what: 'an executable file', rule: /mode/, make: write({ [NOTE]: { mode: '100755', content: 'x\n' } }) },
  { what: 'a group-writable file', rule: /mode/i, make: write({ [NOTE]: { mode: '100664', content: 'x\n' } }) },
  { what: 'a submodule', rule: /mode/, make: (a) => write({ 'Plans/module.md': { mode: '160000', oid: head } })(a) },
  { what: '.gitattributes', rule: /path-segment/, make: write({ '.gitattributes': '* filter=x\n' }) },
  {
    what: '.gitmodules',
    rule: /path-segment|gitmodules/i,
    make: write({ '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = ext::sh\n' }),
  },
  { what: 'a plugin of the editor', rule: /path-segment/, make: write({ '.obsidian/plugins/x/main.js': 'x\n' }) },
  { what: 'a folder .git', rule: /hasDotgit/, make: write({ 'Plans/.git/config': 'x\n' }) },
  { what: 'a folder ..', rule: /hasDotdot/, make: write({ 'Plans/../x.md': 'x\n' }) },
  { what: 'a folder git~1', rule: /hasDotgit/, make: write({ 'git~1/config': 'x\n' }) },
  {
    what: 'a folder .git with a zero-width character',
    rule: /hasDotgit/,
    make: write({ [Buffer.from('.g\u200cit/config').toString('latin1')]: 'x\n' }),
  },
  { what: 'an unknown folder', rule: /path-unknown/, make: write({ 'Secrets/x.md': 'x\n' }) },
  {
    what: 'a name with a zero-width character',
    rule: /path-unknown/,
    make: write({ [Buffer.from('Plans/a\u200bb.md').toString('latin1')]: 'x\n' }),
  },
  { what: 'a name that is no UTF-8', rule: /path-unknown/, make: write({ 'Plans/a\xff.md': 'x\n' }) },
  { what: 'a name with a line end', rule: /path-unknown/, make: write({ 'Plans/a\nb.md': 'x\n' }) },
  { what: 'a file over the limit', rule: /size/, make: write({ [NOTE]: 'x'.repeat(256 * 1024 + 1) }) },
  {
    what: 'a note that is no UTF-8',
    rule: /not-utf8-text/,
    make: write({ [NOTE]: new Uint8Array([0x61, 0xff, 0xfe, 0x0a]) }),
  },
  { what: 'a note with a null byte', rule: /not-utf8-text/, make: write({ [NOTE]: 'a\0b\n' }) },
  { what: 'a commit that changes nothing', rule: /empty-commit/, make: write({}) },
  {
    what: 'a message of a megabyte',
    rule: /message-size/,
    make: (a) => a.commit({ parents: [head], files: { [NOTE]: 'x\n' }, signer: 'cloud', message: 'x'.repeat(100_000) }),
  },
]

/** The body of one commit under the signature of another. */
function moveSignature(attacker: Attacker): Oid {
  const good = attacker.git(['cat-file', 'commit', write({ [NOTE]: 'harmless\n' })(attacker)])
  const bad = attacker.git(['rev-parse', `${write({ 'Dashboard.md': 'x\n' })(attacker)}^{tree}`])
  return attacker.git(
    ['hash-object', '-t', 'commit', '-w', '--stdin'],
    `${good.replace(/^tree \w+/, `tree ${bad}`)}\n`,
  ) as Oid
}

const lastVerified = () => ({ lastVerified: head })
const agents = () => new Map(zones.agents.map((one) => [one.name, one.zone]))

describe('the hub refuses', () => {
  it.each(attacks)('$what', async ({ rule, make }) => {
    const target = await makeHub(zones, hub)
    const attacker = new Attacker(zones, target)
    const pushed = attacker.push('--force', `${make(attacker)}:refs/heads/main`)
    expect(pushed.output).toMatch(rule)
    expect(pushed.exitCode).not.toBe(0)
    expect(attacker.git(['ls-remote', target, 'refs/heads/main'])).toContain(head)
  })
})

describe('the local gate, with a hub that refuses nothing, refuses', () => {
  it.each(attacks)('$what', async ({ rule, make }) => {
    const target = tamedHub()
    const attacker = new Attacker(zones, target)
    const commit = make(attacker)
    const pushed = attacker.push('--force', `${commit}:refs/heads/main`)
    expect(pushed.exitCode, pushed.output).toBe(0)

    await using local = await openClone(zones, 'local', target)
    const fetched = await local.fetch()
    if (fetched.kind === 'refused') return expect(fetched.reason).toMatch(rule)
    expect(fetched).toEqual({ kind: 'ok', head: commit })
    const verdict = await judgeRange(local, { ...lastVerified(), head: commit }, { agents: agents() })
    expect(JSON.stringify(verdict)).toMatch(rule)
    expect(verdict.kind).toBe('refused')
  })
})

/** The same history behind a plain git server: no hook, no check of objects, force allowed. */
function tamedHub(): string {
  const dir = join(mkdtempSync(join(zones.root, 'tamed-')), 'vault.git')
  cpSync(hub, dir, { recursive: true })
  rmSync(join(dir, 'hooks'), { recursive: true })
  writeFileSync(join(dir, 'config'), '[core]\n\trepositoryFormatVersion = 0\n\tbare = true\n')
  return dir
}

describe('refs of the hub', () => {
  it.each(['refs/heads/other', 'refs/tags/v1', 'refs/notes/commits', 'refs/replace/x'])(
    'the hub keeps no %s',
    async (ref) => {
      const target = await makeHub(zones, hub)
      const attacker = new Attacker(zones, target)
      const pushed = attacker.push(`${write({ [NOTE]: 'x\n' })(attacker)}:${ref}`)
      expect(pushed.exitCode).not.toBe(0)
      expect(attacker.git(['ls-remote', target])).not.toContain(ref)
    },
  )

  it('a good push together with another ref is refused whole', async () => {
    const target = await makeHub(zones, hub)
    const attacker = new Attacker(zones, target)
    const commit = write({ [NOTE]: 'x\n' })(attacker)
    expect(attacker.push(`${commit}:refs/heads/main`, `${commit}:refs/heads/other`).output).toMatch(/ref: only/)
    expect(attacker.git(['ls-remote', target, 'refs/heads/main'])).toContain(head)
  })

  it('main is never deleted', async () => {
    const target = await makeHub(zones, hub)
    const attacker = new Attacker(zones, target)
    expect(attacker.push('--force', ':refs/heads/main').exitCode).not.toBe(0)
    expect(attacker.git(['ls-remote', target, 'refs/heads/main'])).toContain(head)
  })

  it.each(['+%s:refs/heads/main', ':refs/heads/main'])(
    'without its hook too, git itself refuses to take back main (%s)',
    async (ref) => {
      const target = await makeHub(zones, hub)
      rmSync(join(target, 'hooks', 'pre-receive'))
      const attacker = new Attacker(zones, target)
      expect(attacker.push(ref.replace('%s', earlier)).output).toMatch(/non-fast-forward|deletion prohibited/)
      expect(attacker.git(['ls-remote', target, 'refs/heads/main'])).toContain(head)
    },
  )

  it('main never goes back, not even by force', async () => {
    const target = await makeHub(zones, hub)
    const attacker = new Attacker(zones, target)
    expect(attacker.push('--force', `${earlier}:refs/heads/main`).output).toMatch(/hub-rolled-back|non-fast-forward/)
    expect(attacker.git(['ls-remote', target, 'refs/heads/main'])).toContain(head)
  })
})

describe('a hub that was rolled back', () => {
  const judge = async (target: string) => {
    await using local = await openClone(zones, 'local', target)
    const fetched = await local.fetch()
    if (fetched.kind !== 'ok') throw new Error(fetched.reason)
    return judgeRange(local, { ...lastVerified(), head: fetched.head }, { agents: agents() })
  }

  it('to an earlier head is noticed', async () => {
    const target = tamedHub()
    new Attacker(zones, target).push('--force', `${earlier}:refs/heads/main`)
    expect(await judge(target)).toMatchObject({ kind: 'refused', faults: [{ rule: 'hub-rolled-back' }] })
  })

  it('to an earlier head and continued with good commits is noticed', async () => {
    const target = tamedHub()
    const attacker = new Attacker(zones, target)
    const commit = attacker.commit({ parents: [earlier], files: { [NOTE]: 'x\n' }, signer: 'cloud' })
    attacker.push('--force', `${commit}:refs/heads/main`)
    expect(await judge(target)).toMatchObject({ kind: 'refused', faults: [{ rule: 'hub-rolled-back' }] })
  })

  it('to nothing is noticed', async () => {
    const target = tamedHub()
    execFileSync('git', ['--git-dir', target, 'update-ref', '-d', 'refs/heads/main'])
    expect(await judge(target)).toMatchObject({ kind: 'refused', faults: [{ rule: 'hub-rolled-back' }] })
  })
})

it('lets an honest commit of the cloud through both gates', async () => {
  const target = await makeHub(zones, hub)
  const attacker = new Attacker(zones, target)
  const commit = write({
    [OPEN]: null,
    'In_Progress/cloud/EMAIL_2026-11-20_question_8h3k9q.md': taskText(1, 'Question', ids.open),
    [LOG]: '{"seq":1}\n{"seq":2}\n{"seq":3}\n',
    [NOTE]: 'claimed\n',
  })(attacker)
  const pushed = attacker.push(`${commit}:refs/heads/main`)
  expect(pushed.exitCode, pushed.output).toBe(0)
  await using local = await openClone(zones, 'local', target)
  expect(await local.fetch()).toEqual({ kind: 'ok', head: commit })
  const range = { ...lastVerified(), head: commit }
  expect(await judgeRange(local, range, { agents: agents() })).toEqual({ kind: 'ok', verifiedHead: commit })
})

it('refuses every push when the gate itself cannot run', async () => {
  const target = await makeHub(zones, hub)
  const attacker = new Attacker(zones, target)
  const commit = write({ [NOTE]: 'x\n' })(attacker)
  writeFileSync(join(target, 'hooks', 'pre-receive'), '#!/bin/sh\nexec /nonexistent/node\n')
  expect(attacker.push(`${commit}:refs/heads/main`).exitCode).not.toBe(0)
  expect(attacker.git(['ls-remote', target, 'refs/heads/main'])).toContain(head)
})
