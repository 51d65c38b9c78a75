import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CountersignError } from '#core/errors.ts'
import { withOutcomeTick } from '#core/problem-card.ts'
import { section, ticksOf } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import {
  CLIENT,
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
  wrongPassword,
} from '#tests/support/executor.ts'
import { eachTask } from './each-task.ts'
import { patience } from './patience.ts'

const PENDING = 'Pending_Approval/email'
let home: ExecutorHome
let executor: Executor

beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
})
afterEach(() => home[Symbol.asyncDispose]())

const pass = () => executor.pass()
const taskAt = (path: string) => readTaskAt(home, path)
const ledgerTypes = () => readLedger(home)
const dashboard = () => readDashboard(home)
const approve = (fileName: string) => moveToApproved(home, fileName)

describe('the mail server', () => {
  test('refusing the password keeps the task on the way, says so, and is asked again with back-off', async () => {
    const { fileName } = await home.put(PENDING)
    await pass()
    home.mail.away = wrongPassword()
    await approve(fileName)
    await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual(['In_Progress/local', []])
    expect(executor.email.problems().join()).toContain('535 refused')
    expect(await dashboard()).toContain('535 refused')
    expect(executor.deps.journal.useOf((await taskAt(`In_Progress/local/${fileName}`)).front.id, 1)).toBe('none')
    home.mail.away = undefined
    await pass()
    expect(home.mail.delivered).toEqual([])
    home.now += 2_000
    await pass()
    expect([await whereIs(home, fileName), home.mail.delivered.length]).toEqual(['Done/2026-11', 1])
    expect(executor.email.problems()).toEqual([])
  })

  test('refusing the message brings the task back with its words; approved again, it goes out once', async () => {
    const { id, path, fileName } = await home.put(PENDING)
    await pass()
    home.mail.outcome = { kind: 'refused', code: '550', response: '550 no such user', permanent: true }
    await approve(fileName)
    await pass()
    await pass()
    const task = await taskAt(path)
    expect(section(task, 'card')).toContain('550 no such user')
    expect(task.front).toMatchObject({ generation: 2, outcome: { status: 'outcome-refused' } })
    home.mail.outcome = { kind: 'accepted', response: '250 ok', refusedRecipients: [] }
    await approve(fileName)
    await pass()
    expect(home.mail.delivered).toHaveLength(1)
    expect(home.mail.delivered[0]).toContain(`<${id}.2@countersign.test>`)
    expect(ledgerTypes().filter((type) => type.startsWith('execution'))).toEqual([
      'execution.intended',
      'execution.refused',
      'execution.intended',
      'execution.done',
    ])
  })

  test('refusing the message keeps it from going out no more, also when an older version of the file is brought back', async () => {
    const { id, path, fileName } = await home.put(PENDING)
    await pass()
    const older = (await home.vault.read(path)) ?? ''
    home.mail.outcome = { kind: 'refused', code: '554', response: '554 no', permanent: true }
    await approve(fileName)
    for (let index = 0; index < 2; index++) await pass()
    expect((await taskAt(path)).front.generation).toBe(2)
    home.mail.outcome = { kind: 'accepted', response: '250 ok', refusedRecipients: [] }
    await edit(home, path, () => older)
    await pass()
    await edit(home, path, tick('Approve'))
    for (let index = 0; index < 2; index++) await pass()
    expect(home.mail.delivered).toHaveLength(1)
    expect(home.mail.delivered[0]).toContain(`<${id}.2@countersign.test>`)
  })

  test('giving no answer brings the task back as unknown, and it is not sent again by itself', async () => {
    const { path, fileName } = await home.put(PENDING)
    await pass()
    home.mail.outcome = { kind: 'unknown', reason: 'timeout' }
    await approve(fileName)
    for (let index = 0; index < 3; index++) await pass()
    const task = await taskAt(path)
    expect(section(task, 'card')).toMatch(/Outcome unknown: this may have been done[\s\S]*not in Sent/)
    expect(ledgerTypes().filter((type) => type === 'execution.intended')).toHaveLength(1)
    expect(ledgerTypes()).toContain('execution.unknown')
  })

  test('giving no answer although the mail is in Sent counts as done', async () => {
    const { fileName } = await home.put(PENDING)
    await pass()
    home.mail.filesBySelf = true
    const send = executor.email.act
    const losingTheAnswer: typeof send = async (action, receipt) => {
      await send(action, receipt)
      throw new Error('connection closed')
    }
    Object.assign(executor.email, { act: losingTheAnswer })
    await approve(fileName)
    await pass()
    expect([await whereIs(home, fileName), home.mail.delivered.length]).toEqual(['Done/2026-11', 1])
  })

  test('refusing some recipients is told in the outcome', async () => {
    const { fileName } = await home.put(PENDING, { to: [CLIENT, 'gone@countersign.test'] })
    await pass()
    const refusedRecipients = [{ address: 'gone@countersign.test', response: '550 unknown' }]
    home.mail.outcome = { kind: 'accepted', response: '250 ok', refusedRecipients }
    await approve(fileName)
    await pass()
    const { outcome } = (await taskAt(`Done/2026-11/${fileName}`)).front
    expect(outcome?.reason).toContain('not to gone@countersign.test: 550 unknown')
  })

  test('away for its Sent folder keeps no task from Done; the copy is filed later', async () => {
    const { fileName } = await home.put(PENDING)
    await pass()
    await executor[Symbol.asyncDispose]()
    let isAway = true
    executor = await home.start((parts) => ({
      ...parts,
      mail: Object.assign(Object.create(parts.mail), {
        has: async (id: string) => {
          if (isAway) throw wrongPassword()
          return parts.mail.has(id)
        },
      }),
    }))
    await approve(fileName)
    await pass()
    expect([await whereIs(home, fileName), home.mail.filed]).toEqual(['Done/2026-11', []])
    isAway = false
    home.now += 2_000
    await pass()
    await pass()
    expect(home.mail.filed).toEqual(home.mail.delivered)
  })
})

