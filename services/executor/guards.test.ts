import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeTaskId } from '#core/ids.ts'
import { section, ticksOf } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import {
  CLIENT,
  type DraftOptions,
  type Executor,
  type ExecutorHome,
  edit,
  makeHome,
  moveToApproved,
  readDashboard,
  readTaskAt,
  START,
  tick,
  whereIs,
} from '#tests/support/executor.ts'
import { nextEnd, runExecutor } from './run-executor.ts'

const PENDING = 'Pending_Approval/email'
const HANDBOOK = vaultPath('Company_Handbook.md')
const HOUR = 3_600_000
const NEW_ACCOUNT = 'Please pay to DE89 3704 0044 0532 0130 00.'
let home: ExecutorHome
let executor: Executor

beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
})
afterEach(() => home[Symbol.asyncDispose]())

const pass = () => executor.pass()
const rules = (...lines: string[]) =>
  home.vault.replace(HANDBOOK, `## Rules\n\n${lines.map((one) => `- ${one}`).join('\n')}\n`)
const cardOf = async (path: string) => section(await readTaskAt(home, path), 'card') ?? ''
const codeIn = async (path: string) => /type `([A-Z0-9]{5})` after/.exec(await cardOf(path))?.[1]
const typeCode = (code: string) => (text: string) => text.replace(/^Code:.*$/m, `Code: ${code}`)
const sent = () => home.mail.delivered.length

async function shown(options?: DraftOptions) {
  const draft = await home.put(PENDING, options)
  await pass()
  return draft
}
async function approved(options?: DraftOptions) {
  const draft = await shown(options)
  await moveToApproved(home, draft.fileName)
  await pass()
  return draft
}

describe('what a draft says', () => {
  const from = 'From: Ana\nReceived: 2026-11-20 10:00 UTC\n\nCan you do it for 900 €, by Friday?'
  const withMail = (text: string) => text.replace('Where is the invoice?', from)

  test('is traced on its card to the mail, the handbook, the goals and the owner’s name, and again after an edit', async () => {
    await home.vault.create(HANDBOOK, '# Handbook\n\nA day costs 950 EUR.\n')
    await home.vault.create(vaultPath('Business_Goals.md'), '- The shop opens on 3 March.\n')
    const body =
      'Dear Ana,\n\nyes, for 900 EUR, by Friday. A day is 950 EUR. We open on 3 March.\n\nKind regards\nThe Owner'
    const { path } = await home.put(PENDING, { body })
    await edit(home, path, withMail)
    await pass()
    const card = await cardOf(path)
    expect(card).toContain('\n- amount `900 EUR`: mail, line 4, `Can you do it for 900 €, by Friday?`\n')
    expect(card).toContain('\n- amount `950 EUR`: handbook, line 3, `A day costs 950 EUR.`\n')
    expect(card).toContain('\n- date `3 March`: goals, line 1, `- The shop opens on 3 March.`\n')
    expect(card).not.toContain('in no source')
    await edit(home, path, (text) => text.replace('for 900 EUR', 'for 800 EUR'))
    await pass()
    expect(await cardOf(path)).toContain('> ⚠ in no source (mail, notes, handbook, goals): the amount “800 EUR”\n')
    expect(await cardOf(path)).not.toContain('- amount `900 EUR`')
  })
})

test('a link that the goals name is nobody’s news', async () => {
  const goals = vaultPath('Business_Goals.md')
  await home.vault.create(goals, '- Show https://shop.test/new to everybody.\n')
  const { path } = await shown({ body: 'See https://shop.test/new and https://other.test/x' })
  expect(await cardOf(path)).not.toContain('leads to shop')
  expect(await cardOf(path)).toContain('a link leads to other.test, which neither the original nor your handbook')
})

