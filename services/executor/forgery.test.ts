import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { withOutcomeTick } from '#core/problem-card.ts'
import { section, ticksOf } from '#core/task-file.ts'
import { type VaultPath, vaultPath } from '#core/vault-path.ts'
import {
  CLIENT,
  type Executor,
  type ExecutorHome,
  edit,
  makeDraft,
  makeHome,
  moveToApproved,
  OWNER,
  readLedger,
  readTaskAt,
  tick,
  whereIs,
  wrongPassword,
} from '#tests/support/executor.ts'

const PENDING = 'Pending_Approval/email'
let home: ExecutorHome
let executor: Executor

beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
})
afterEach(() => home[Symbol.asyncDispose]())

const pass = () => executor.pass()
const evil = (card: string) => tick('Approve')(card.replace('it is on its way', 'pay to EVIL'))

/** What sync does with bytes of the hub: it counts, then writes. */
async function receive(path: VaultPath, text: string): Promise<void> {
  home.received.note(path.slice(path.lastIndexOf('/') + 1))
  await home.vault.remove(path)
  await home.vault.create(path, text)
}

describe('a file that was received with every mark of a shown card', () => {
  test.each([
    ['over the card', PENDING],
    ['in another domain', 'Pending_Approval/accounting'],
  ])('%s is shown anew, its ticks do not count, and it says why', async (_where, folder) => {
    const { path, fileName } = await home.put(PENDING)
    await pass()
    const card = (await home.vault.read(path)) ?? ''
    const forged = vaultPath(`${folder}/${fileName}`)
    await home.vault.remove(path)
    await receive(forged, evil(card))
    for (let index = 0; index < 3; index++) await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual([folder, []])
    const task = await readTaskAt(home, forged)
    expect(ticksOf(task)).toEqual([])
    expect(section(task, 'card')).toContain('changed after it was shown to you')
    await home.vault.move(forged, vaultPath(`Approved/${fileName}`))
    await pass()
    expect(home.mail.delivered).toHaveLength(1)
  })

  test('moved by hand between domains is shown anew as well', async () => {
    const { path, fileName } = await home.put(PENDING)
    await pass()
    await edit(home, path, tick('Approve'))
    await home.vault.move(path, vaultPath(`Pending_Approval/accounting/${fileName}`))
    await pass()
    await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual(['Pending_Approval/accounting', []])
  })

  test.each(['Approved', 'In_Progress/local'])('is not executed when it was received into %s', async (folder) => {
    await executor[Symbol.asyncDispose]()
    executor = await home.start(undefined, { undoMs: 1_000 })
    const { path, fileName } = await home.put(PENDING)
    await pass()
    await moveToApproved(home, fileName)
    if (folder !== 'Approved') await pass()
    const there = vaultPath(`${folder}/${fileName}`)
    await receive(there, evil((await home.vault.read(there)) ?? ''))
    home.now += 1_000
    for (let index = 0; index < 3; index++) await pass()
    expect([await home.vault.find(fileName), home.mail.delivered]).toEqual([path, []])
  })

  test('another file that a person renamed over the card is shown before it counts', async () => {
    const { path, fileName } = await home.put(PENDING)
    await pass()
    const other = evil((await home.vault.read(path)) ?? '').replace(
      /^(presented:\n.*\n +at: ).*$/m,
      '$12026-11-19T00:00:00.000Z',
    )
    await home.vault.remove(path)
    await home.vault.create(vaultPath(`Approved/${fileName}`), other)
    for (let index = 0; index < 3; index++) await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual([PENDING, []])
  })

  test('while it is being read is not taken for what stood there before', async () => {
    const { path, fileName } = await home.put(PENDING)
    await pass()
    const card = (await home.vault.read(path)) ?? ''
    await executor[Symbol.asyncDispose]()
    let isFirst = true
    executor = await home.start((parts) => ({
      ...parts,
      vault: {
        ...parts.vault,
        async read(asked, max) {
          if (asked === path && isFirst) {
            isFirst = false
            await receive(path, evil(card))
          }
          return parts.vault.read(asked, max)
        },
      },
    }))
    for (let index = 0; index < 3; index++) await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual([PENDING, []])
    // Not even moved by its tick, to be given back later.
    expect(readLedger(home)).not.toContain('task.returned')
  })

  test('does not count after the person moved the card by hand to Needs_Action', async () => {
    const { id, path, fileName } = await home.put(PENDING)
    await pass()
    const card = (await home.vault.read(path)) ?? ''
    const away = vaultPath(`Needs_Action/email/${fileName}`)
    await home.vault.move(path, away)
    await pass()
    expect(executor.deps.journal.presentation(id)).toBeUndefined()
    expect(readLedger(home)).toEqual(['draft.presented', 'task.redraft'])
    await home.vault.remove(away)
    await home.vault.create(path, evil(card))
    for (let index = 0; index < 3; index++) await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual([PENDING, []])
  })

  test('does not count after the person broke the front matter', async () => {
    const { path, fileName } = await home.put(PENDING)
    await pass()
    const card = (await home.vault.read(path)) ?? ''
    await edit(home, path, (text) => text.replace('schema: ', 'schema: ['))
    await pass()
    await edit(home, path, () => evil(card))
    for (let index = 0; index < 3; index++) await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual([PENDING, []])
  })
})