describe('what happens at the same moment', () => {
  /** Does something while the executor logs in to the mail server: after its judgement, before the act. */
  async function whileLoggingIn(act: () => Promise<unknown>): Promise<void> {
    await executor[Symbol.asyncDispose]()
    executor = await home.start((parts) => ({
      ...parts,
      mail: Object.assign(Object.create(parts.mail), { verify: async () => void (await act()) }),
    }))
  }

  test('HALT.md that appears during the login still stops the mail', async () => {
    const { fileName } = await home.put(PENDING)
    await pass()
    await whileLoggingIn(() => home.vault.create(vaultPath('HALT.md'), ''))
    await approve(fileName)
    await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual(['In_Progress/local', []])
  })

  test('an edit during the login is judged before anything is sent', async () => {
    const { path, fileName } = await home.put(PENDING)
    await pass()
    let edits = 0
    await whileLoggingIn(async () => {
      if (edits++ === 0)
        await edit(home, `In_Progress/local/${fileName}`, (text) => text.replace(CLIENT, 'eve@x.example'))
    })
    await approve(fileName)
    for (let index = 0; index < 3; index++) await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual([PENDING, []])
    expect(section(await taskAt(path), 'card')).toContain('eve@x.example')
  })

  test('a save while the card is being made is not overwritten', async () => {
    const { path } = await home.put(PENDING)
    await executor[Symbol.asyncDispose]()
    let reads = 0
    executor = await home.start((parts) => ({
      ...parts,
      vault: {
        ...parts.vault,
        read: async (asked, max) => {
          const text = await parts.vault.read(asked, max)
          if (asked === path && ++reads === 1) await edit(home, path, (old) => old.replace('The owner', 'Her Majesty'))
          return text
        },
      },
    }))
    await pass()
    await pass()
    expect(section(await taskAt(path), 'draft')).toContain('Her Majesty')
    expect(section(await taskAt(path), 'card')).toContain(CLIENT)
  })

  test('a receipt used up by another call is looked up, not taken for a refusal', async () => {
    const { fileName } = await home.put(PENDING)
    await pass()
    home.mail.filesBySelf = true
    const send = executor.email.act
    const twice: typeof send = async (action, receipt) => {
      await send(action, receipt)
      return send(action, receipt)
    }
    Object.assign(executor.email, { act: twice })
    await approve(fileName)
    await pass()
    expect([await whereIs(home, fileName), home.mail.delivered.length]).toEqual(['Done/2026-11', 1])
  })

  test('a file moved away while its outcome is in doubt stays untouched until it is known', async () => {
    const { path, fileName } = await home.put(PENDING)
    await pass()
    home.mail.filesBySelf = true
    const send = executor.email.act
    const losingTheAnswer: typeof send = async (action, receipt) => {
      await send(action, receipt)
      home.mail.away = wrongPassword()
      return undefined
    }
    Object.assign(executor.email, { act: losingTheAnswer })
    await approve(fileName)
    await pass()
    expect(await dashboard()).toContain('It may have been done')
    await home.vault.move(vaultPath(`In_Progress/local/${fileName}`), path)
    await pass()
    expect(await whereIs(home, fileName)).toBe(PENDING)
    home.mail.away = undefined
    home.now += 60_000
    await pass()
    expect([await whereIs(home, fileName), home.mail.delivered.length]).toEqual(['Done/2026-11', 1])
  })

  test.each(['find', 'replaceIf'] as const)(
    'a file moved away at the moment it is finished reaches Done all the same (after %s)',
    async (step) => {
      const { path, fileName } = await home.put(PENDING)
      await pass()
      await executor[Symbol.asyncDispose]()
      let isMoved = false
      executor = await home.start((parts) => {
        const then = async <T>(value: T): Promise<T> => {
          if (home.mail.delivered.length === 1 && !isMoved)
            isMoved = (await parts.vault.move(vaultPath(`In_Progress/local/${fileName}`), path)) === 'moved'
          return value
        }
        const find: typeof parts.vault.find = async (name) => then(await parts.vault.find(name))
        const replaceIf: typeof parts.vault.replaceIf = async (...all) => then(await parts.vault.replaceIf(...all))
        return { ...parts, vault: { ...parts.vault, ...(step === 'find' ? { find } : { replaceIf }) } }
      })
      await approve(fileName)
      for (let index = 0; index < 3; index++) await pass()
      expect([isMoved, await whereIs(home, fileName), home.mail.delivered.length]).toEqual([true, 'Done/2026-11', 1])
      expect(ledgerTypes().filter((type) => type === 'execution.done')).toHaveLength(1)
    },
  )

  test('a mail is given time to appear in Sent before its outcome counts as unknown', async () => {
    await executor[Symbol.asyncDispose]()
    executor = await home.start(undefined, { lookUpGraceMs: 10_000 })
    const { fileName } = await home.put(PENDING)
    await pass()
    home.mail.outcome = { kind: 'unknown', reason: 'timeout' }
    await approve(fileName)
    await pass()
    home.now += 9_999
    await pass()
    expect(await whereIs(home, fileName)).toBe('In_Progress/local')
    home.now += 1
    await pass()
    expect(await whereIs(home, fileName)).toBe(PENDING)
  })

  test('a broken file that came back and is mended in one save, tick and all, is shown anew first', async () => {
    await executor[Symbol.asyncDispose]()
    executor = await home.start(undefined, { undoMs: 1_000 })
    const { path, fileName } = await home.put(PENDING)
    await pass()
    await edit(home, path, tick('Approve'))
    const ticked = (await home.vault.read(path)) ?? ''
    await pass()
    await edit(home, `In_Progress/local/${fileName}`, () => 'broken')
    home.now += 1_000
    await pass()
    await edit(home, path, () => ticked)
    await pass()
    expect([await whereIs(home, fileName), ticksOf(await taskAt(path))]).toEqual([PENDING, []])
  })

  test('a frozen file that takes on the id of another task is not executed', async () => {
    await executor[Symbol.asyncDispose]()
    executor = await home.start(undefined, { undoMs: 1_000 })
    const { id, fileName } = await home.put(PENDING)
    await pass()
    await approve(fileName)
    await pass()
    const other = makeDraft().id
    const shown = executor.deps.journal.presentation(id)
    if (shown) executor.deps.journal.present({ ...shown, taskId: other })
    await edit(home, `In_Progress/local/${fileName}`, (text) => text.replace(id, other))
    home.now += 1_000
    await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual([PENDING, []])
  })
})

