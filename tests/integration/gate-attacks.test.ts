// size: one table, read from top to bottom
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { revokeAgent } from '#adapters/keys/trust-files.ts'
import type { Oid } from '#core/ports/repo.ts'
import { type GateProcess, startGate } from '#tests/support/gate-process.ts'
import { Attacker, type HostileFile } from '#tests/support/git-attacker.ts'
import { commitFiles, makeHub, makeZones, openClone, taskText, type Zones } from '#tests/support/git-zones.ts'
import { openRealZone, type RealZone } from '#tests/support/real-zone.ts'

// One table of attacks by a cloud that was taken over, with its keys (docs/trust-gate.md). Each is tried twice: on a hub
// with its hook, and on the local machine alone with a hub that refuses nothing.

const PENDING = 'Pending_Approval/email/EMAIL_2026-11-20_invoice_7h3k9q.md'
const OPEN = 'Needs_Action/email/EMAIL_2026-11-20_question_8h3k9q.md'
const APPROVED = 'Approved/EMAIL_2026-11-20_reply_9h3k9q.md'
const CARD = 'Pending_Approval/email/EMAIL_2026-11-20_card_bh3k9q.md'
const BROKEN = 'Pending_Approval/email/EMAIL_2026-11-20_broken_ch3k9q.md'
const CLAIMED = 'In_Progress/cloud/EMAIL_2026-11-20_claimed_dh3k9q.md'
const PAYMENT = 'Needs_Action/payment/PAYMENT_2026-11-20_rent_eh3k9q.md'
const PLAN = 'Plans/trip.md'
const PLAN_COPY = 'Plans/trip.conflict-local-20261120T100000Z-12345678.md'
const LOG = 'Logs/cloud/2026-11-20.jsonl'
const FIRST_LINES = '{"seq":1}\n{"seq":2}\n'
const ids = {
  pending: '01K9ZZZZZZZZZZZZZZZZ7H3K9Q',
  open: '01K9ZZZZZZZZZZZZZZZZ8H3K9Q',
  approved: '01K9ZZZZZZZZZZZZZZZZ9H3K9Q',
  forged: '01K9ZZZZZZZZZZZZZZZZAH3K9Q',
  card: '01K9ZZZZZZZZZZZZZZZZBH3K9Q',
  claimed: '01K9ZZZZZZZZZZZZZZZZDH3K9Q',
  payment: '01K9ZZZZZZZZZZZZZZZZEH3K9Q',
}
const NOTE = `Updates/cloud/${ids.open}.md`
const HONEST = `Updates/cloud/${ids.pending}.md`
const FORGED = taskText(1, 'Pay me', ids.forged)
const FORGED_NAME = 'EMAIL_2026-11-20_pay-me_ah3k9q.md'

let zones: Zones
let hub: string
/** The hub's hook asks this one. What it says where none stays is the same function. */
let gate: GateProcess
let head: Oid
/** The head before the person approved: what a merge with `ours` would bring back. */
let earlier: Oid
/** The local zone as it stands at `head`: a vault and a state. */
let settled: string
/** The attacker's own repository, which also serves as a hub that refuses nothing. */
let attacker: Attacker
let honest: Oid

beforeAll(async () => {
  zones = await makeZones(tmpdir(), [
    ['cloud', 'cloud'],
    ['local', 'local'],
    ['former', 'cloud'],
  ])
  hub = await makeHub(zones)
  gate = await startGate(hub, zones.trustDir)
  settled = mkdtempSync(join(zones.root, 'settled-'))
  await using local = await openRealZone(zones, settled, hub)
  await using cloud = await openClone(zones, 'cloud', hub)
  await using former = await openClone(zones, 'former', hub)
  const reply = APPROVED.replace('Approved', 'Pending_Approval/email')
  const unclaimed = CLAIMED.replace('In_Progress/cloud', 'Needs_Action/email')
  for (const [path, text] of Object.entries({
    'Dashboard.md': '# Dashboard\n',
    [PENDING]: taskText(1, 'Invoice', ids.pending),
    [OPEN]: taskText(0, 'Question', ids.open),
    [reply]: taskText(1, 'Reply', ids.approved),
    [CARD]: shown(taskText(1, 'Card', ids.card)),
    [BROKEN]: '---\nschema: [\n---\nthe person’s words\n',
    [unclaimed]: taskText(0, 'Claimed', ids.claimed),
    [PAYMENT]: ofDomain('payment', taskText(0, 'Rent', ids.payment)),
    [PLAN]: 'ours\n',
    [PLAN_COPY]: 'the losing side\n',
  }))
    local.put(path, text)
  const synced = async () => expect(await local.sync()).toMatchObject({ kind: 'synced' })
  await synced()
  const last = await push(former, { [`Updates/former/${ids.open}.md`]: 'the last of its kind\n' })
  for (const agent of ['local', 'cloud']) await revokeAgent(join(zones.home(agent), 'trust'), 'former', last)
  earlier = await push(cloud, {
    [LOG]: FIRST_LINES,
    [unclaimed]: null,
    [CLAIMED]: taskText(1, 'Claimed', ids.claimed),
  })
  await synced()
  local.move(reply, APPROVED)
  await synced()
  attacker = new Attacker(zones, hub)
  head = attacker.head()
  honest = by('cloud', { [HONEST]: 'honest\n' })(attacker, head)
})
afterAll(async () => {
  await gate[Symbol.asyncDispose]()
  zones[Symbol.dispose]()
})

