import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { noteSetBack, readRestoreMark } from '#adapters/state-files/restore-mark.ts'
import { readSyncReport } from '#adapters/state-files/state-files.ts'
import { type ExecutorHome, edit, makeHome, moveToApproved, OWNER, tick, whereIs } from '#tests/support/executor.ts'
import { ownAge } from './own-age.ts'

const MINUTE = 60_000
const IN_VAIN = { tool: 'email.send_email', account: OWNER, to: ['client@countersign.test'], subject: 'The invoice' }

/** A zone whose state and vault are set back as a whole, as a snapshot of a machine is, to before a mail was sent. */
async function setBack(): Promise<{ home: ExecutorHome; fileName: string }> {
  const home = await makeHome()
  onTestFinished(() => home[Symbol.asyncDispose]())
  // Outside any thread: only Sent could tell, and is not looked into as a rule.
  const { fileName } = await home.put('Pending_Approval/email', { action: IN_VAIN })
  syncSays(home, home.now)
  {
    await using executor = await home.start(undefined, { undoMs: 5_000 })
    await executor.pass()
    await moveToApproved(home, fileName)
    await executor.pass()
    expect(await whereIs(home, fileName)).toBe('In_Progress/local')
  }
  const kept = join(home.folder, 'kept')
  for (const name of ['state', 'vault']) cpSync(join(home.folder, name), join(kept, name), { recursive: true })
  home.now += MINUTE
  {
    await using executor = await home.start()
    for (let pass = 0; pass < 3; pass++) await executor.pass()
  }
  expect(await whereIs(home, fileName)).toBe('Done/2026-11')
  expect(home.mail.delivered).toHaveLength(1)
  for (const name of ['state', 'vault']) {
    rmSync(join(home.folder, name), { recursive: true })
    cpSync(join(kept, name), join(home.folder, name), { recursive: true })
  }
  home.now += MINUTE
  return { home, fileName }
}

const stateOf = (home: ExecutorHome) => join(home.folder, 'state')

function syncSays(home: ExecutorHome, lastSuccessAt: number): void {
  const report = {
    state: 'ok',
    at: new Date(home.now).toISOString(),
    lastSuccessAt: new Date(lastSuccessAt).toISOString(),
  }
  writeFileSync(join(stateOf(home), 'sync-status.json'), JSON.stringify(report))
}

/** An executor that knows of set-backs, as main wires it. */
function begin(home: ExecutorHome) {
  const heeded = readRestoreMark(stateOf(home))?.id
  return home.start(undefined, {
    ownAge: ownAge({
      isSetBack: () => readRestoreMark(stateOf(home))?.id !== heeded,
      syncReport: () => readSyncReport(stateOf(home)),
      askSync: () => {},
      clock: { now: () => home.now },
      monotonic: () => home.now,
    }),
  })
}

test('a machine that was set back does nothing old before sync has asked the hub, and then asks the person', async () => {
  const { home, fileName } = await setBack()
  home.mail.filed.length = 0
  {
    await using executor = await begin(home)
    await executor.pass()
    expect(await whereIs(home, fileName)).toBe('In_Progress/local')
    // Sync finds a longer ledger at the hub, marks the state, takes the ledger over and says that it is done.
    noteSetBack(stateOf(home), home.now - MINUTE, new Date(home.now))
    syncSays(home, home.now)
    await expect(executor.pass()).rejects.toMatchObject({ code: 'ERR_FENCED' })
  }
  {
    await using executor = await begin(home)
    for (let pass = 0; pass < 4; pass++, home.now += 20_000) await executor.pass()
  }
  expect(home.mail.delivered).toHaveLength(1)
  expect(await whereIs(home, fileName)).toBe('Pending_Approval/email')
})

test('what sync finds while the world is looked at stops the act', async () => {
  const { home, fileName } = await setBack()
  home.mail.filed.length = 0
  syncSays(home, home.now)
  await using executor = await begin(home)
  const { lookAtTheWorld } = executor.email
  executor.email.lookAtTheWorld = async (prospect) => {
    noteSetBack(stateOf(home), home.now - MINUTE, new Date(home.now))
    return lookAtTheWorld(prospect)
  }
  await expect(executor.pass()).rejects.toMatchObject({ code: 'ERR_FENCED' })
  expect(home.mail.delivered).toHaveLength(1)
  expect(await whereIs(home, fileName)).toBe('In_Progress/local')
})

test('while the hub cannot be asked, the provider is, and what it has is not sent again', async () => {
  const { home, fileName } = await setBack()
  await using executor = await begin(home)
  await executor.pass()
  home.now += 20_000
  await executor.pass()
  expect(home.mail.delivered).toHaveLength(1)
  expect(await whereIs(home, fileName)).toBe('Pending_Approval/email')
})

test('with the hub down, what was approved and is not in Sent goes out all the same', async () => {
  const home = await makeHome()
  onTestFinished(() => home[Symbol.asyncDispose]())
  const { fileName, path } = await home.put('Pending_Approval/email', { action: IN_VAIN })
  syncSays(home, home.now)
  {
    await using executor = await home.start()
    await executor.pass()
    await edit(home, path, tick('Approve'))
  }
  home.now += MINUTE
  await using executor = await begin(home)
  await executor.pass()
  await executor.pass()
  expect(home.mail.delivered).toHaveLength(0)
  home.now += 9_000
  await executor.pass()
  expect(home.mail.delivered).toHaveLength(0)
  home.now += 1_000
  await executor.pass()
  expect(home.mail.delivered).toHaveLength(1)
  expect(await whereIs(home, fileName)).toBe('Done/2026-11')
})
