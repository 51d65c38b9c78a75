import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { vaultPath } from '#core/vault-path.ts'
import { makeHome, tick } from '#tests/support/executor.ts'
import { quietFiles } from './quiet-files.ts'
import { runExecutor } from './run-executor.ts'

const A = vaultPath('Approved/EMAIL_2026-11-20_a_abcdef.md')
const B = vaultPath('Approved/EMAIL_2026-11-20_b_abcdef.md')

describe('a file is quiet', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())
  const make = (wake = () => {}) => {
    let now = 0
    const isQuiet = quietFiles({ quietMs: 500, wake, monotonic: () => now })
    return { isQuiet, pass: (ms: number) => (now += ms) }
  }

  test('once the same text has stood for the whole time, not a millisecond before', () => {
    const { isQuiet, pass } = make()
    expect(isQuiet(A, 'x')).toBe(false)
    pass(499)
    expect(isQuiet(A, 'x')).toBe(false)
    pass(1)
    expect(isQuiet(A, 'x')).toBe(true)
  })

  test('only when it stood without a change, and each file for itself', () => {
    const { isQuiet, pass } = make()
    expect([isQuiet(A, 'x'), isQuiet(B, 'x')]).toEqual([false, false])
    pass(400)
    expect(isQuiet(A, 'xy')).toBe(false)
    pass(100)
    expect([isQuiet(A, 'xy'), isQuiet(B, 'x')]).toEqual([false, true])
  })

  test('and is looked at again when it may be, also when it was asked about too early', () => {
    const wake = vi.fn()
    const { isQuiet, pass } = make(wake)
    isQuiet(A, 'x')
    pass(499)
    vi.advanceTimersByTime(501)
    expect(wake).toHaveBeenCalledTimes(1)
    isQuiet(A, 'x')
    vi.advanceTimersByTime(2)
    expect(wake).toHaveBeenCalledTimes(2)
    isQuiet(B, 'x')
    isQuiet[Symbol.dispose]()
    vi.advanceTimersByTime(1_000)
    expect(wake).toHaveBeenCalledTimes(2)
  })
})

describe('an editor that saves in place, in two halves, while the executor runs', () => {
  test.each([
    ['a half that is no task file', (text: string) => text.indexOf('domain:')],
    ['nothing at all', () => 0],
    ['a half that lacks a section', (text: string) => text.indexOf('<!-- countersign:original')],
    ['a half that changes the recipient', (text: string) => text.indexOf('@countersign.test')],
  ])('loses nothing when it leaves %s for 200 ms', async (_what, cut) => {
    await using home = await makeHome()
    await using executor = await home.start()
    const { path, fileName } = await home.put('Pending_Approval/email')
    await using resources = new AsyncDisposableStack()
    const service = { resources, progress: () => () => {}, fail: (error: unknown) => expect.fail(String(error)) }
    const config = { reconcileMs: 100, state: join(home.folder, 'state') }
    await runExecutor(executor.deps, service as never, { config, agents: ['cloud', 'local'] })
    const absolute = join(home.vaultRoot, path)
    const shown = readFileSync(absolute, 'utf8')
    const edited = tick('Approve')(shown.replace('it is on its way', 'HOURS OF WORK'))
    const at = cut(edited)
    const file = openSync(absolute, 'w')
    writeSync(file, edited.slice(0, at))
    await delay(200)
    writeSync(file, edited.slice(at))
    closeSync(file)
    // Edited and ticked in one go: the card of the edited text comes first.
    const again = () => readFileSync(absolute, 'utf8')
    await vi.waitFor(() => expect(again()).toMatch(/tick the box again[\s\S]*HOURS OF WORK/), 10_000)
    writeFileSync(absolute, tick('Approve')(again()))
    await vi.waitFor(() => expect(home.mail.delivered).toHaveLength(1), 10_000)
    expect(home.mail.delivered[0]).toContain('HOURS OF WORK')
    await vi.waitFor(async () => expect(await home.vault.find(fileName)).toMatch(/^Done/), 5_000)
  })
})