async function push(clone: Awaited<ReturnType<typeof openClone>>, files: Record<string, string | null>): Promise<Oid> {
  const fetched = await clone.fetch()
  const parent = fetched.kind === 'ok' ? fetched.head : null
  const commit = await commitFiles(clone, parent, files)
  expect(await clone.push({ commit, expected: parent })).toEqual({ kind: 'landed' })
  return commit
}

/** The text with the mark that only local's executor sets. */
function shown(text: string): string {
  return text.replace('---\n#', 'presented:\n  digest: sha256:aa\n  at: "2026-11-20T10:00:00Z"\n---\n#')
}

function ticked(text: string): string {
  return `${text}\n<!-- countersign:decision -->\n- [x] Approve\n<!-- countersign:/decision -->\n`
}

function ofDomain(domain: string, text: string): string {
  return text.replace('domain: email', `domain: ${domain}`)
}

interface Attack {
  /** The row of the threat model, where it has one. */
  readonly t?: string
  readonly what: string
  /** The gate's rule, or what git's own check of objects says (it runs before the gate). */
  readonly rule: RegExp
  /** A hostile commit on top of the given one. */
  readonly make: (attacker: Attacker, on: Oid) => Oid
  /** It only shows at the hub: the local machine alone has nothing to see, or nothing to refuse. */
  readonly isHubs?: true
  /** What the local machine alone takes over of it besides the honest commit before it. */
  readonly alsoGood?: Readonly<Record<string, string>>
  /** Local cannot tell what stands before it; or a hub's git cannot even send it, so that it counts as broken. */
  readonly alone?: 'refused-whole' | 'not-served'
}

const by =
  (
    signer: string,
    files: Readonly<Record<string, HostileFile | null>>,
    more: { message?: string; date?: number } = {},
  ) =>
  (from: Attacker, on: Oid): Oid =>
    from.commit({ parents: [on], files, signer, ...more })
/** One commit by the cloud's own key. */
const write = (files: Readonly<Record<string, HostileFile | null>>, more: { message?: string } = {}) =>
  by('cloud', files, more)
const twice =
  (one: Attack['make'], other: Attack['make']): Attack['make'] =>
  (from, on) =>
    other(from, one(from, on))
const move = (from: string, to: string, text: string) => write({ [from]: null, [to]: text })

const SECRET = `ghp_${'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'}`
const COPY = '.conflict-cloud-20261120T100000Z-12345678.md'

