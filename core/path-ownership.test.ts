import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { checkCommit, type FileChange } from './path-ownership.ts'
import { newTaskFile, renderTaskFile } from './task-file.ts'

const CLOUD = { agent: 'cloud', zone: 'cloud' } as const
const LOCAL = { agent: 'local', zone: 'local' } as const
const NAME = 'EMAIL_2026-11-20_invoice-for-march_abcdef.md'
const text = (value: string) => new TextEncoder().encode(value)
const task = (generation: number, extra: object = {}, id = '01J8Z3W6Q0ABCDEFGHJKMNPQRS') =>
  text(
    renderTaskFile(
      newTaskFile(
        {
          id,
          schema: '1',
          kind: 'EMAIL',
          domain: 'email',
          title: 't',
          created: '2026-11-20T10:00:00Z',
          generation: String(generation),
          ...extra,
        },
        '\n# t\n',
      ),
    ),
  )
const PRESENTED = { presented: { digest: 'sha256:x', at: '2026-11-20T10:00:00Z' } }
const decided = (box: string) =>
  text(
    new TextDecoder()
      .decode(task(1))
      .replace(
        '\n# t\n',
        `\n<!-- countersign:decision -->\n- [${box}] Approve\n- [ ] Reject\n<!-- countersign:/decision -->\n`,
      ),
  )
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const COPY = 'EMAIL_2026-11-20_x_abcdef.conflict-local-20261120T100000Z-12345678.md'
const add = (path: string, after: Uint8Array = task(0), mode = '100644'): FileChange => ({ path, mode, after })
const edit = (path: string, before = task(1), after = task(1)): FileChange => ({ path, mode: '100644', before, after })
const remove = (path: string, before = task(0)): FileChange => ({ path, before })
const move = (from: string, to: string, generation = 0, next = generation): FileChange[] => [
  remove(from, task(generation)),
  add(to, task(next)),
]
const at = (folder: string) => `${folder}/${NAME}`
const rules = (author: typeof CLOUD | typeof LOCAL, changes: FileChange[]) =>
  checkCommit(author, changes).map((one) => one.rule)

describe('the cloud may', () => {
  test.each<[string, FileChange[]]>([
    ['create a task', [add(at('Needs_Action/email'))]],
    ['claim one', move(at('Needs_Action/email'), at('In_Progress/cloud'), 0, 1)],
    [
      'claim what is kept for it',
      [remove(at('Needs_Action/email'), task(0, { for: 'cloud' })), add(at('In_Progress/cloud'), task(1))],
    ],
    ['work on it', [edit(at('In_Progress/cloud'))]],
    ['hand its draft in', move(at('In_Progress/cloud'), at('Pending_Approval/email'), 1)],
    ['replace its undecided draft', [edit(at('Pending_Approval/email'))]],
    ['give a claim back', move(at('In_Progress/cloud'), at('Needs_Action/email'), 1, 2)],
    [
      'hand in with boxes that nobody ticked',
      [remove(at('In_Progress/cloud'), task(1)), add(at('Pending_Approval/email'), decided(' '))],
    ],
    [
      'claim what the person took back from their desk',
      [remove(at('Needs_Action/email'), task(1, PRESENTED)), add(at('In_Progress/cloud'), task(2))],
    ],
    ['write a plan', [add('Plans/a.md', text('x'))]],
    ['edit a plan', [edit('Plans/a.md', text('x'), text('y'))]],
    ['keep the losing side of a plan', [add('Plans/a.conflict-cloud-20261120T100000Z-12345678.md', text('x'))]],
    ['write an update', [add('Updates/cloud/01J8Z3W6Q0ABCDEFGHJKMNPQRS.md', text('hi'))]],
    [
      'append to its ledger',
      [{ path: 'Logs/cloud/2026-11-20.jsonl', mode: '100644', before: text('a\n'), after: text('a\nb\n') }],
    ],
    ['add an attachment', [add(`Attachments/${sha256(new Uint8Array([0, 1, 2]))}.pdf`, new Uint8Array([0, 1, 2]))]],
    [
      'keep the losing side of a conflict',
      [add('Pending_Approval/email/EMAIL_2026-11-20_x_abcdef.conflict-cloud-20261120T100000Z-12345678.md', text('x'))],
    ],
  ])('%s', (_name, changes) => expect(rules(CLOUD, changes)).toEqual([]))
})