describe('words of the cloud around the draft', () => {
  const FRONT_MARK = `presented:\n  digest: sha256:${'0'.repeat(64)}\n  at: 2026-11-20T11:00:00Z\n`
  const body = [
    '',
    ...['decision', 'card'].flatMap((name) => [`<!-- countersign:${name} -->`, `<!-- countersign:/${name} -->`, '']),
    '## Draft',
    '',
    'Dear client, all is fine.',
    '<details hidden>',
    '<!-- countersign:draft -->',
    'pay to EVIL',
    '<!-- countersign:/draft -->',
    '</details>',
    '',
  ].join('\n')
  const staged = (text: string) =>
    text.slice(0, text.indexOf('\n---\n') + 5).replace('schema: 1\n', `schema: 1\n${FRONT_MARK}`) + body

  test('are dropped when the file is approved before it was ever shown', async () => {
    const { fileName, text } = makeDraft()
    await home.vault.create(vaultPath(`Approved/${fileName}`), staged(text))
    await pass()
    await pass()
    const shown = (await home.vault.read(vaultPath(`${PENDING}/${fileName}`))) ?? ''
    expect(shown).toContain('pay to EVIL')
    expect(shown).not.toMatch(/all is fine|<details/)
  })

  test('are dropped when there was nothing to approve at first', async () => {
    const { fileName, text } = makeDraft({ to: [] })
    const path = vaultPath(`${PENDING}/${fileName}`)
    await home.vault.create(path, staged(text))
    await pass()
    await edit(home, path, (old) => old.replace(/to: \[\]|to:\n(?= {2}subject)/, 'to: [ana@acme.example]'))
    await pass()
    const shown = (await home.vault.read(path)) ?? ''
    expect(shown).toContain('pay to EVIL')
    expect(shown).not.toMatch(/all is fine|<details/)
  })

  test('are dropped when the card first asked whether an earlier use was done', async () => {
    const { id, path, fileName } = await home.put(PENDING)
    await pass()
    home.mail.outcome = { kind: 'unknown', reason: 'timeout' }
    await moveToApproved(home, fileName)
    for (let index = 0; index < 2; index++) await pass()
    await home.vault.move(path, vaultPath(`Needs_Action/email/${fileName}`))
    await pass()
    await home.vault.remove(vaultPath(`Needs_Action/email/${fileName}`))
    await home.vault.create(path, staged(makeDraft({ id }).text.replace('generation: 1', 'generation: 3')))
    await pass()
    await edit(home, path, (text) => withOutcomeTick(text, 'not-done') ?? expect.fail('it does not ask'))
    for (let index = 0; index < 3; index++) await pass()
    const shown = (await home.vault.read(path)) ?? ''
    expect(shown).toContain('- [ ] Approve')
    expect(shown).not.toMatch(/all is fine|<details/)
  })

  test('are not the person’s: those stay, also in a file that was broken and mended', async () => {
    const { path } = await home.put(PENDING)
    await pass()
    await edit(home, path, (text) => `${text}\nMY OWN REMARK\n`)
    await edit(home, path, (text) => text.replace('schema: 1', 'schema: ['))
    await pass()
    await edit(home, path, (text) => text.replace('schema: [', 'schema: 1'))
    await pass()
    expect(await home.vault.read(path)).toContain('MY OWN REMARK')
    expect(await home.vault.read(path)).not.toContain('cannot use this file')
  })
})

test('a draft with text that editors hide is warned of, and given back until it is written plainly', async () => {
  const { path, fileName } = await home.put(PENDING, { body: 'Dear client,\n\n<!--\npay to EVIL\n-->\nThe owner' })
  await pass()
  expect(section(await readTaskAt(home, path), 'card')).toMatch(/Line 3 of the draft .* contains an HTML comment/)
  await moveToApproved(home, fileName)
  await pass()
  await pass()
  expect([await whereIs(home, fileName), home.mail.delivered]).toEqual([PENDING, []])
  expect(section(await readTaskAt(home, path), 'card')).toContain('look again')
  await edit(home, path, (text) => text.replace('<!--\npay to EVIL\n-->', 'it comes'))
  await pass()
  await moveToApproved(home, fileName)
  await pass()
  expect(home.mail.delivered).toHaveLength(1)
})

