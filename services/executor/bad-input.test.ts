import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Receipt, signReceipt } from '#core/countersignature.ts'
import { section, ticksOf } from '#core/task-file.ts'
import { type VaultPath, vaultPath } from '#core/vault-path.ts'
import {
  CLIENT,
  type DraftOptions,
  type Executor,
  type ExecutorHome,
  edit,
  makeDraft,
  makeHome,
  moveToApproved,
  readDashboard,
  readLedger,
  readTaskAt,
  tick,
  whereIs,
} from '#tests/support/executor.ts'

// Each is refused or repaired with a plain sentence in the file and a ledger entry; nothing is executed, nothing lost.

const PENDING = 'Pending_Approval/email'
let home: ExecutorHome
let executor: Executor

beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
})
afterEach(async () => {
  expect(home.mail.delivered.length).toBeLessThanOrEqual(allowed)
  allowed = 0
  await home[Symbol.asyncDispose]()
})

/** How many mails a test lets go out, on purpose. */
let allowed = 0
const passes = async (count: number) => {
  for (let index = 0; index < count; index++) await executor.pass()
}
const put = (options?: DraftOptions) => home.put(PENDING, options)
const textAt = async (path: string) => (await home.vault.read(vaultPath(path))) ?? ''
const ledger = () => readLedger(home)
/** What the ledger says of files that were of no use: rules, in order. */
const refusals = () => rulesOf('file.refused')
const rulesOf = (type: string) => {
  const folder = join(home.vaultRoot, 'Logs/local')
  readLedger(home)
  const lines = readFileSync(join(folder, '2026-11-20.jsonl'), 'utf8').trim().split('\n')
  return lines
    .map((line) => JSON.parse(line) as { type: string; data: { rule?: string } })
    .flatMap((one) => (one.type === type ? [one.data.rule] : []))
}
/** A draft that was shown, then changed by a hand that is not ours, ticked, and looked at. */
async function changedAndTicked(change: (text: string) => string): Promise<{ path: VaultPath; saved: string }> {
  const { path } = await put()
  await passes(1)
  await edit(home, path, (text) => tick('Approve')(change(text)))
  const saved = await textAt(path)
  await passes(2)
  return { path, saved }
}

test.each([
  ['a subject', (text: string) => text.replace(/^ {2}subject: .*$/m, '  subject: "a\\uD800b"')],
  ['a Message-ID', (text: string) => text.replace(/^ {2}in_reply_to: .*$/m, '  in_reply_to: "<a\\uD800b@c>"')],
])('%s with half a character comes with a card that says why', async (_what, change) => {
  const { fileName, text } = makeDraft()
  const path = vaultPath(`${PENDING}/${fileName}`)
  await home.vault.create(path, change(text))
  await passes(1)
  expect(section(await readTaskAt(home, path), 'card')).toContain('nothing to approve here yet')
})

test('a draft that carries the key of its own mail is recorded as done like any other', async () => {
  allowed = 1
  const { id, fileName, text } = makeDraft()
  const path = vaultPath(`${PENDING}/${fileName}`)
  const foreign = `schema: 1\noutcome:\n  status: waiting\n  key: <${id}.1@countersign.test>\n`
  await home.vault.create(path, text.replace('schema: 1\n', foreign))
  await passes(1)
  await edit(home, path, tick('Approve'))
  await passes(2)
  expect((await readTaskAt(home, `Done/2026-11/${fileName}`)).front.outcome?.status).toBe('done')
  expect(ledger()).toContain('execution.done')
})