describe('a file that is not quiet', () => {
  const half = (text: string) => text.slice(0, text.indexOf('domain:'))

  test('is neither explained nor shown again nor given back; once it is, all of this happens', async () => {
    await using home = await makeHome()
    let isQuiet = false
    await using executor = await home.start(undefined, { isQuiet: () => isQuiet })
    const [broken, ticked, approved] = [
      await home.put('Pending_Approval/email'),
      await home.put('Pending_Approval/email'),
      await home.put('Pending_Approval/email'),
    ]
    await executor.pass()
    const write = (path: string, change: (text: string) => string) => {
      const absolute = join(home.vaultRoot, path)
      const text = change(readFileSync(absolute, 'utf8'))
      writeFileSync(absolute, text)
      return () => readFileSync(absolute, 'utf8') === text
    }
    const inApproved = vaultPath(`Approved/${approved.fileName}`)
    await home.vault.move(approved.path, inApproved)
    const untouched = [
      write(broken.path, half),
      write(ticked.path, (text) => tick('Reject')(tick('Approve')(text))),
      write(inApproved, half),
    ]
    await executor.pass()
    await executor.pass()
    expect(untouched.map((isSame) => isSame())).toEqual([true, true, true])
    expect(await home.vault.read(vaultPath('Dashboard.md'))).toContain('The file is being changed')
    isQuiet = true
    for (let index = 0; index < 2; index++) await executor.pass()
    expect(await home.vault.read(broken.path)).toContain('cannot use this file')
    expect(await home.vault.read(ticked.path)).toContain('more than one box')
    expect(await home.vault.find(approved.fileName)).toBe(approved.path)
  })

  test('is held in the undo window too, while what is permitted does not wait', async () => {
    await using home = await makeHome()
    await using executor = await home.start(undefined, { undoMs: 1_000, isQuiet: () => false })
    const [broken, whole] = [await home.put('Pending_Approval/email'), await home.put('Pending_Approval/email')]
    await executor.pass()
    for (const one of [broken, whole]) await home.vault.move(one.path, vaultPath(`Approved/${one.fileName}`))
    await executor.pass()
    const frozen = vaultPath(`In_Progress/local/${broken.fileName}`)
    const absolute = join(home.vaultRoot, frozen)
    writeFileSync(absolute, half(readFileSync(absolute, 'utf8')))
    home.now += 1_000
    await executor.pass()
    expect(await home.vault.find(broken.fileName)).toBe(frozen)
    expect(await home.vault.find(whole.fileName)).toBe(`Done/2026-11/${whole.fileName}`)
  })

  test('gets its outcome only once it is whole again', async () => {
    await using home = await makeHome()
    let isQuiet = false
    await using executor = await home.start(undefined, { isQuiet: () => isQuiet })
    const { path, fileName } = await home.put('Pending_Approval/email')
    await executor.pass()
    await home.vault.move(path, vaultPath(`Approved/${fileName}`))
    const frozen = join(home.vaultRoot, `In_Progress/local/${fileName}`)
    const send = executor.email.act
    const whole: string[] = []
    const whileSaving: typeof send = async (action, receipt) => {
      whole.push(readFileSync(frozen, 'utf8'))
      writeFileSync(frozen, half(whole.join()))
      return send(action, receipt)
    }
    Object.assign(executor.email, { act: whileSaving })
    await executor.pass()
    expect([readFileSync(frozen, 'utf8'), home.mail.delivered.length]).toEqual([half(whole.join()), 1])
    isQuiet = true
    writeFileSync(frozen, whole.join())
    await executor.pass()
    const done = (await home.vault.read(vaultPath(`Done/2026-11/${fileName}`))) ?? ''
    expect(done).toContain('status: done')
    expect(done).not.toContain('cannot use this file')
  })
})