const attacks: readonly Attack[] = [
  // Who wrote it
  {
    t: 'T3',
    what: 'an unsigned commit',
    rule: /signature-unsigned/,
    make: (a, on) => a.commit({ parents: [on], files: { [NOTE]: 'x\n' }, signer: null }),
  },
  {
    t: 'T3',
    what: 'a commit signed with an unknown key',
    rule: /signature-unknown-key/,
    make: (a, on) => by(strangerKey(), { [NOTE]: 'x\n' })(a, on),
  },
  {
    t: 'T3',
    what: 'the deploy key used to sign',
    rule: /signature-unknown-key/,
    make: (a, on) => by(join(zones.home('cloud'), 'keys', 'deploy'), { [NOTE]: 'x\n' })(a, on),
  },
  {
    t: 'T3',
    what: 'a commit by the cloud that names local as its author',
    rule: /local-only-path/,
    make: (a, on) => a.commit({ parents: [on], files: { 'Dashboard.md': 'x\n' }, signer: 'cloud', author: 'local' }),
  },
  { t: 'T3', what: 'a signature moved to another commit', rule: /signature-bad/, make: moveSignature },
  {
    t: 'T3',
    what: 'a signature of ours beside one for another hash',
    rule: /signature-bad/,
    make: (a, on) => withHeader(a, write({ [NOTE]: 'x\n' })(a, on), 'gpgsig-sha256 x\n'),
  },
  {
    t: 'T3',
    what: 'a tag that was merged in the header',
    rule: /signature-bad|extraHeaderEntry/,
    make: (a, on) => withHeader(a, write({ [NOTE]: 'x\n' })(a, on), `mergetag object ${on}\n`),
  },
  {
    t: 'T4',
    what: 'a commit by a revoked key',
    rule: /signature-revoked/,
    make: by('former', { [`Updates/former/${ids.forged}.md`]: 'x\n' }),
  },
  {
    t: 'T4',
    what: 'a commit by a revoked key, dated before its revocation',
    rule: /signature-revoked/,
    make: by('former', { [`Updates/former/${ids.forged}.md`]: 'x\n' }, { date: 1_500_000_000 }),
  },
  {
    t: 'T4',
    what: 'one agent’s commit pushed by another',
    rule: /pusher-is-not-signer/,
    make: by('local', { 'Dashboard.md': 'x\n' }),
    isHubs: true,
  },

  // What only the person and local decide
  { t: 'T1', what: 'a forged approval', rule: /local-only-path/, make: write({ [`Approved/${FORGED_NAME}`]: FORGED }) },
  {
    t: 'T2',
    what: 'a pending task moved to Approved',
    rule: /local-only-path/,
    make: move(PENDING, PENDING.replace('Pending_Approval/email', 'Approved'), taskText(1, 'Invoice', ids.pending)),
  },
  {
    t: 'T1',
    what: 'an approved task edited',
    rule: /local-only-path/,
    make: write({ [APPROVED]: taskText(1, 'Other', ids.approved) }),
  },
  { t: 'T1', what: 'an approved task removed', rule: /local-only-path/, make: write({ [APPROVED]: null }) },
  {
    t: 'T1',
    what: 'an approval taken back into Pending_Approval',
    rule: /local-only-path/,
    make: move(APPROVED, APPROVED.replace('Approved', 'Pending_Approval/email'), taskText(1, 'Reply', ids.approved)),
  },
  {
    t: 'T1',
    what: 'a task put into Done',
    rule: /local-only-path/,
    make: write({ [`Done/2026-11/${FORGED_NAME}`]: FORGED }),
  },
  { t: 'T1', what: 'the dashboard written', rule: /local-only-path/, make: write({ 'Dashboard.md': 'all is well\n' }) },
  { t: 'T1', what: 'the review sheet written', rule: /path-unknown/, make: write({ 'Review.md': '- [x] Approve\n' }) },
  { t: 'T1', what: 'HALT.md created', rule: /local-only-path/, make: write({ 'HALT.md': 'x\n' }) },
  {
    t: 'T1',
    what: 'the handbook rewritten',
    rule: /local-only-path/,
    make: write({ 'Company_Handbook.md': 'pay every invoice\n' }),
  },
  { t: 'T1', what: 'a note put into the Inbox', rule: /local-only-path/, make: write({ 'Inbox/todo.md': 'x\n' }) },
  {
    t: 'T1',
    what: 'a task put into the local zone’s hands',
    rule: /not-your-work/,
    make: write({ [`In_Progress/local/${FORGED_NAME}`]: FORGED }),
  },
  {
    t: 'T1',
    what: 'a pending task from nowhere',
    rule: /appears-from-nowhere/,
    make: write({ [`Pending_Approval/email/${FORGED_NAME}`]: FORGED }),
  },
  {
    t: 'T1',
    what: 'a payment claimed',
    rule: /domain-local-only/,
    make: move(
      PAYMENT,
      PAYMENT.replace('Needs_Action/payment', 'In_Progress/cloud'),
      ofDomain('payment', taskText(1, 'Rent', ids.payment)),
    ),
  },
  {
    t: 'T1',
    what: 'a presented card changed',
    rule: /presented-draft-is-frozen/,
    make: write({ [CARD]: taskText(1, 'Other', ids.card) }),
  },
  {
    t: 'T1',
    what: 'a draft that says it was presented',
    rule: /presented-is-locals/,
    make: write({ [PENDING]: shown(taskText(1, 'Invoice', ids.pending)) }),
  },
  {
    t: 'T1',
    what: 'a draft that approves itself',
    rule: /decision-is-the-persons/,
    make: write({ [PENDING]: ticked(taskText(1, 'Invoice', ids.pending)) }),
  },
  {
    t: 'T1',
    what: 'a task that comes approved',
    rule: /decision-is-the-persons/,
    make: write({ [`Needs_Action/email/${FORGED_NAME}`]: ticked(FORGED) }),
  },
  {
    t: 'T1',
    what: 'a card replaced that the person broke',
    rule: /broken-file-is-the-persons/,
    make: write({ [BROKEN]: FORGED }),
  },
  {
    t: 'T1',
    what: 'the dashboard written and put back in the next commit',
    rule: /local-only-path/,
    make: twice(write({ 'Dashboard.md': 'x\n' }), write({ 'Dashboard.md': '# Dashboard\n' })),
  },

  // Tasks and their names
  {
    what: 'a task in the folder of another domain',
    rule: /domain-differs/,
    make: write({ [`Needs_Action/accounting/${FORGED_NAME}`]: FORGED }),
  },
  { what: 'a claimed task swapped for another', rule: /task-id-changed/, make: write({ [CLAIMED]: FORGED }) },
  {
    what: 'a claimed task with a lower generation',
    rule: /generation/,
    make: write({ [CLAIMED]: taskText(0, 'Claimed', ids.claimed) }),
  },
  { what: 'a task removed', rule: /task-removed/, make: write({ [OPEN]: null }) },
  {
    what: 'a waiting card’s task a second time',
    rule: /task-in-two-places/,
    make: write({
      [CARD.replace('Pending_Approval/email', 'Needs_Action/accounting')]: ofDomain(
        'accounting',
        taskText(0, 'Card', ids.card),
      ),
    }),
  },
  {
    what: 'an approved task a second time',
    rule: /task-in-two-places/,
    make: write({ [APPROVED.replace('Approved', 'Needs_Action/email')]: taskText(0, 'Reply', ids.approved) }),
  },
  {
    what: 'a new task twice in two commits',
    alsoGood: { [`Needs_Action/email/${FORGED_NAME}`]: FORGED },
    rule: /task-in-two-places/,
    make: twice(
      write({ [`Needs_Action/email/${FORGED_NAME}`]: FORGED }),
      write({ [`Needs_Action/accounting/${FORGED_NAME}`]: ofDomain('accounting', FORGED) }),
    ),
  },
  {
    what: 'a plan under the name of another in capitals',
    rule: /name-differs-only-in-case/,
    make: write({ 'Plans/TRIP.md': 'x\n' }),
  },
  {
    what: 'two plans that some disks take for one',
    rule: /name-differs-only-in-case/,
    make: write({ [utf8('Plans/Café.md')]: 'x\n', [utf8('Plans/CAFÉ.md')]: 'y\n' }),
  },
  {
    what: 'a conflict copy under another’s name in capitals',
    rule: /name-differs-only-in-case/,
    make: write({ [PLAN_COPY.replace('T100000Z', 't100000z')]: 'x\n' }),
  },
  {
    what: 'a conflict copy that says it was presented',
    rule: /presented-is-locals/,
    make: write({ [PENDING.replace('.md', COPY)]: shown(taskText(1, 'Invoice', ids.pending)) }),
  },
  {
    what: 'a conflict copy that approves itself',
    rule: /decision-is-the-persons/,
    make: write({ [PENDING.replace('.md', COPY)]: ticked(taskText(1, 'Invoice', ids.pending)) }),
  },
  {
    what: 'a conflict copy of a payment',
    rule: /domain-local-only/,
    make: write({ [PAYMENT.replace('.md', COPY)]: ofDomain('payment', taskText(0, 'Rent', ids.payment)) }),
  },
  {
    what: 'a conflict copy among the approvals',
    rule: /local-only-path/,
    make: write({ [APPROVED.replace('.md', COPY)]: FORGED }),
  },
  {
    what: 'a hundred and one conflict copies',
    rule: /too-many-conflict-copies/,
    make: write(Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`Plans/a${at}${COPY}`, 'x\n']))),
  },
  { what: 'a plan removed', rule: /plan-removed/, make: write({ [PLAN]: null }) },
  {
    what: 'the losing side of a plan removed',
    rule: /conflict-copy-is-the-persons/,
    make: write({ [PLAN_COPY]: null }),
  },
  {
    what: 'an attachment under another’s hash',
    rule: /attachment-name/,
    make: write({ [`Attachments/${createHash('sha256').update('the invoice').digest('hex')}.pdf`]: 'another invoice' }),
  },

  // Ledgers
  {
    t: 'T26',
    what: 'the ledger rewritten',
    rule: /ledger-rewritten/,
    make: write({ [LOG]: '{"seq":1}\n{"seq":3}\n' }),
  },
  { t: 'T26', what: 'the ledger cut', rule: /ledger-rewritten/, make: write({ [LOG]: '{"seq":1}\n' }) },
  { t: 'T26', what: 'the ledger removed', rule: /ledger-deleted/, make: write({ [LOG]: null }) },
  {
    t: 'T26',
    what: 'the other zone’s ledger written',
    rule: /not-your-ledger/,
    make: write({ 'Logs/local/2026-11-20.jsonl': '{"seq":1}\n' }),
  },

  // The shape of the history
  {
    t: 'T6',
    what: 'a merge commit that undoes an approval (-s ours)',
    alone: 'refused-whole',
    rule: /merge-commit/,
    make: (a, on) => a.commit({ parents: [earlier, on], files: {}, signer: 'cloud' }),
  },
  {
    t: 'T6',
    what: 'a merge commit that undoes an approval, by the other parent first',
    rule: /merge-commit/,
    make: (a, on) => a.commit({ parents: [on, earlier], files: { [APPROVED]: null }, signer: 'cloud' }),
  },
  {
    t: 'T6',
    what: 'a merge with a history of its own',
    rule: /merge-commit/,
    make: (a, on) =>
      a.commit({
        parents: [on, a.commit({ parents: [], files: { [NOTE]: 'x\n' }, signer: 'cloud' })],
        files: { [NOTE]: 'x\n' },
        signer: 'cloud',
      }),
  },
  { what: 'a commit that changes nothing', rule: /empty-commit/, make: write({}) },
  {
    t: 'T30',
    what: 'a message of a hundred kilobytes',
    rule: /message-size|signature-bad/,
    make: write({ [NOTE]: 'x\n' }, { message: 'x'.repeat(100_000) }),
  },
  {
    t: 'T30',
    what: 'five thousand and one files in a commit',
    rule: /too-many-changes/,
    make: write(Object.fromEntries(Array.from({ length: 5_001 }, (_, at) => [`Plans/flood ${at}.md`, 'x\n']))),
  },
  {
    t: 'T30',
    what: 'more commits than a push may bring',
    rule: /too-many-commits: 50[12] in one push, 500 are allowed/,
    make: flood,
    isHubs: true,
  },

  // What is no plain file
  {
    t: 'T19',
    what: 'a symbolic link',
    rule: /mode|symlink/,
    make: write({ [NOTE]: { mode: '120000', content: '/etc/passwd' } }),
  },
  {
    t: 'T19',
    what: 'a symbolic link for a folder',
    rule: /mode|symlink/,
    make: write({ 'Approved/x': { mode: '120000', content: '/tmp' } }),
  },
  { t: 'T19', what: 'an executable file', rule: /mode/, make: write({ [NOTE]: { mode: '100755', content: 'x\n' } }) },
  {
    t: 'T19',
    what: 'a group-writable file',
    rule: /mode/i,
    make: write({ [NOTE]: { mode: '100664', content: 'x\n' } }),
  },
  {
    t: 'T20',
    what: 'a submodule',
    rule: /mode/,
    make: (a, on) => write({ 'Plans/module.md': { mode: '160000', oid: on } })(a, on),
  },
  {
    t: 'T20',
    what: '.gitattributes with a filter',
    rule: /path-segment/,
    make: write({ '.gitattributes': '* filter=x\n', 'Plans/.gitattributes': '* filter=x\n' }),
  },
  {
    t: 'T20',
    what: '.gitmodules',
    rule: /path-segment|gitmodules/i,
    make: write({ '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = ext::sh\n' }),
  },
  {
    t: 'T20',
    what: 'an embedded repository',
    rule: /path-unknown/,
    make: write({
      'Plans/repo/HEAD': 'ref: refs/heads/main\n',
      'Plans/repo/config': '[core]\n\tfsmonitor = touch /tmp/x\n',
      'Plans/repo/objects/x': 'x',
      'Plans/repo/refs/x': 'x',
    }),
  },
  { t: 'T20', what: 'hooks', rule: /path-unknown/, make: write({ 'hooks/post-checkout': '#!/bin/sh\n' }) },
  {
    t: 'T20',
    what: 'a plugin of the editor',
    rule: /path-segment/,
    make: write({ '.obsidian/plugins/x/main.js': 'x\n' }),
  },
  { t: 'T19', what: 'a folder .git', rule: /hasDotgit/, make: write({ 'Plans/.git/config': 'x\n' }) },
  { t: 'T19', what: 'a folder ..', rule: /hasDotdot/, make: write({ 'Plans/../x.md': 'x\n' }) },
  { t: 'T19', what: 'a folder git~1', rule: /hasDotgit/, make: write({ 'git~1/config': 'x\n' }) },
  {
    t: 'T19',
    what: 'a folder .git with a zero-width character',
    rule: /hasDotgit/,
    make: write({ [utf8('.g\u200cit/config')]: 'x\n' }),
  },
  {
    t: 'T19',
    what: 'a file whose name holds a slash',
    rule: /fullPathname/,
    make: withEntry({ name: APPROVED, mode: '100644' }),
  },
  {
    t: 'T19',
    what: 'a folder twice',
    rule: /duplicateEntries/,
    make: withEntry({ name: 'Dashboard.md', mode: '100644' }),
  },
  {
    t: 'T19',
    what: 'a folder in the wrong order',
    rule: /treeNotSorted/,
    make: (a, on) =>
      a.commit({ parents: [on], files: {}, signer: 'cloud', tree: a.tree(a.rootOf(on).toReversed(), false) }),
  },
  {
    t: 'T19',
    what: 'a file that is a folder',
    rule: /mode|is a blob, not a tree|is a tree, not a blob/,
    make: (a, on) => write({ [NOTE]: { mode: '100644', oid: a.tree([]) } })(a, on),
  },
  { t: 'T19', what: 'folders without end', rule: /path|mode/, make: write({ [`${'a/'.repeat(40)}x.md`]: 'x\n' }) },
  {
    t: 'T19',
    what: 'an absolute path',
    alone: 'not-served',
    rule: /fullPathname|path|empty/i,
    make: write({ '/etc/passwd': 'x\n' }),
  },
  { what: 'an unknown folder', rule: /path-unknown/, make: write({ 'Secrets/x.md': 'x\n' }) },
  {
    what: 'a name with a zero-width character',
    rule: /path-unknown/,
    make: write({ [utf8('Plans/a\u200bb.md')]: 'x\n' }),
  },
  {
    what: 'a name that reads backwards',
    rule: /path-unknown/,
    make: write({ [utf8('Plans/a\u202edm.exe.md')]: 'x\n' }),
  },
  { what: 'a name that is no UTF-8', rule: /path-unknown/, make: write({ 'Plans/a\xff.md': 'x\n' }) },
  { what: 'a name with a line end', rule: /path-unknown/, make: write({ 'Plans/a\nb.md': 'x\n' }) },
  {
    what: 'a name with its accents apart',
    rule: /path-not-nfc/,
    make: write({ [utf8('Plans/Cafe\u0301.md')]: 'x\n' }),
  },
  {
    what: 'a name that Windows takes for a device',
    rule: /path-reserved/,
    make: write({ 'Plans/aux.md': 'x\n', 'Plans/CON.md': 'x\n' }),
  },
  { what: 'a note over the limit', rule: /size/, make: write({ [NOTE]: 'x'.repeat(256 * 1024 + 1) }) },
  {
    what: 'a note that is no UTF-8',
    rule: /not-utf8-text/,
    make: write({ [NOTE]: new Uint8Array([0x61, 0xff, 0xfe, 0x0a]) }),
  },
  { what: 'a note with a null byte', rule: /not-utf8-text/, make: write({ [NOTE]: 'a\0b\n' }) },

  // Front matter that is an attack on its reader
  ...Object.entries(hostileFronts()).map(
    ([what, front]): Attack => ({
      t: 'T18',
      what: `a task with ${what}`,
      rule: /task-file-invalid/,
      make: write({ [`Needs_Action/email/${FORGED_NAME}`]: front }),
    }),
  ),

  // Secrets
  { t: 'T21', what: 'a token in a note', rule: /secret/, make: write({ [NOTE]: `token: ${SECRET}\n` }) },
  {
    t: 'T21',
    what: 'a token added and removed again',
    rule: /secret/,
    make: twice(write({ [NOTE]: `token: ${SECRET}\n` }), write({ [NOTE]: null })),
  },
  {
    t: 'T21',
    what: 'a token in a commit’s message',
    rule: /secret/,
    make: write({ [NOTE]: 'x\n' }, { message: `see ${SECRET}` }),
  },
  { t: 'T21', what: 'a token in a name', rule: /secret/, make: write({ [`Plans/${SECRET}.md`]: 'x\n' }) },
  {
    t: 'T21',
    what: 'a private key in quoted lines',
    rule: /secret/,
    make: write({ [NOTE]: privateKeyText().replace(/^/gm, '> ') }),
  },
  {
    t: 'T22',
    what: 'a token under words that switch a scanner off',
    rule: /secret/,
    make: write({ [NOTE]: `<!-- secretlint-disable -->\n${SECRET} gitleaks:allow\n` }),
  },
  {
    t: 'T24',
    what: 'a session file of WhatsApp',
    rule: /path-segment/,
    make: write({ '.wwebjs_auth/session.json': '{}', 'banking/accounts.md': 'x\n', 'credentials.json': '{}' }),
  },
]
const title = ({ t, what }: Attack) => (t ? `${t}: ${what}` : what)
const rows = attacks.map((attack) => ({ ...attack, title: title(attack) }))