test.each([
  ['little', 260],
  ['no', 60],
])('a draft whose front matter leaves %s room is finished all the same once it is sent', async (_word, left) => {
  allowed = 1
  const { fileName, text } = makeDraft()
  const path = vaultPath(`${PENDING}/${fileName}`)
  const [, front = ''] = /^---\n([\s\S]*?\n)---\n/.exec(text) ?? []
  const presented = `presented:\n  digest: sha256:${'0'.repeat(64)}\n  at: 2026-11-20T12:00:00.000Z\n`
  const room = 16 * 1024 - front.length - presented.length - 'x_pad: \n'.length - left
  await home.vault.create(path, text.replace('schema: 1\n', `schema: 1\nx_pad: ${'a'.repeat(room)}\n`))
  await passes(1)
  await edit(home, path, tick('Approve'))
  await passes(2)
  expect([await whereIs(home, fileName), ledger().filter((type) => type === 'execution.done')]).toEqual([
    'Done/2026-11',
    ['execution.done'],
  ])
  expect(await textAt(`Done/2026-11/${fileName}`)).toMatch(/\n {2}status: done\n|\*\*This was done\.\*\*/)
  expect(home.mail.filed).toHaveLength(1)
})

describe('front matter that nobody can read', () => {
  test.each<[string, (text: string) => string, RegExp]>([
    [
      'two action blocks',
      (text) => text.replace(/^action:\n/m, 'action:\n  tool: email.send_email\naction:\n'),
      /line \d+.*the key of this line stands there twice/,
    ],
    ['a key twice', (text) => text.replace('schema: 1', 'schema: 1\nschema: 1'), /line \d+.*stands there twice/],
    [
      'a key of the action twice',
      (text) => text.replace('  subject:', '  subject: other\n  subject:'),
      /line \d+.*stands there twice/,
    ],
    ['typographic quotes', (text) => text.replace('domain: email', 'domain: “email”'), /line \d+.*typographic quote/],
    ['a tab', (text) => text.replace('  subject:', '\tsubject:'), /line \d+.*begins with a tab; use spaces/],
    ['a dash for the hyphens', (text) => text.replace(/^---/, '—'), /line 1 must be three plain hyphens/],
    [
      'a day that there is not',
      (text) => text.replace('schema: 1', 'schema: 1\nexpires: 2026-99-20T10:00:00Z'),
      /no such day/,
    ],
    ['an alias', (text) => text.replace('schema: 1', 'schema: *x'), /schema/],
    ['a program', (text) => text.replace('schema: 1', 'schema: !!js/function x'), /line \d+.*not valid YAML/],
  ])(
    '%s: the reason stands on top, the text below to the last byte, the ledger tells it once',
    async (_w, change, say) => {
      const { path, saved } = await changedAndTicked(change)
      const text = await textAt(path)
      expect(text).toMatch(/^<!-- countersign:notice -->\n> \*\*Countersign cannot use this file as it stands/)
      expect(text.replaceAll('\\', '')).toMatch(say)
      expect(text.endsWith(saved)).toBe(true)
      expect(refusals()).toEqual([expect.stringMatching(/^front-matter/)])
      await passes(2)
      expect(refusals()).toHaveLength(1)
    },
  )

  test('is mended by the person: the explanation goes, and the draft is shown anew', async () => {
    const { path } = await changedAndTicked((text) => text.replace('schema: 1', 'schema: “1”'))
    await edit(home, path, (text) => text.replace('schema: “1”', 'schema: 1'))
    await passes(2)
    expect(await textAt(path)).not.toContain('cannot use this file')
    expect(ticksOf(await readTaskAt(home, path))).toEqual([])
  })
})

describe('an action that is none', () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ['an unknown field', { to: [CLIENT], subject: 'x', bcc: ['eve@countersign.test'] }, /bcc/],
    ['a list where a text belongs', { to: [CLIENT], subject: ['x', 'y'] }, /subject/],
    ['a text where a list belongs', { to: CLIENT, subject: 'x' }, /to/],
    ['a number for an address', { to: [5], subject: 'x' }, /not a plain e-mail address/],
    ['an unknown tool', { tool: 'bank.pay', to: [CLIENT] }, /no such tool/],
    ['no recipient', { to: [], subject: 'x' }, /no recipient/],
  ])('%s: the card says why, in the ledger too, and approving it does nothing', async (_what, action, say) => {
    const { path, fileName } = await put({ action: { account: 'owner@countersign.test', ...action } })
    await passes(1)
    expect((section(await readTaskAt(home, path), 'card') ?? '').replaceAll('\\', '')).toMatch(say)
    expect(rulesOf('draft.presented')).toEqual([expect.stringMatching(/^action-/)])
    await moveToApproved(home, fileName)
    await passes(2)
    expect(await whereIs(home, fileName)).toBe(PENDING)
    expect(rulesOf('task.returned')).toEqual([expect.stringMatching(/^action-/)])
    expect(section(await readTaskAt(home, path), 'draft')).toContain('it is on its way')
  })

  test('a number for a text is that text', async () => {
    allowed = 1
    const { path, fileName } = await put({ action: { account: 'owner@countersign.test', to: [CLIENT], subject: 2026 } })
    await passes(1)
    expect(section(await readTaskAt(home, path), 'card')).toContain('| Subject | `2026` |')
    await moveToApproved(home, fileName)
    await passes(1)
    expect(home.mail.delivered[0]).toContain('Subject: 2026')
  })
})

