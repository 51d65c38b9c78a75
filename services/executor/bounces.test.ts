import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CountersignError } from '#core/errors.ts'
import type { MailHandlers, RawMail } from '#core/ports/mail.ts'
import type { SeenMail } from '#core/ports/seen-mail.ts'
import {
  CLIENT,
  type Executor,
  type ExecutorHome,
  makeHome,
  moveToApproved,
  OWNER,
  readDashboard,
  readLedger,
  readTaskAt,
  whereIs,
} from '#tests/support/executor.ts'
import { type Bounce, bounceBox, tellBounces } from './bounces.ts'
import { watchBounces } from './watch-bounces.ts'

const PENDING = 'Pending_Approval/email'
let home: ExecutorHome
let executor: Executor

beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
})
afterEach(() => home[Symbol.asyncDispose]())

const pass = () => executor.pass()
async function sent(): Promise<{ fileName: string; key: string }> {
  const { id, fileName } = await home.put(PENDING)
  await pass()
  await moveToApproved(home, fileName)
  await pass()
  return { fileName, key: `<${id}.1@${OWNER.split('@')[1]}>` }
}
const bounce = (...ids: string[]): Bounce => ({
  key: 'ab'.repeat(32),
  at: home.now,
  report: { ids, failed: [{ address: CLIENT, status: '5.1.1', reason: '550 no such user [x](https://evil.test)' }] },
})
const bounced = () => readLedger(home).filter((type) => type === 'mail.bounced')