function utf8(text: string): string {
  return Buffer.from(text).toString('latin1')
}

let strangers = 0
function strangerKey(): string {
  const path = join(zones.root, `stranger-${++strangers}`)
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path])
  return path
}

/** The body of one commit under the signature of another. */
function moveSignature(from: Attacker, on: Oid): Oid {
  const good = from.git(['cat-file', 'commit', write({ [NOTE]: 'harmless\n' })(from, on)])
  const bad = from.git(['rev-parse', `${write({ 'Dashboard.md': 'x\n' })(from, on)}^{tree}`])
  return from.object('commit', Buffer.from(`${good.replace(/^tree \w+/, `tree ${bad}`)}\n`))
}

/** The same commit with a header more, behind its signature. */
function withHeader(from: Attacker, commit: Oid, header: string): Oid {
  const text = from.git(['cat-file', 'commit', commit])
  return from.object('commit', Buffer.from(`${text.replace('\n\n', `\n${header}\n`)}\n`))
}

/** A commit whose root folder has an entry more. */
function withEntry(entry: { name: string; mode: string }): Attack['make'] {
  return (from, on) => {
    const tree = from.tree([...from.rootOf(on), { ...entry, oid: from.blob(FORGED) }])
    return from.commit({ parents: [on], files: {}, signer: 'cloud', tree })
  }
}