test('an executor that was overtaken stops even when there is nothing to do', async () => {
  await pass()
  const newer = await home.start()
  await expect(pass()).rejects.toMatchObject({ code: 'ERR_FENCED' })
  await newer[Symbol.asyncDispose]()
})

test('a folder that cannot be looked through keeps no approval waiting, and the dashboard says so', async () => {
  const { fileName } = await home.put(PENDING)
  await pass()
  await executor[Symbol.asyncDispose]()
  executor = await home.start((parts) => {
    const list: typeof parts.vault.list = async (folder) => {
      if (folder === 'Rejected') throw new CountersignError('ERR_VAULT_UNREADABLE', 'reading Rejected: EACCES')
      return parts.vault.list(folder)
    }
    return { ...parts, vault: { ...parts.vault, list } }
  })
  await approve(fileName)
  await pass()
  expect(await whereIs(home, fileName)).toBe('Done/2026-11')
  expect(await dashboard()).toContain('EACCES')
})

test('an unreachable Sent folder is left alone for a while, then asked again', async () => {
  let asked = 0
  const has = async () => {
    asked += 1
    throw wrongPassword()
  }
  const mailbox = patience({ now: () => home.now })
  const ask = () => expect(mailbox.call(has)).rejects.toMatchObject({ code: 'ERR_MAIL_AUTH' })
  await ask()
  await ask()
  expect(asked).toBe(1)
  home.now += 2_000
  await ask()
  home.now += 3_999
  await ask()
  expect(asked).toBe(2)
  home.now += 1
  await ask()
  expect(asked).toBe(3)
})