describe('a mail that came back', () => {
  test('is told in its finished task, on the dashboard and in the ledger', async () => {
    const { fileName, key } = await sent()
    const told = executor.deps.bounces.add(bounce('<theirs@provider.test>', key))
    await pass()
    await told
    const task = await readTaskAt(home, `Done/2026-11/${fileName}`)
    expect(task.front.outcome).toMatchObject({
      status: 'done',
      bounced: [{ not_delivered: [`${CLIENT}: 5.1.1 550 no such user [x](hxxps[:]//evil.test)`] }],
    })
    const dashboard = await readDashboard(home)
    expect(dashboard).toContain('Not delivered: Invoice for March. A mail server reports client')
    expect(dashboard).not.toMatch(/https:|\[x\]\(/)
    expect(bounced()).toHaveLength(1)
    expect(executor.deps.bounces.waiting()).toEqual([])
  })

  test('is told once in the task, whenever the process died before', async () => {
    const { fileName, key } = await sent()
    for (let time = 0; time < 2; time++) {
      void executor.deps.bounces.add(bounce(key))
      await pass()
    }
    const { outcome } = (await readTaskAt(home, `Done/2026-11/${fileName}`)).front
    expect(outcome?.bounced).toHaveLength(1)
    expect((await readDashboard(home)).match(/Not delivered/g)).toHaveLength(1)
  })

  test('in more reports than its file can hold keeps nothing else waiting', async () => {
    const { fileName, key } = await sent()
    const failed = Array.from({ length: 20 }, (_, number) => {
      return { address: CLIENT, status: '5.1.1', reason: `${number} ${'no such user '.repeat(20)}` }
    })
    for (let number = 10; number < 16; number++) {
      const report = { ids: [key], failed }
      void executor.deps.bounces.add({ key: `${number}`.repeat(32), at: home.now + number, report })
    }
    await pass()
    expect(executor.deps.bounces.waiting()).toEqual([])
    expect(bounced()).toHaveLength(6)
    const { outcome } = (await readTaskAt(home, `Done/2026-11/${fileName}`)).front
    expect(outcome?.bounced).not.toHaveLength(0)
    expect((await readDashboard(home)).match(/Not delivered/g)).toHaveLength(6)
  })

  test('that cannot be told now keeps nothing else waiting, and says so', async () => {
    const { key } = await sent()
    const told = executor.deps.bounces.add(bounce(key))
    const failing = new CountersignError('ERR_VAULT_WRITE_FAILED', 'the disk is full')
    const vault = { ...home.vault, create: () => Promise.reject(failing) }
    expect(await tellBounces({ ...executor.deps, vault })).toMatchObject([{ say: expect.stringContaining('disk') }])
    await pass()
    await told
    expect(bounced()).toHaveLength(1)
  })

  test('waits until its task is finished', async () => {
    const { fileName } = await home.put(PENDING)
    await pass()
    await moveToApproved(home, fileName)
    const { id } = (await readTaskAt(home, `Approved/${fileName}`)).front
    home.mail.outcome = { kind: 'unknown', reason: 'no answer' }
    home.mail.has = async () => {
      throw new Error('not now')
    }
    await pass()
    void executor.deps.bounces.add(bounce(`<${id}.1@${OWNER.split('@')[1]}>`))
    await pass()
    expect([bounced(), executor.deps.bounces.waiting().length]).toEqual([[], 1])
    home.mail.has = async () => true
    await pass()
    await pass()
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
    expect([bounced().length, executor.deps.bounces.waiting().length]).toEqual([1, 0])
  })

  test('that is none of ours is passed over', async () => {
    const { key } = await sent()
    const strangers = [key.replace('.1@', '.2@'), key.replace('countersign.test', 'elsewhere.test'), '<a@b.test>']
    for (const one of strangers) {
      const told = executor.deps.bounces.add(bounce(one))
      await pass()
      await told
    }
    expect(bounced()).toEqual([])
    expect(await readDashboard(home)).not.toContain('Not delivered')
  })
})

describe('the watch for reports', () => {
  const raw = (uid: number, source = 'report'): RawMail => {
    const bytes = Buffer.from(source)
    const position = { epoch: '7', mark: String(uid) }
    return { position, receivedAt: 5, size: bytes.length, source: bytes, declaredAttachments: [] }
  }
  let box: ReturnType<typeof bounceBox>
  let handlers: MailHandlers
  let highWater: number | undefined
  let told: Set<string>

  beforeEach(() => {
    box = bounceBox()
    highWater = undefined
    told = new Set()
    const seen: SeenMail = {
      has: (key) => told.has(key),
      add: (key) => void told.add(key),
      highWater: () => (highWater === undefined ? undefined : String(highWater)),
      raiseHighWater: (_mailbox, { mark }) => {
        highWater = Math.max(highWater ?? 0, Number(mark))
      },
      lastActivity: () => undefined,
      [Symbol.dispose]() {},
    }
    handlers = watchBounces({
      ...{ bounces: box, seen, clock: { now: () => 1_000_000_000 }, mailbox: 'm', wake() {} },
      read: async ({ source }) => (String(source) === 'report' ? bounce('<a@b>').report : undefined),
      log: { debug() {}, info() {}, warn() {}, error() {} },
    })
  })

  test('goes on only after a report was told', async () => {
    const handled = handlers.onMessage(raw(3))
    await expect.poll(() => box.waiting().length).toBe(1)
    expect([highWater, told.size]).toEqual([undefined, 0])
    box.waiting()[0]?.done()
    await handled
    expect([highWater, told.size]).toEqual([3, 1])
    expect(handlers.startingPoint('7')).toMatchObject({ after: '3' })
  })

  test('hands the same report over once, and passes over what is none', async () => {
    const first = handlers.onMessage(raw(3))
    await expect.poll(() => box.waiting().length).toBe(1)
    box.waiting()[0]?.done()
    await first
    await handlers.onMessage(raw(4))
    await handlers.onMessage(raw(5, 'a letter'))
    expect([box.waiting(), highWater]).toEqual([[], 5])
  })

  test('forgets nothing when the executor stops', async () => {
    const handled = handlers.onMessage(raw(3))
    await expect.poll(() => box.waiting().length).toBe(1)
    box.close()
    await expect(handled).rejects.toThrow('stops')
    expect([highWater, told.size]).toEqual([undefined, 0])
  })

  test('begins a few days back at a mailbox it never read', () => {
    expect(handlers.startingPoint('7')).toEqual({ sinceMs: 1_000_000_000 - 3 * 86_400_000 })
  })
})