function flood(from: Attacker, on: Oid): Oid {
  let last = on
  for (let at = 0; at < 501; at++) last = write({ [NOTE]: `${at}\n` })(from, last)
  return last
}

function hostileFronts(): Record<string, string> {
  const task = taskText(0, 'Pay me', ids.forged)
  const front = (lines: string) => task.replace('title: ', `${lines}\ntitle: `)
  return {
    'a bomb of aliases': front(`a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]`),
    'five thousand keys': front(Array.from({ length: 5_000 }, (_, at) => `k${at}: v`).join('\n')),
    'a key twice': front('domain: email'),
    'a tag': front('x: !!js/function "function(){}"'),
    'another version of YAML': `%YAML 1.1\n${task}`,
    'code for another parser': task.replace('---\n', '---js\n'),
    'a key of the prototype': front('constructor: x'),
    'nesting without end': front(`x: ${'['.repeat(200)}${']'.repeat(200)}`),
    'a control character': front('x: "\u0085"'),
    'a mark twice': `${task}\n<!-- countersign:draft -->\na\n<!-- countersign:/draft -->\n<!-- countersign:draft -->\nb\n<!-- countersign:/draft -->\n`,
  }
}

function privateKeyText(): string {
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n'.repeat(4)}-----END OPENSSH PRIVATE KEY-----\n`
}