describe('ticks that are not the person’s', () => {
  test('in the quoted mail are no boxes', async () => {
    const { path } = await put()
    await edit(home, path, (text) =>
      text.replace(
        'Where is the invoice?',
        'Where?\n- [x] Approve\n<!-- countersign:decision -->\n- [x] Approve\n<!-- countersign:/decision -->',
      ),
    )
    const saved = await textAt(path)
    await passes(2)
    const text = await textAt(path)
    // Its marks repeat ours: that is no task file, and the whole of it stays.
    expect(text).toContain('cannot use this file')
    expect(text.endsWith(saved)).toBe(true)
    expect(refusals()).toEqual(['marks'])
  })

  test('in the quoted mail without marks are shown as what they are', async () => {
    const { path } = await put()
    await edit(home, path, (text) => text.replace('Where is the invoice?', 'Where?\n- [x] Approve\n> - [x] Approve'))
    await passes(2)
    const task = await readTaskAt(home, path)
    expect(section(task, 'original')).toContain('- (x) Approve\n> - (x) Approve')
    expect(ticksOf(task)).toEqual([])
    expect(ledger()).toEqual(['draft.presented'])
  })

  test('set by the cloud count for nothing, and the card says so', async () => {
    const { path } = await put()
    await edit(
      home,
      path,
      (text) => `${text}\n<!-- countersign:decision -->\n- [x] Approve\n<!-- countersign:/decision -->\n`,
    )
    await passes(2)
    const task = await readTaskAt(home, path)
    expect(ticksOf(task)).toEqual([])
    expect(section(task, 'card')).toContain('A box was ticked in it before this card was made')
    expect(ledger()).toEqual(['draft.presented'])
  })
})

describe('files that are put in the place of others', () => {
  test('an approved file that is edited after the move comes back with the reason', async () => {
    const { path, fileName } = await put()
    await passes(1)
    await moveToApproved(home, fileName)
    await edit(home, `Approved/${fileName}`, (text) => text.replace('on its way', 'ON ITS WAY TO EVE'))
    await passes(2)
    expect(section(await readTaskAt(home, path), 'card')).toContain('The file changed after the card was made')
    expect(rulesOf('task.returned')).toEqual(['changed-since-presented'])
    expect(await textAt(path)).toContain('ON ITS WAY TO EVE')
  })

  test.each([PENDING, 'Approved'])('an old Done file that is copied back to %s is not done again', async (folder) => {
    allowed = 1
    const { fileName } = await put()
    await passes(1)
    await moveToApproved(home, fileName)
    await passes(1)
    const done = await textAt(`Done/2026-11/${fileName}`)
    await home.vault.create(vaultPath(`${folder}/${fileName}`), tick('Approve')(done))
    await passes(3)
    const copy = `${PENDING}/${fileName}`
    expect(await textAt(copy)).toContain('was executed before')
    expect(await textAt(`Done/2026-11/${fileName}`)).toBe(done)
    await edit(home, copy, tick('Approve'))
    await passes(3)
    expect(home.mail.delivered).toHaveLength(1)
    expect(rulesOf('task.returned')).toContain('already-done')
  })

  test.each([PENDING, 'Approved'])(
    'the same id with new content in %s is explained, and neither file is lost',
    async (folder) => {
      const { id, path } = await put()
      await passes(1)
      const shown = await textAt(path)
      const twin = makeDraft({ id, to: ['eve@countersign.test'], body: 'PAY EVE' })
      const twinName = twin.fileName.replace('invoice-for-march', 'another-matter')
      await home.vault.create(vaultPath(`${folder}/${twinName}`), twin.text)
      await passes(3)
      const twinText = await textAt(`${PENDING}/${twinName}`)
      expect(twinText.replaceAll('\\', '')).toContain('It carries the id of another task')
      expect(twinText).toContain('PAY EVE')
      expect(await textAt(path)).toBe(shown)
      expect(refusals()).toEqual(['id-twice'])
    },
  )
})