describe('the cloud may not', () => {
  test.each<[string, FileChange[], string]>([
    ['create an approval', [add(at('Approved'))], 'local-only-path'],
    ['move its draft to Approved', move(at('Pending_Approval/email'), at('Approved'), 1), 'local-only-path'],
    ['take an approval away', [remove(at('Approved'))], 'local-only-path'],
    ['undo a rejection', move(at('Rejected'), at('Pending_Approval/email')), 'local-only-path'],
    ['write into Done', [add(at('Done/2026-11'))], 'local-only-path'],
    ['write the dashboard', [add('Dashboard.md', text('x'))], 'local-only-path'],
    ['remove the halt', [remove('HALT.md', text('x'))], 'local-only-path'],
    [
      'change the handbook',
      [{ path: 'Company_Handbook.md', mode: '100644', before: text('a'), after: text('b') }],
      'local-only-path',
    ],
    ['write into local’s work', [add(at('In_Progress/local'))], 'not-your-work'],
    ['write into the Inbox', [add('Inbox/note.md', text('x'))], 'local-only-path'],
    ['teach itself', [add('Examples/anna at client.example.md', text('x'))], 'local-only-path'],
    ['change what it is taught', [edit('Examples/anna at client.example.md', text('x'), text('y'))], 'local-only-path'],
    ['forget what it is taught', [remove('Examples/anna at client.example.md', text('x'))], 'local-only-path'],
    [
      'keep another version of what it is taught',
      [add('Examples/a.conflict-cloud-20261120T100000Z-12345678.md', text('x'))],
      'local-only-path',
    ],
    ['write local’s ledger', [add('Logs/local/2026-11-20.jsonl', text('x\n'))], 'not-your-ledger'],
    ['write local’s updates', [add('Updates/local/01J8Z3W6Q0ABCDEFGHJKMNPQRS.md', text('x'))], 'not-your-updates'],
    [
      'rewrite its ledger',
      [{ path: 'Logs/cloud/2026-11-20.jsonl', mode: '100644', before: text('a\n'), after: text('b\nc\n') }],
      'ledger-rewritten',
    ],
    [
      'cut its ledger',
      [{ path: 'Logs/cloud/2026-11-20.jsonl', mode: '100644', before: text('a\nb\n'), after: text('a\n') }],
      'ledger-rewritten',
    ],
    ['delete its ledger', [remove('Logs/cloud/2026-11-20.jsonl', text('a\n'))], 'ledger-deleted'],
    ['make a draft appear from nowhere', [add(at('Pending_Approval/email'), task(1))], 'appears-from-nowhere'],
    ['skip the claim', move(at('Needs_Action/email'), at('Pending_Approval/email'), 0, 1), 'forbidden-transition'],
    [
      'claim what is kept for another agent',
      [remove(at('Needs_Action/email'), task(0, { for: 'cloud-b' })), add(at('In_Progress/cloud'), task(1))],
      'kept-for-another',
    ],
    ['claim without a new generation', move(at('Needs_Action/email'), at('In_Progress/cloud'), 1, 1), 'generation'],
    [
      'swap a task’s id on the way',
      [remove(at('Needs_Action/email')), add(at('In_Progress/cloud'), task(1, {}, '01J8Z3W6Q0ABCDEFGHJKMNPQRT'))],
      'task-id-changed',
    ],
    ['make a task vanish', [remove(at('Needs_Action/email'))], 'task-removed'],
    ['make a pending draft vanish', [remove(at('Pending_Approval/email'))], 'task-removed'],
    [
      'claim a draft that waits for the person',
      move(at('Pending_Approval/email'), at('In_Progress/cloud'), 1, 2),
      'forbidden-transition',
    ],
    [
      'change what was put before the person',
      [edit(at('Pending_Approval/email'), task(1, { presented: { digest: 'sha256:x', at: '2026-11-20T10:00:00Z' } }))],
      'presented-draft-is-frozen',
    ],
    [
      'say that its new task was put before the person',
      [add(at('Needs_Action/email'), task(0, PRESENTED))],
      'presented-is-locals',
    ],
    [
      'say that its draft was put before the person',
      [edit(at('Pending_Approval/email'), task(1), task(1, PRESENTED))],
      'presented-is-locals',
    ],
    [
      'hand in a draft that says it was put before the person',
      [remove(at('In_Progress/cloud'), task(1)), add(at('Pending_Approval/email'), task(1, PRESENTED))],
      'presented-is-locals',
    ],
    ['work so into its claim', [edit(at('In_Progress/cloud'), task(1), task(1, PRESENTED))], 'presented-is-locals'],
    ['approve its own new task', [add(at('Needs_Action/email'), decided('x'))], 'decision-is-the-persons'],
    [
      'approve its own draft',
      [remove(at('In_Progress/cloud'), task(1)), add(at('Pending_Approval/email'), decided('X'))],
      'decision-is-the-persons',
    ],
    [
      'approve its waiting draft',
      [edit(at('Pending_Approval/email'), task(1), decided('x'))],
      'decision-is-the-persons',
    ],
    ['create a task in the folder of another domain', [add(at('Needs_Action/accounting'))], 'domain-differs'],
    [
      'hand its draft in under another domain',
      move(at('In_Progress/cloud'), at('Pending_Approval/accounting'), 1),
      'domain-differs',
    ],
    [
      'change the domain of its waiting draft',
      [edit(at('Pending_Approval/email'), task(1), task(1, { domain: 'accounting' }))],
      'domain-differs',
    ],
    [
      'swap the id of what it works on',
      [edit(at('In_Progress/cloud'), task(1), task(1, {}, '01J8Z3W6Q0ABCDEFGHJKMNPQRT'))],
      'task-id-changed',
    ],
    ['lower the generation of what it works on', [edit(at('In_Progress/cloud'), task(2), task(1))], 'generation'],
    ['raise the generation of what it works on', [edit(at('In_Progress/cloud'), task(1), task(2))], 'generation'],
    ['lower the generation of its waiting draft', [edit(at('Pending_Approval/email'), task(2), task(1))], 'generation'],
    [
      'replace a card that the person broke',
      [edit(at('Pending_Approval/email'), text('---\nbroken'), task(1))],
      'broken-file-is-the-persons',
    ],
    ['remove a plan', [remove('Plans/a.md', text('x'))], 'plan-removed'],
    ['remove the losing side of a note', [remove(`Plans/${COPY}`, text('x'))], 'conflict-copy-is-the-persons'],
    ['change the losing side of a note', [edit(`Plans/${COPY}`, text('x'), text('y'))], 'conflict-copy-is-the-persons'],
    [
      'say in a conflict copy that it was put before the person',
      [add(`Pending_Approval/email/${COPY}`, task(1, PRESENTED))],
      'presented-is-locals',
    ],
    ['approve in a conflict copy', [add(`Needs_Action/email/${COPY}`, decided('x'))], 'decision-is-the-persons'],
    [
      'put a conflict copy into the folder of another domain',
      [add(`Pending_Approval/accounting/${COPY}`, task(1))],
      'domain-differs',
    ],
    [
      'bring a conflict copy of a payment',
      [add(`Needs_Action/payment/${COPY}`, task(0, { domain: 'payment' }))],
      'domain-local-only',
    ],
    ['put a conflict copy among the approvals', [add(`Approved/${COPY}`, task(1))], 'local-only-path'],
    ['put a conflict copy into local’s work', [add(`In_Progress/local/${COPY}`, task(1))], 'not-your-work'],
    [
      'bring conflict copies without end',
      Array.from({ length: 101 }, (_, at) =>
        add(`Plans/a.conflict-cloud-20261120T100000Z-${String(at).padStart(8, '0')}.md`, text('x')),
      ),
      'too-many-conflict-copies',
    ],
    ['draft a payment', move(at('In_Progress/cloud'), at('Pending_Approval/payment'), 1), 'domain-local-only'],
    ['claim a payment', move(at('Needs_Action/payment'), at('In_Progress/cloud'), 0, 1), 'domain-local-only'],
    [
      'leave a task that nobody can read',
      [edit(at('In_Progress/cloud'), task(1), text('---\nbroken'))],
      'task-file-invalid',
    ],
    [
      'remove a conflict copy',
      [remove('Pending_Approval/email/EMAIL_2026-11-20_x_abcdef.conflict-local-20261120T100000Z-12345678.md')],
      'conflict-copy-is-the-persons',
    ],
    ['delete an attachment', [remove(`Attachments/${'a'.repeat(64)}.pdf`, text('a'))], 'attachment-is-immutable'],
    [
      'change an attachment',
      [{ path: `Attachments/${sha256(text('b'))}.pdf`, mode: '100644', before: text('a'), after: text('b') }],
      'attachment-is-immutable',
    ],
  ])('%s', (_name, changes, rule) => expect(rules(CLOUD, changes)).toContain(rule))
})