describe('one task in trouble', () => {
  const items = [{ path: 'a' }, { path: 'b' }]
  const quiet = { log: { debug() {}, info() {}, warn() {}, error() {} }, metrics: { count() {} } }

  test.each([
    [wrongPassword(), /535 refused/],
    [new TypeError('x is undefined'), /fault of the program/],
  ])('by %s is held with its reason and does not stop the others', async (error, say) => {
    const done: string[] = []
    const held = await eachTask(items, quiet, async ({ path }) => {
      if (path === 'a') throw error
      done.push(path)
      return undefined
    })
    expect([held, done]).toEqual([[{ path: 'a', say: expect.stringMatching(say) }], ['b']])
  })

  test.each(['ERR_FENCED', 'ERR_JOURNAL_FAILED'] as const)('by %s ends the pass', async (code) => {
    const step = async () => Promise.reject(new CountersignError(code, 'x'))
    await expect(eachTask(items, quiet, step)).rejects.toMatchObject({ code })
  })
})

test('an executor that was overtaken while it slept sends nothing and stops', async () => {
  const { fileName } = await home.put(PENDING)
  await pass()
  await approve(fileName)
  const newer = await home.start()
  await expect(pass()).rejects.toMatchObject({ code: 'ERR_FENCED' })
  expect(home.mail.delivered).toEqual([])
  await newer.pass()
  expect(home.mail.delivered).toHaveLength(1)
  await newer[Symbol.asyncDispose]()
})

describe('an outcome that nobody can tell', () => {
  async function inDoubt() {
    const { id, path, fileName } = await home.put(PENDING)
    await pass()
    home.mail.outcome = { kind: 'unknown', reason: 'timeout' }
    await approve(fileName)
    for (let index = 0; index < 2; index++) await pass()
    home.mail.outcome = { kind: 'accepted', response: '250 ok', refusedRecipients: [] }
    return { id, path, fileName }
  }
  const tickOutcome = (path: string, word: 'done' | 'not-done') =>
    edit(home, path, (text) => withOutcomeTick(text, word) ?? expect.fail('no such box'))

  test('asks, and is not approved away: neither by a move nor by a box of another card', async () => {
    const { path, fileName } = await inDoubt()
    const boxes = section(await taskAt(path), 'decision')
    expect(boxes).toBe('- [ ] It was done\n- [ ] It was not done')
    await approve(fileName)
    for (let index = 0; index < 2; index++) await pass()
    expect(await whereIs(home, fileName)).toBe(PENDING)
    await edit(home, path, (text) => text.replace('- [ ] It was done', '- [x] Approve'))
    for (let index = 0; index < 2; index++) await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual([PENDING, []])
    expect(section(await taskAt(path), 'decision')).toBe(boxes)
  })

  test('finishes the task when the person says that it was done', async () => {
    const { path, fileName } = await inDoubt()
    await tickOutcome(path, 'done')
    for (let index = 0; index < 2; index++) await pass()
    expect([await whereIs(home, fileName), home.mail.delivered]).toEqual(['Done/2026-11', []])
    expect((await taskAt(`Done/2026-11/${fileName}`)).front.outcome?.reason).toContain('you said that it was done')
    expect(ledgerTypes().slice(-2)).toEqual(['execution.resolved', 'execution.done'])
  })

  test('puts the task before the person again when they say that it was not done; then it goes out once', async () => {
    const { id, path, fileName } = await inDoubt()
    await tickOutcome(path, 'not-done')
    for (let index = 0; index < 2; index++) await pass()
    const task = await taskAt(path)
    expect([task.front.generation, ticksOf(task)]).toEqual([2, []])
    await approve(fileName)
    for (let index = 0; index < 2; index++) await pass()
    expect(home.mail.delivered).toHaveLength(1)
    expect(home.mail.delivered[0]).toContain(`<${id}.2@countersign.test>`)
  })

  test('is asked again when both boxes are ticked', async () => {
    const { path, fileName } = await inDoubt()
    await tickOutcome(path, 'done')
    await tickOutcome(path, 'not-done')
    for (let index = 0; index < 2; index++) await pass()
    expect([await whereIs(home, fileName), ledgerTypes().includes('execution.resolved')]).toEqual([PENDING, false])
    expect(section(await taskAt(path), 'card')).toContain('more than one box')
  })
})