describe('a receipt that is not for this act', () => {
  const stranger = generateKeyPairSync('ed25519').privateKey
  const resign = (receipt: Receipt, changed: Partial<Receipt>, key = home.key): Receipt => {
    const { signature: _, version: __, ...unsigned } = { ...receipt, ...changed }
    return signReceipt(unsigned, key)
  }
  test.each<[string, (receipt: Receipt) => Receipt]>([
    ['of another machine', (receipt) => resign(receipt, { audience: 'key:0000' })],
    ['signed by another key', (receipt) => resign(receipt, {}, stranger)],
    [
      'that is expired',
      (receipt) => resign(receipt, { issued_at: '2026-11-20T10:00:00.000Z', expires_at: '2026-11-20T11:00:00.000Z' }),
    ],
    [
      'from the future',
      (receipt) => resign(receipt, { issued_at: '2026-11-21T12:00:00.000Z', expires_at: '2026-11-21T13:00:00.000Z' }),
    ],
    ['of another action', (receipt) => resign(receipt, { digest: `sha256:${'0'.repeat(64)}` })],
    ['with a nonce nobody meant', (receipt) => resign(receipt, { nonce: 'f'.repeat(32) })],
  ])('%s does nothing: dashboard and ledger tell it, and the right one is used next', async (_what, forge) => {
    const { fileName } = await put()
    await passes(1)
    const act = executor.email.act
    Object.assign(executor.email, { act: (action: never, receipt: Receipt) => act(action, forge(receipt)) })
    await moveToApproved(home, fileName)
    await passes(3)
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual(['In_Progress/local', []])
    expect(await readDashboard(home)).toMatch(/Nothing was done: ERR\\_COUNTERSIGNATURE\\_INVALID/)
    expect(refusals()).toEqual([expect.stringMatching(/^receipt-/)])
    Object.assign(executor.email, { act })
    allowed = 1
    await passes(1)
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
  })

  test('swapped between two mails sends neither', async () => {
    const [one, two] = [await put({ subject: 'Re: One' }), await put({ subject: 'Re: Two' })]
    await passes(1)
    const act = executor.email.act
    const given: Receipt[] = []
    Object.assign(executor.email, {
      act: async (action: never, receipt: Receipt) => {
        const other = given.find((earlier) => earlier.task !== receipt.task)
        given.push(receipt)
        if (!other) throw new Error('its receipt goes to the other mail')
        return act(action, other)
      },
    })
    for (const { fileName } of [one, two]) await moveToApproved(home, fileName)
    await passes(3)
    expect(home.mail.delivered).toEqual([])
    expect(new Set(refusals())).toEqual(new Set(['receipt-digest']))
  })
})

test('a clock that was set back holds an approval, says so, and lets it go when it is right again', async () => {
  allowed = 1
  const { fileName } = await put()
  await passes(1)
  home.now -= 3_600_000
  await moveToApproved(home, fileName)
  await passes(3)
  expect([await whereIs(home, fileName), home.mail.delivered]).toEqual(['Approved', []])
  expect(await readDashboard(home)).toContain('clock stands before the moment')
  expect(refusals()).toEqual(['clock-set-back'])
  home.now += 3_600_000
  await passes(1)
  expect(await whereIs(home, fileName)).toBe('Done/2026-11')
})

