import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeTaskId, type TaskId } from '#core/ids.ts'
import type { MailAddress } from '#core/ports/mail.ts'
import { parseTaskFile, renderTaskFile, section, type TaskFile, withFront, withSection } from '#core/task-file.ts'
import { messagesIn } from '#core/thread-text.ts'
import { type TaskPlace, taskPath, type VaultPath, vaultPath } from '#core/vault-path.ts'
import { arrivingTask } from '#services/triage/arriving-task.ts'
import {
  CLIENT,
  type Executor,
  type ExecutorHome,
  edit,
  makeHome,
  OWNER,
  readLedger,
  START,
  tick,
  type Wrap,
  whereIs,
} from '#tests/support/executor.ts'
import { joinMessages } from './join-message.ts'

let home: ExecutorHome
let executor: Executor
beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
})
afterEach(() => home[Symbol.asyncDispose]())

/** The task of one mail, as triage makes it. */
function taskOfMail(id: string, minute: number, from = CLIENT) {
  const address: MailAddress = { name: '', address: from }
  const seed = Buffer.alloc(10)
  seed.write(id, 8)
  return arrivingTask(
    {
      ...{
        messageId: `<${id}@x>`,
        references: id === 'a' ? [] : ['<a@x>'],
        from: address,
        replyTo: [],
        to: [],
        cc: [],
      },
      ...{
        subject: 'Invoice',
        receivedAt: START - 3_600_000 + minute * 60_000,
        text: `text of ${id}`,
        attachments: [],
      },
      ...{ headers: new Map(), digest: id, problems: [] },
    },
    {
      ...{ id: makeTaskId(START, seed), account: OWNER, key: Buffer.from(id.padEnd(16, '0')).toString('hex') },
      ...{ thread: '<a@x>', domain: 'email', risk: [] },
    },
  )
}

/** The task of the first mail of the thread, drafted, at this place. */
async function target(place: TaskPlace): Promise<{ id: TaskId; path: VaultPath; fileName: string }> {
  const { task, fileName } = taskOfMail('a', 0)
  const action = {
    tool: 'email.send_email',
    account: OWNER,
    to: [CLIENT],
    subject: 'Re: Invoice',
    in_reply_to: '<a@x>',
  }
  const drafted = { by: 'cloud-draft-email', model: 'template', at: new Date(START).toISOString(), cost_usd: '0' }
  const ready = withSection(
    withFront(task, { generation: 1, drafted, action: { ...action, references: ['<a@x>'] } }),
    'draft',
    'It is on its way.',
  )
  const path = taskPath(place, fileName)
  await home.vault.create(path, renderTaskFile(ready))
  return { id: task.front.id, path, fileName }
}

/** A message that waits to join a task, as sync has claimed it. */
async function waits(joins: string, id: string, minute = 5, from = CLIENT) {
  const { task, fileName } = taskOfMail(id, minute, from)
  const path = taskPath({ kind: 'in-progress', agent: 'local' }, fileName)
  await home.vault.create(path, renderTaskFile(withFront(task, { joins, generation: 1 })))
  return fileName
}

async function taskNamed(fileName: string): Promise<TaskFile> {
  const path = await home.vault.find(fileName)
  const parsed = parseTaskFile((path && (await home.vault.read(path))) ?? '')
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.task
}
const texts = async (fileName: string) =>
  messagesIn(section(await taskNamed(fileName), 'original') ?? '').map((one) => /text of \w+/.exec(one)?.[0])
const PENDING = { kind: 'pending', domain: 'email' } as const