describe('a high-risk draft', () => {
  test('goes out once the code of its card is typed and the box ticked', async () => {
    const { path, fileName } = await shown({ body: NEW_ACCOUNT })
    const code = (await codeIn(path)) ?? ''
    expect(await cardOf(path)).toMatch(/^> ⛔ .*DE89 3704 0044 0532 0130 00 stands neither/)
    await edit(home, path, (text) => tick('Approve')(typeCode(` ${code.toLowerCase()} `)(text)))
    await pass()
    expect([await whereIs(home, fileName), sent()]).toEqual(['Done/2026-11', 1])
  })

  test('stands among the first on the dashboard, and others do not', async () => {
    await shown()
    await shown({ body: NEW_ACCOUNT })
    expect(await readDashboard(home)).toMatch(/### High risk\n\n- \[[^#]*\n\n### Look closely\n/)
  })

  test('ticked before the code is typed waits for it, untouched, and says so', async () => {
    const { path, fileName } = await shown({ body: NEW_ACCOUNT })
    const code = (await codeIn(path)) ?? ''
    for (const typed of ['', code.slice(0, 2), code.slice(0, 4)]) {
      await edit(home, path, (text) => tick('Approve')(typeCode(typed)(text)))
      const before = await home.vault.read(path)
      await pass()
      expect(await home.vault.read(path)).toBe(before)
    }
    expect(await readDashboard(home)).toContain('waits for the code')
    await edit(home, path, typeCode(code))
    await pass()
    expect([await whereIs(home, fileName), sent()]).toEqual(['Done/2026-11', 1])
  })

  test.each([
    ['none', '', 'was not typed'],
    ['a wrong one', 'AAAAA', 'is not that of the card'],
  ])('moved to Approved with %s comes back with the reason and another code', async (_what, typed, say) => {
    const { path, fileName } = await shown({ body: NEW_ACCOUNT })
    const code = await codeIn(path)
    await edit(home, path, typeCode(typed))
    await moveToApproved(home, fileName)
    home.now += 1_000
    await pass()
    await pass()
    expect([await whereIs(home, fileName), sent()]).toEqual([PENDING, 0])
    expect(await cardOf(path)).toMatch(new RegExp(`Please look again.*${say}`))
    expect(section(await readTaskAt(home, path), 'decision')).toMatch(/\n\nCode:$/)
    expect(await codeIn(path)).not.toBe(code)
  })

  test('is not approved by the code of an earlier card', async () => {
    const { path, fileName } = await shown({ body: NEW_ACCOUNT })
    const old = (await codeIn(path)) ?? ''
    home.now += 1_000
    await edit(home, path, (text) => text.replace('Please pay', 'Please, pay'))
    await pass()
    await edit(home, path, (text) => tick('Approve')(typeCode(old)(text)))
    await pass()
    await pass()
    expect([await whereIs(home, fileName), sent()]).toEqual([PENDING, 0])
    expect(ticksOf(await readTaskAt(home, path))).toEqual([])
  })

  test('is shown anew when the handbook changes what it needs, once, and not for anything else', async () => {
    const { path } = await shown({ body: NEW_ACCOUNT })
    await rules('Known payees: DE89 3704 0044 0532 0130 00')
    await pass()
    expect(await cardOf(path)).toMatch(/needs no code any more/)
    expect(section(await readTaskAt(home, path), 'decision')).not.toContain('Code')
    await rules(`Always flag: ${CLIENT}`)
    home.now += 1_000
    await pass()
    expect([await codeIn(path), await cardOf(path)]).toEqual([
      expect.any(String),
      expect.stringContaining('it needs a code.'),
    ])
    const before = await home.vault.read(path)
    await rules(`Always flag: ${CLIENT}`, 'At most 3 recipients')
    home.now += 1_000
    await pass()
    await pass()
    expect(await home.vault.read(path)).toBe(before)
  })

  test('ticked without its code goes once the handbook asks for none any more', async () => {
    const { path } = await shown({ body: NEW_ACCOUNT })
    await edit(home, path, tick('Approve'))
    await pass()
    expect(sent()).toBe(0)
    await rules('Known payees: DE89 3704 0044 0532 0130 00')
    await pass()
    expect(sent()).toBe(1)
  })

  test('needs no code any more once the handbook knows the account', async () => {
    const { fileName } = await shown({ body: NEW_ACCOUNT })
    await rules('Known payees: DE89 3704 0044 0532 0130 00')
    await moveToApproved(home, fileName)
    await pass()
    expect(sent()).toBe(1)
  })
})

test('a draft that becomes high-risk after its card was made comes back with a new one, also out of the undo window', async () => {
  await executor[Symbol.asyncDispose]()
  executor = await home.start(undefined, { undoMs: 10_000 })
  const { path, fileName } = await shown()
  expect(await codeIn(path)).toBeUndefined()
  await moveToApproved(home, fileName)
  await pass()
  expect(await whereIs(home, fileName)).toBe('In_Progress/local')
  await rules(`Always flag: ${CLIENT}`)
  home.now += 10_000
  await pass()
  await pass()
  expect([await whereIs(home, fileName), sent()]).toEqual([PENDING, 0])
  expect(await cardOf(path)).toMatch(/Since its card was made it is high-risk .*your handbook flags/)
  const code = (await codeIn(path)) ?? ''
  await edit(home, path, (text) => tick('Approve')(typeCode(code)(text)))
  await pass()
  home.now += 10_000
  await pass()
  expect(sent()).toBe(1)
})

test('whom this machine has written to is known the next time, also after a restart', async () => {
  const first = await shown()
  expect(await cardOf(first.path)).toContain('you have not written to this address before')
  await moveToApproved(home, first.fileName)
  await pass()
  await executor[Symbol.asyncDispose]()
  executor = await home.start()
  const second = await shown()
  expect(await cardOf(second.path)).not.toContain('before')
  const third = await shown({ to: [CLIENT.replace('client', 'cIient')] })
  expect(await cardOf(third.path)).toMatch(/⛔.*looks the same as/)
})

describe('quiet hours', () => {
  test('hold what is approved, say until when, and let it go at their end', async () => {
    await rules('Quiet hours: 11:30-13:00 UTC')
    const { fileName } = await approved()
    expect([await whereIs(home, fileName), sent()]).toEqual(['Approved', 0])
    expect(await readDashboard(home)).toContain('Quiet hours: it goes out after 2026-11-20 13:00:00 UTC')
    home.now = START + HOUR - 1
    await pass()
    expect(sent()).toBe(0)
    home.now = START + HOUR
    await pass()
    expect(sent()).toBe(1)
  })

  test('do not turn what is taken back meanwhile into another approval by its old tick', async () => {
    await rules('Quiet hours: 11:30-13:00 UTC')
    const { path, fileName } = await shown()
    await edit(home, path, tick('Approve'))
    await pass()
    expect(await whereIs(home, fileName)).toBe('Approved')
    await home.vault.move(vaultPath(`Approved/${fileName}`), path)
    await pass()
    expect(await whereIs(home, fileName)).toBe(PENDING)
    expect(ticksOf(await readTaskAt(home, path))).toEqual([])
    expect(await cardOf(path)).toContain('It had been approved, and came back before it was done')
    home.now = START + HOUR
    await pass()
    expect(sent()).toBe(0)
    await edit(home, path, tick('Approve'))
    await pass()
    expect(sent()).toBe(1)
  })

  test('that begin in the undo window hold it there', async () => {
    await executor[Symbol.asyncDispose]()
    executor = await home.start(undefined, { undoMs: 10_000 })
    await rules('Quiet hours: 12:00-13:00 UTC')
    home.now = START - 5_000
    const { fileName } = await approved()
    home.now = START + 5_000
    await pass()
    expect([await whereIs(home, fileName), sent()]).toEqual(['In_Progress/local', 0])
    home.now = START + HOUR
    await pass()
    expect(sent()).toBe(1)
  })
})

test('the running executor wakes by itself when quiet hours end', async () => {
  await using resources = new AsyncDisposableStack()
  await rules('Quiet hours: 11:30-13:00 UTC')
  const { fileName } = await approved()
  expect(await whereIs(home, fileName)).toBe('Approved')
  home.now = START + HOUR - 50
  const config = { reconcileMs: 3_600_000, state: join(home.folder, 'state') }
  const service = { resources, progress: () => () => {}, fail: expect.fail }
  await runExecutor(executor.deps, service as never, { config, agents: ['local'] })
  expect(sent()).toBe(0)
  home.now = START + HOUR
  await expect.poll(sent, { timeout: 20_000 }).toBe(1)
})

test('a pace lets so many go and holds the others until there is room', async () => {
  await rules('At most 2 mails per hour')
  const drafts = []
  for (let index = 0; index < 4; index++) drafts.push(await shown())
  for (const { fileName } of drafts) await moveToApproved(home, fileName)
  await pass()
  expect(sent()).toBe(2)
  expect(await readDashboard(home)).toContain('Your handbook allows no more for now')
  home.now += HOUR - 1
  await pass()
  expect(sent()).toBe(2)
  home.now += 1
  await pass()
  expect(sent()).toBe(4)
})

describe('a task that follows another', () => {
  test('waits until that is done, and goes then', async () => {
    const first = await home.put(PENDING)
    const { fileName } = await approved({ after: [first.id] })
    expect([await whereIs(home, fileName), sent()]).toEqual(['Approved', 0])
    expect(await readDashboard(home)).toContain(`once ${first.id} is done`)
    await moveToApproved(home, first.fileName)
    await pass()
    await pass()
    expect([await whereIs(home, first.fileName), await whereIs(home, fileName), sent()]).toEqual([
      ...['Done/2026-11', 'Done/2026-11', 2],
    ])
  })

  test('finds what was done in the vault, where the journal has forgotten it', async () => {
    const first = await approved()
    await edit(home, `Done/2026-11/${first.fileName}`, (text) => text)
    const { id, text } = {
      id: makeTaskId(START, new Uint8Array(10).fill(9)),
      text: await home.vault.read(vaultPath(`Done/2026-11/${first.fileName}`)),
    }
    const name = first.fileName.replace(first.id.slice(-6).toLowerCase(), id.slice(-6).toLowerCase())
    await home.vault.create(vaultPath(`Done/2026-11/${name}`), (text ?? '').replaceAll(first.id, id))
    await approved({ after: [id] })
    expect(sent()).toBe(2)
  })

  test.each(['Rejected', 'gone'])('comes back when that is %s', async (fate) => {
    const first = await shown()
    if (fate === 'gone') await home.vault.remove(first.path)
    else await home.vault.move(first.path, vaultPath(`Rejected/${first.fileName}`))
    const { path, fileName } = await approved({ after: [first.id] })
    await pass()
    expect([await whereIs(home, fileName), sent()]).toEqual([PENDING, 0])
    expect(await cardOf(path)).toMatch(fate === 'gone' ? /no such task/ : /which was not done/)
  })

  test('comes back when both wait for each other, by whatever way', async () => {
    const ids = [1, 2, 3].map((seed) => makeTaskId(START, new Uint8Array(10).fill(seed)))
    const [a, b, c] = ids
    if (!a || !b || !c) throw new Error('three ids')
    const first = await home.put(PENDING, { id: a, after: [b] })
    await home.put(PENDING, { id: b, after: [c] })
    await home.put(PENDING, { id: c, after: [a] })
    const self = makeTaskId(START, new Uint8Array(10).fill(4))
    const alone = await home.put(PENDING, { id: self, after: [self] })
    await pass()
    for (const { fileName } of [first, alone]) await moveToApproved(home, fileName)
    await pass()
    await pass()
    for (const { path } of [first, alone]) expect(await cardOf(path)).toContain('which waits for this one')
    expect(sent()).toBe(0)
  })
})

describe('the handbook', () => {
  test('that cannot be read holds everything, and says so on the card', async () => {
    mkdirSync(join(home.vaultRoot, HANDBOOK))
    const { path, fileName } = await shown()
    expect(await cardOf(path)).toContain('Your handbook cannot be read')
    await moveToApproved(home, fileName)
    await pass()
    expect([await whereIs(home, fileName), sent()]).toEqual(['Approved', 0])
    expect(await readDashboard(home)).toContain('handbook cannot be read')
  })

  test('limits recipients, and makes drafts expire that name no time', async () => {
    await rules('At most 1 recipient', 'Drafts expire after: email 1 hour')
    const many = await approved({ to: [CLIENT, 'other@countersign.test'] })
    await pass()
    expect(await cardOf(many.path)).toContain('at most 1 are allowed')
    // Drafted at 11:01.
    const late = await shown()
    expect(await cardOf(late.path)).toContain('| Expires | 2026-11-20 12:01 UTC |')
    home.now += 60_000
    await moveToApproved(home, late.fileName)
    await pass()
    await pass()
    expect(await cardOf(late.path)).toContain('This draft expired')
    expect(sent()).toBe(0)
  })

  test('with a rule that is not understood is told of on the dashboard and on each card', async () => {
    await rules('Never on Fridays')
    const { path } = await shown()
    expect(await cardOf(path)).toContain('this rule is not known')
    expect(await readDashboard(home)).toContain('this rule is not known')
  })
})

test.each([
  [[], undefined],
  [[undefined, 900, 1_000], undefined],
  [[1_500, 1_200, undefined], 200],
  [[Number.MAX_SAFE_INTEGER], 2 ** 31 - 2],
])('the executor wakes at the first of the ends to come: %j', (moments, wait) => {
  expect(nextEnd(moments, 1_000)).toBe(wait)
})