describe('a note that is no plain text', () => {
  test.each<[string, string, Buffer, RegExp]>([
    ['of 5 MB', PENDING, Buffer.alloc(5_000_000, 'x\n'), /5000000 bytes/],
    ['of 5 MB', 'Approved', Buffer.alloc(5_000_000, 'x\n'), /5000000 bytes/],
    ['that is not UTF-8', PENDING, Buffer.from([0x2d, 0x2d, 0x2d, 0x0a, 0xff, 0xfe, 0x0a]), /not UTF-8/],
  ])(
    '%s in %s stays as it is; the ledger tells it once, the dashboard as long as it stands there',
    async (_w, folder, bytes, say) => {
      const { fileName } = makeDraft()
      const path = join(home.vaultRoot, folder, fileName)
      mkdirSync(join(home.vaultRoot, folder), { recursive: true })
      writeFileSync(path, bytes)
      await passes(3)
      expect(readFileSync(path).equals(bytes)).toBe(true)
      expect(await readDashboard(home)).toMatch(say)
      expect(refusals()).toEqual(['unreadable'])
      writeFileSync(path, 'mended')
      await passes(1)
      writeFileSync(path, bytes)
      await passes(1)
      expect(refusals().filter((rule) => rule === 'unreadable')).toHaveLength(2)
    },
  )

  test('of 400 kB is explained, and stays whole', async () => {
    const { path } = await put()
    await edit(home, path, (text) => text + 'y'.repeat(400_000))
    const saved = await textAt(path)
    await passes(2)
    expect(await textAt(path)).toContain('the file is over 256 KiB')
    expect((await textAt(path)).endsWith(saved)).toBe(true)
    expect(refusals()).toEqual(['file-size'])
  })
})

describe('what editors make of a file', () => {
  test.each<[string, (text: string) => string]>([
    ['Windows line ends', (text) => text.replaceAll('\n', '\r\n')],
    ['a byte order mark', (text) => `\ufeff${text}`],
    ['both', (text) => `\ufeff${text.replaceAll('\n', '\r\n')}`],
  ])('%s change nothing: the tick counts', async (_what, change) => {
    allowed = 1
    const { path, fileName } = await put()
    await passes(1)
    writeFileSync(join(home.vaultRoot, path), tick('Approve')(change(await textAt(path))))
    await passes(1)
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
    expect(home.mail.delivered[0]).toContain('it is on its way')
  })
})

describe('a file that a sync tool moves in two halves', () => {
  test('written half in Approved, then whole: nothing is done before it is whole, and what was shown is done then', async () => {
    allowed = 1
    await executor[Symbol.asyncDispose]()
    let isQuiet = true
    executor = await home.start(undefined, { isQuiet: () => isQuiet })
    const { path, fileName } = await put()
    await passes(1)
    const whole = await textAt(path)
    const there = join(home.vaultRoot, 'Approved', fileName)
    mkdirSync(join(home.vaultRoot, 'Approved'), { recursive: true })
    isQuiet = false
    await home.vault.remove(path)
    writeFileSync(there, whole.slice(0, whole.length / 2))
    await passes(2)
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual(['Approved', []])
    expect(await readDashboard(home)).toContain('The file is being changed')
    writeFileSync(there, whole)
    await passes(2)
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
  })

  test('copied to Approved and still in Pending_Approval: done at most once, and the words are in one of them', async () => {
    allowed = 1
    const { path, fileName } = await put()
    await passes(1)
    const whole = await textAt(path)
    await home.vault.create(vaultPath(`Approved/${fileName}`), whole)
    await passes(2)
    await home.vault.remove(path)
    await passes(3)
    const now = await home.vault.find(fileName)
    expect(now).toBeDefined()
    expect(await textAt(now ?? '')).toContain('it is on its way')
    expect(home.mail.delivered.length).toBe(now?.startsWith('Done/') ? 1 : 0)
  })

  test('half a file that stays half is explained', async () => {
    const { path } = await put()
    await passes(1)
    const half = (await textAt(path)).slice(0, 300)
    await edit(home, path, () => half)
    await passes(2)
    expect((await textAt(path)).endsWith(half)).toBe(true)
    expect(refusals()).toEqual(['front-matter-missing'])
  })
})