describe('a message for a task that waits for the person', () => {
  it.each(['before its card was made', 'after'])('joins it, which goes back to be drafted anew: %s', async (when) => {
    const { id, fileName } = await target(PENDING)
    if (when === 'after') await executor.pass()
    const first = await waits(id, 'b', 5, 'boss@client.test')
    const second = await waits(id, 'c', 6)
    await executor.pass()
    expect(await whereIs(home, fileName)).toBe('Needs_Action/email')
    expect(await texts(fileName)).toEqual(['text of a', 'text of b', 'text of c'])
    const task = await taskNamed(fileName)
    expect(task.front).not.toHaveProperty('presented')
    expect(task.front.source).toMatchObject({ message_id: '<c@x>' })
    expect(task.front.risk).toEqual(['sender-not-in-thread'])
    // Not a word of a stranger's: the drafter does what stands there.
    expect(section(task, 'notes')).toBe('2 new messages have come in this thread; answer them, too.')
    expect(executor.deps.journal.draftMemory(id)?.asked).toBe(when === 'after' ? section(task, 'notes') : undefined)
    for (const one of [first, second]) {
      expect(await whereIs(home, one)).toBe('Done/2026-11')
      expect((await taskNamed(one)).front.outcome).toMatchObject({ status: 'joined', reason: `joined ${id}` })
    }
    expect(executor.deps.journal.presentation(id)).toBeUndefined()
    expect(readLedger(home).filter((type) => type === 'task.joined')).toHaveLength(2)
    expect(readLedger(home)).not.toContain('task.redraft')
  })

  it.each(['just now', 'before its newest card'])(
    'leaves a draft to the person who has worked on it %s, and the card says what came',
    async (when) => {
      const { id, path, fileName } = await target(PENDING)
      await executor.pass()
      await edit(home, path, (text) => text.replace('It is on its way.', 'My own words.'))
      if (when !== 'just now') await executor.pass()
      const message = await waits(id, 'b')
      await executor.pass()
      await executor.pass()
      expect(await whereIs(home, fileName)).toBe('Pending_Approval/email')
      expect(await texts(fileName)).toEqual(['text of a', 'text of b'])
      const task = await taskNamed(fileName)
      expect(section(task, 'draft')).toContain('My own words.')
      expect(section(task, 'card')).toContain('wrote again in this thread while you were working')
      expect(await whereIs(home, message)).toBe('Done/2026-11')
      await edit(home, path, tick('Approve'))
      home.now += 60_000
      for (let n = 0; n < 3; n++) await executor.pass()
      expect(home.mail.delivered).toHaveLength(1)
    },
  )
})

it('a message for a task that is decided waits, and is a task of its own once that one is done', async () => {
  const { id, path, fileName } = await target(PENDING)
  await executor.pass()
  await edit(home, path, tick('Approve'))
  await home.vault.create(vaultPath('HALT.md'), '')
  const [first, second] = [await waits(id, 'b', 5), await waits(id, 'c', 6)]
  await executor.pass()
  expect(await whereIs(home, fileName)).toMatch(/^(Approved|In_Progress\/local)$/)
  expect(await whereIs(home, first)).toBe('In_Progress/local')
  await home.vault.remove(vaultPath('HALT.md'))
  for (let n = 0; n < 3; n++) await executor.pass()
  expect(await whereIs(home, fileName)).toBe('Done/2026-11')
  expect(await texts(fileName)).toEqual(['text of a'])
  expect(await whereIs(home, first)).toBe('Needs_Action/email')
  expect(await texts(first)).toEqual(['text of b', 'text of c'])
  expect((await taskNamed(first)).front).not.toHaveProperty('joins')
  expect((await taskNamed(first)).front).toMatchObject({ generation: 2 })
  expect(await whereIs(home, second)).toBe('Done/2026-11')
  // One that was on its way all the while finds the new task of its thread.
  const late = await waits(id, 'd', 7)
  await home.vault.move(taskPath({ kind: 'needs-action', domain: 'email' }, first), taskPath(PENDING, first))
  await executor.pass()
  expect(await texts(first)).toEqual(['text of b', 'text of c', 'text of d'])
  expect(await whereIs(home, late)).toBe('Done/2026-11')
})

it.each<[string, TaskPlace]>([
  ['open', { kind: 'needs-action', domain: 'email' }],
  ['being drafted', { kind: 'in-progress', agent: 'cloud' }],
])('a message for a task that is %s waits until it is drafted', async (_name, place) => {
  const { id, path, fileName } = await target(place)
  const message = await waits(id, 'b')
  await executor.pass()
  expect(await whereIs(home, message)).toBe('In_Progress/local')
  expect(await texts(fileName)).toEqual(['text of a'])
  await home.vault.move(path, taskPath(PENDING, fileName))
  await executor.pass()
  expect(await whereIs(home, fileName)).toBe('Needs_Action/email')
  expect(await texts(fileName)).toEqual(['text of a', 'text of b'])
})