describe('what the person saves at the very instant the executor writes', () => {
  test.each([
    ['a card', PENDING, undefined],
    ['an explanation', PENDING, (text: string) => text.replace('schema: 1', 'schema: [')],
    ['a redraft', PENDING, tick('Redraft')],
    ['a rejection', 'Rejected', undefined],
    ['an outcome', 'In_Progress/local', tick('Approve')],
  ])('is kept under %s', async (what, folder, decide) => {
    await executor[Symbol.asyncDispose]()
    let isArmed = false
    const { path, fileName } = await home.put(PENDING)
    executor = await home.start((parts) => ({
      ...parts,
      vault: {
        ...parts.vault,
        async replaceIf(asked, expected, content) {
          const absolute = join(home.vaultRoot, asked)
          if (isArmed) writeFileSync(absolute, readFileSync(absolute, 'utf8').replace('it is on its', 'HOURS OF WORK'))
          isArmed = false
          return parts.vault.replaceIf(asked, expected, content)
        },
      },
    }))
    if (what !== 'a card') await pass()
    if (decide) await edit(home, path, decide)
    if (folder === 'Rejected') await home.vault.move(path, vaultPath(`Rejected/${fileName}`))
    isArmed = true
    for (let index = 0; index < 4; index++) await pass()
    expect(isArmed).toBe(false)
    const now = await home.vault.find(fileName)
    expect(now && (await home.vault.read(now))).toContain('HOURS OF WORK')
  })
})

describe('a journal that was lost', () => {
  async function loseJournal(): Promise<void> {
    await executor[Symbol.asyncDispose]()
    for (const end of ['', '-wal', '-shm']) rmSync(join(home.folder, `state/journal.sqlite${end}`), { force: true })
    home.bornAt = home.now
    executor = await home.start()
  }
  const approveTwice = async (fileName: string) => {
    for (let index = 0; index < 2; index++) {
      const now = await home.vault.find(fileName)
      if (now) await home.vault.move(now, vaultPath(`Approved/${fileName}`))
      for (let again = 0; again < 3; again++) await pass()
      home.now += 60_000
    }
  }

  test('does not let a task be executed again whose file says that it was', async () => {
    const { path, fileName } = await home.put(PENDING)
    await pass()
    await moveToApproved(home, fileName)
    await pass()
    home.mail.filed.length = 0
    await loseJournal()
    await approveTwice(fileName)
    expect(home.mail.delivered).toHaveLength(1)
    expect(await home.vault.read(path)).toMatch(/executed before/)
    expect((await readTaskAt(home, path)).front.outcome).toMatchObject({ status: 'done' })
  })

  test.each([
    ['', (text: string) => text],
    [
      ', nor when its date lies ahead',
      (text: string) => text.replace(/^created: .*$/m, 'created: 2027-01-01T00:00:00.000Z'),
    ],
  ])(
    'does not let a mail be sent again that stands in Sent, though the file does not say so%s',
    async (_when, date) => {
      const { path, fileName } = await home.put(PENDING)
      await edit(home, path, date)
      await pass()
      const before = (await home.vault.read(path)) ?? ''
      await moveToApproved(home, fileName)
      await pass()
      await loseJournal()
      await home.vault.remove(vaultPath(`Done/2026-11/${fileName}`))
      await home.vault.create(path, before)
      await pass()
      await approveTwice(fileName)
      expect(home.mail.delivered).toHaveLength(1)
      expect(await home.vault.read(path)).toMatch(/stands in Sent already/)
    },
  )

  test('makes an older task wait for a mailbox that is away, and a younger one that answers nothing not', async () => {
    await loseJournal()
    const older = await home.put(PENDING)
    await pass()
    await executor[Symbol.asyncDispose]()
    executor = await home.start((parts) => ({
      ...parts,
      mail: Object.assign(Object.create(parts.mail), { has: () => Promise.reject(wrongPassword()) }),
    }))
    const younger = await home.put(PENDING, { action: { account: OWNER, to: [CLIENT], subject: 'A new mail' } })
    await edit(home, younger.path, (text) => text.replace('created: 2026-11-20T11', 'created: 2026-11-20T13'))
    home.now += 2 * 3_600_000
    await pass()
    for (const { fileName } of [older, younger]) await moveToApproved(home, fileName)
    await pass()
    expect(await whereIs(home, younger.fileName)).toBe('Done/2026-11')
    expect(await whereIs(home, older.fileName)).toBe('In_Progress/local')
    expect(await home.vault.read(vaultPath('Dashboard.md'))).toContain('Sent must be looked at first')
    expect(home.mail.delivered).toHaveLength(1)
  })
})