describe('local may', () => {
  test.each<[string, FileChange[]]>([
    ['approve', move(at('Pending_Approval/email'), at('Approved'), 1)],
    ['freeze', move(at('Approved'), at('In_Progress/local'), 1)],
    ['finish', move(at('In_Progress/local'), at('Done/2026-11'), 1)],
    ['write the dashboard', [add('Dashboard.md', text('x'))]],
    ['remove merged updates', [remove('Updates/cloud/01J8Z3W6Q0ABCDEFGHJKMNPQRS.md', text('x'))]],
    ['give the cloud’s work back', move(at('In_Progress/cloud'), at('Needs_Action/email'), 1, 2)],
    ['keep a file that the person broke', [add(at('Pending_Approval/email'), text('---\nbroken'))]],
  ])('%s', (_name, changes) => expect(rules(LOCAL, changes)).toEqual([]))
})

describe('local may not', () => {
  test.each<[string, FileChange[], string]>([
    ['write into the cloud’s work', [edit(at('In_Progress/cloud'))], 'not-your-work'],
    ['take the cloud’s work elsewhere', move(at('In_Progress/cloud'), at('Approved'), 1), 'not-your-work'],
    ['write the cloud’s updates', [add('Updates/cloud/01J8Z3W6Q0ABCDEFGHJKMNPQRS.md', text('x'))], 'not-your-updates'],
    ['write the cloud’s ledger', [add('Logs/cloud/2026-11-20.jsonl', text('x\n'))], 'not-your-ledger'],
  ])('%s', (_name, changes, rule) => expect(rules(LOCAL, changes)).toContain(rule))
})