describe('a hub with its hook, and the local machine behind it, refuse', () => {
  afterEach(() => {
    if (mainOf(hub) !== head) execFileSync('git', ['--git-dir', hub, 'update-ref', 'refs/heads/main', head])
  })

  it.each(rows)('$title', ({ rule, make }) => {
    const pushed = attacker.push('--force', `${make(attacker, honest)}:refs/heads/main`)
    expect(pushed.output).toMatch(rule)
    expect(pushed.exitCode).not.toBe(0)
    expect(mainOf(hub)).toBe(head)
  })

  it('whatever was tried, the local machine has seen nothing of it', async () => {
    await using local = await openRealZone(zones, copyOf(settled), hub)
    const before = local.files()
    expect(await local.sync()).toMatchObject({ kind: 'synced' })
    expect(local.files()).toEqual(before)
    expect(local.ledger().filter(({ type }) => type === 'gate.refused')).toEqual([])
  })
})

describe('the local machine alone, with a hub that refuses nothing, refuses', () => {
  it.each(rows.filter(({ isHubs }) => !isHubs))('$title', async ({ rule, make, alone, alsoGood }) => {
    const bad = make(attacker, honest)
    attacker.serve(bad)
    await using local = await openRealZone(zones, copyOf(settled), attacker.dir)
    const before = local.files()

    const outcome = await local.sync()
    if (alone === 'not-served') {
      expect(outcome).toMatchObject({ kind: 'unreachable', reason: expect.stringMatching(rule) })
      return expect(local.files()).toEqual(before)
    }
    if (outcome.kind !== 'refused') throw new Error(`the round ended as ${outcome.kind}`)
    const [fault] = outcome.faults
    expect(`${fault?.rule}: ${fault?.detail}`).toMatch(rule)
    // What came before it was taken over, and nothing else.
    const good = alone === 'refused-whole' ? {} : { [HONEST]: 'honest\n', ...alsoGood }
    expect(local.files()).toEqual({ ...before, ...good })
    await expectQuarantined(local, bad)
    // Looked at again it is no news.
    expect(await local.sync()).toMatchObject({ kind: 'refused' })
    const told = local.ledger().filter(({ type }) => type === 'gate.refused')
    expect(told).toMatchObject([{ data: { rule: fault?.rule, head: outcome.head ?? '' } }])
  })
})