it('a message for a task that nobody knows becomes one, also when it does not say which message it is', async () => {
  const message = await waits(makeTaskId(START, Buffer.alloc(10, 9)), 'b')
  await executor.pass()
  expect(await whereIs(home, message)).toBe('Needs_Action/email')
  const { id } = await target(PENDING)
  const nameless = await waits(id, 'n')
  const path = taskPath({ kind: 'in-progress', agent: 'local' }, nameless)
  await edit(home, path, (text) => text.replace(/ {2}messages:\n( {4}- .*\n)+/, ''))
  await executor.pass()
  expect(await whereIs(home, nameless)).toBe('Needs_Action/email')
})

it('a message for a task whose file has no room for it becomes one of its own', async () => {
  const { id, path, fileName } = await target(PENDING)
  await executor.pass()
  await edit(home, path, (text) => {
    const front = text.slice(0, text.indexOf('\n---\n', 4)).length
    return text.replace('\n', `\nnote: ${'x'.repeat(16 * 1024 - front - 40)}\n`)
  })
  const message = await waits(id, 'b')
  for (let n = 0; n < 2; n++) await executor.pass()
  expect(await whereIs(home, message)).toBe('Needs_Action/email')
  expect(await texts(message)).toEqual(['text of b'])
  expect(await texts(fileName)).toEqual(['text of a'])
})

describe('an executor that dies at any write', () => {
  const EFFECTS = { vault: ['create', 'replaceIf', 'move'], journal: ['withdraw', 'sendBack'], ledger: ['append'] }
  /** Gives the number of effects. */
  async function dyingAfter(n: number): Promise<number> {
    let calls = 0
    let isDead = false
    const mortal = <T extends object>(port: T, names: readonly string[]): T =>
      new Proxy(port, {
        get(target, name) {
          const method: unknown = Reflect.get(target, name, target)
          if (typeof method !== 'function') return method
          return (...args: unknown[]) => {
            if (isDead && typeof name === 'string') throw new Error('dead')
            if (!names.includes(String(name))) return method.apply(target, args)
            calls++
            isDead = calls === n
            const result: unknown = method.apply(target, args)
            if (!isDead) return result
            if (!(result instanceof Promise)) throw new Error('died')
            return result.then(() => Promise.reject(new Error('died')))
          }
        },
      })
    const wrap: Wrap = ({ vault, journal, ledger, mail }) => ({
      vault: mortal(vault, EFFECTS.vault),
      journal: mortal(journal, EFFECTS.journal),
      ledger: mortal(ledger, EFFECTS.ledger),
      mail,
    })
    const mortalOne = await home.start(wrap)
    await joinMessages(mortalOne.deps).catch(() => {})
    await Promise.resolve(mortalOne[Symbol.asyncDispose]()).catch(() => {})
    return calls
  }

  it.each(['waits for the person', 'is done'])(
    'leaves each message in one task: the one it joins %s',
    async (state) => {
      let steps = 0
      for (let n = 1; n - 1 === steps; n++) {
        await executor[Symbol.asyncDispose]()
        await home[Symbol.asyncDispose]()
        home = await makeHome()
        const { id, fileName } = await target(state === 'is done' ? { kind: 'done', month: '2026-11' } : PENDING)
        const [first, second] = [await waits(id, 'b', 5), await waits(id, 'c', 6)]
        steps = await dyingAfter(n)
        executor = await home.start()
        for (let pass = 0; pass < 2; pass++) await joinMessages(executor.deps)
        const open = state === 'is done' ? first : fileName
        expect([n, await whereIs(home, open)]).toEqual([n, 'Needs_Action/email'])
        expect(await texts(open)).toEqual([...(state === 'is done' ? [] : ['text of a']), 'text of b', 'text of c'])
        for (const one of state === 'is done' ? [second] : [first, second])
          expect([n, await whereIs(home, one)]).toEqual([n, 'Done/2026-11'])
      }
      expect(steps).toBeGreaterThan(5)
    },
  )
})