describe('nobody may', () => {
  const cases: [string, FileChange, string][] = [
    ['add a symbolic link', add('Dashboard.md', text('/etc/passwd'), '120000'), 'mode'],
    ['write the review sheet', add('Review.md', text('- [x] Approve')), 'path-unknown'],
    ['write a kept review sheet', add('Review.kept-20261120T100000Z.md', text('x')), 'path-unknown'],
    ['add an executable', add(at('Needs_Action/email'), task(0), '100755'), 'mode'],
    ['add a submodule', add('Inbox/sub.md', text(''), '160000'), 'mode'],
    ['add binary notes', add('Inbox/a.md', new Uint8Array([104, 0, 105])), 'not-utf8-text'],
    ['add text that is not UTF-8', add('Inbox/a.md', new Uint8Array([0xff, 0xfe])), 'not-utf8-text'],
    ['add a huge note', add('Inbox/a.md', new Uint8Array(300_000).fill(97)), 'size'],
    [
      'add an attachment under another’s hash',
      add(`Attachments/${sha256(text('a'))}.pdf`, text('b')),
      'attachment-name',
    ],
    ['add a huge attachment', add(`Attachments/${'a'.repeat(64)}.pdf`, new Uint8Array(11 * 1024 * 1024)), 'size'],
    ...[
      '.env',
      '.gitattributes',
      '.gitmodules',
      '.git/config',
      '.obsidian/app.json',
      'Inbox/.git/config',
      'Inbox/../.env',
      '../x.md',
      '/etc/passwd',
      'Approved//x.md',
      'Needs_Action/email/notes.txt',
      'Needs_Action/bank/EMAIL_2026-11-20_x_abcdef.md',
      'credentials.json',
      'banking/x.md',
      'session/creds.session',
      'Inbox/git~1/x.md',
      'Inbox/a\u200bb.md',
      'Inbox/a\u0000b.md',
      'Inbox/a\\b.md',
      'Inbox/CON.',
      'Inbox/CON.md',
      'Inbox/aux.md',
      'Inbox/Nul.conflict-local-20261120T100000Z-12345678.md',
      'Inbox/com1 .md',
      'Plans/LPT¹.md',
      'Updates/prn/01J8Z3W6Q0ABCDEFGHJKMNPQRS.md',
      'Attachments/invoice.pdf',
      'Logs/cloud/notes.jsonl',
      'In_Progress/Cloud/EMAIL_2026-11-20_x_abcdef.md',
      `Inbox/${'x'.repeat(300)}.md`,
      'Inbox/e\u0301.md',
    ].map((path): [string, FileChange, string] => [
      `use the path ${JSON.stringify(path).slice(0, 60)}`,
      add(path, text('x')),
      'path',
    ]),
  ]
  test.each(cases)('%s', (_name, change, rule) => {
    for (const author of [CLOUD, LOCAL]) expect(rules(author, [change]).join()).toMatch(rule)
  })

  test.each([
    ['Inbox/a.md', 'Inbox/A.md'],
    ['Plans/straẞe.md', 'Plans/straße.md'],
    ['Plans/ÀB.md', 'Plans/àb.md'],
    ['Plans/ΟΔΟΣ.md', 'Plans/οδος.md'],
    ['Plans/a.conflict-local-20261120T100000Z-ABCDEF12.md', 'Plans/a.conflict-local-20261120T100000Z-abcdef12.md'],
  ])('add two names that some disks take for one: %s, %s', (one, other) => {
    const both = [add(one, text('x')), add(other, text('x'))]
    expect(rules(LOCAL, both)).toEqual(['name-differs-only-in-case', 'name-differs-only-in-case'])
    expect(checkCommit(LOCAL, [add(one, text('x'))], [other])).toEqual([
      { path: one, rule: 'name-differs-only-in-case' },
    ])
  })

  test('put a task into two places', () => {
    const inTwo = [add(at('Rejected'), task(1)), add(at('Done/2026-11'), task(1))]
    expect(rules(LOCAL, inTwo)).toEqual(['task-in-two-places', 'task-in-two-places'])
    for (const folder of ['Done/2026-10', 'Approved', 'In_Progress/local', 'Needs_Action/social'])
      expect(checkCommit(CLOUD, [add(at('Needs_Action/email'))], [at(folder)])).toEqual([
        { path: at('Needs_Action/email'), rule: 'task-in-two-places' },
      ])
  })
})

describe('a name that stands is nobody’s hindrance', () => {
  test('to be renamed in its case alone', () => {
    const renamed = [remove('Inbox/a.md', text('x')), add('Inbox/A.md', text('x'))]
    expect(checkCommit(LOCAL, renamed, ['Inbox/a.md'])).toEqual([])
  })

  test('to be changed or moved', () => {
    const edited = { path: 'Inbox/a.md', mode: '100644', before: text('x'), after: text('y') }
    expect(checkCommit(LOCAL, [edited], ['Inbox/a.md'])).toEqual([])
    const moved = move(at('Pending_Approval/email'), at('Approved'), 1)
    expect(checkCommit(LOCAL, moved, [at('Pending_Approval/email')])).toEqual([])
  })

  test('for a conflict copy of it, or for the same name elsewhere', () => {
    const standing = [at('Done/2026-11'), 'Inbox/a.md']
    expect(checkCommit(CLOUD, [add(`Pending_Approval/email/${COPY}`, task(1))], standing)).toEqual([])
    expect(checkCommit(LOCAL, [add('Plans/A.md', text('x'))], standing)).toEqual([])
  })
})