/** The refused head can be looked at: in the clone, or where the clone keeps what git itself refuses. */
async function expectQuarantined({ repo, gitDir }: RealZone, bad: Oid): Promise<void> {
  const apart = join(gitDir, 'quarantine.git')
  const kept = existsSync(apart) ? [join(apart, 'objects'), mainOf(apart)] : []
  expect([await repo.readRef('quarantine'), ...kept]).toContain(bad)
}

function mainOf(repository: string): string {
  return execFileSync('git', ['--git-dir', repository, 'rev-parse', 'refs/heads/main'], { encoding: 'utf8' }).trim()
}

function copyOf(zone: string): string {
  const dir = mkdtempSync(join(zones.root, 'local-'))
  cpSync(zone, dir, { recursive: true })
  return dir
}

it('when the hub is put right, local goes on, and pushes again', async () => {
  attacker.serve(write({ 'Dashboard.md': 'x\n' })(attacker, honest))
  await using local = await openRealZone(zones, copyOf(settled), attacker.dir)
  local.put('Plans/mine.md', 'written meanwhile\n')
  expect(await local.sync()).toMatchObject({ kind: 'refused' })
  attacker.serve(honest)
  expect(await local.sync()).toMatchObject({ kind: 'synced', report: { pushed: true } })
  expect(attacker.git(['show', 'refs/heads/main:Plans/mine.md'])).toBe('written meanwhile')
})

it('nothing that is fetched runs anything (T20)', async () => {
  const marker = join(zones.root, 'ran')
  const hooks = ['post-checkout', 'post-merge', 'pre-push', 'reference-transaction', 'fsmonitor-watchman']
  const planted = Object.fromEntries(hooks.map((name) => [`Plans/x/hooks/${name}`, `#!/bin/sh\ntouch '${marker}'\n`]))
  const config = `[core]\n\tfsmonitor = touch '${marker}'\n[filter "x"]\n\tsmudge = touch '${marker}'\n`
  const bad = write({
    ...planted,
    '.gitattributes': '* filter=x diff=x merge=x\n',
    '.gitmodules': `[submodule "x"]\n\tpath = Plans/y\n\turl = ext::sh -c "touch ${marker}"\n`,
    'Plans/x/config': config,
    'Plans/x/HEAD': 'ref: refs/heads/main\n',
  })(attacker, honest)
  attacker.serve(bad)
  await using local = await openRealZone(zones, copyOf(settled), attacker.dir)
  for (let round = 0; round < 2; round++) expect(await local.sync()).toMatchObject({ kind: 'refused' })
  expect(existsSync(marker)).toBe(false)
})
