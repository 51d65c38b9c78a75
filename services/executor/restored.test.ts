import { copyFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { bumpRestoreEpoch, readRestoreMark } from '#adapters/state-files/restore-mark.ts'
import { vaultPath } from '#core/vault-path.ts'
import {
  type ExecutorHome,
  edit,
  makeHome,
  moveToApproved,
  readDashboard,
  readLedger,
  tick,
  whereIs,
} from '#tests/support/executor.ts'

const MADE = new Date('2026-11-20T12:00:30.000Z')
const RESTORED = new Date('2026-11-21T08:00:00.000Z')

async function open(): Promise<ExecutorHome> {
  const home = await makeHome()
  onTestFinished(() => home[Symbol.asyncDispose]())
  return home
}

async function passes(home: ExecutorHome, count = 3): Promise<void> {
  await using executor = await home.start()
  for (let pass = 0; pass < count; pass++) {
    await executor.pass()
    home.now += 20_000
  }
}

/** A whole copy of journal and vault, as a backup has them, and its way back. */
async function backUp(home: ExecutorHome): Promise<() => void> {
  const kept = join(home.folder, 'kept')
  const journal = join(home.folder, 'state/journal.sqlite')
  cpSync(home.vaultRoot, join(kept, 'vault'), { recursive: true })
  using database = new DatabaseSync(journal)
  await backup(database, join(kept, 'journal.sqlite'))
  return () => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${journal}${suffix}`, { force: true })
    bumpRestoreEpoch(join(home.folder, 'state'), MADE, RESTORED)
    copyFileSync(join(kept, 'journal.sqlite'), journal)
    rmSync(home.vaultRoot, { recursive: true })
    cpSync(join(kept, 'vault'), home.vaultRoot, { recursive: true })
    home.now = RESTORED.getTime() + 60_000
  }
}

function intendedAt(home: ExecutorHome): number {
  using database = new DatabaseSync(join(home.folder, 'state/journal.sqlite'), { readOnly: true })
  return Number(database.prepare('SELECT intended_at FROM intents').get()?.intended_at)
}

const pending = (fileName: string) => `Pending_Approval/email/${fileName}`
const textAt = async (home: ExecutorHome, path: string) => (await home.vault.read(vaultPath(path))) ?? ''

/** Approved, and kept back by HALT.md, so that it stands where the test wants it when the backup is made. */
async function approvedNotDone(home: ExecutorHome, stage: 'ticked' | 'approved' | 'frozen'): Promise<string> {
  const { fileName, path } = await home.put('Pending_Approval/email')
  await passes(home, 1)
  if (stage === 'ticked') await edit(home, path, tick('Approve'))
  else await moveToApproved(home, fileName)
  if (stage === 'frozen') {
    home.mail.away = undefined
    await using executor = await home.start(undefined, { undoMs: 5_000 })
    await executor.pass()
    expect(await whereIs(home, fileName)).toBe('In_Progress/local')
  }
  return fileName
}

test.each(['ticked', 'approved', 'frozen'] as const)(
  'what stood %s in the backup, and was sent since, is found and not sent again',
  async (stage) => {
    const home = await open()
    const fileName = await approvedNotDone(home, stage)
    const restore = await backUp(home)
    home.now += 20_000
    await passes(home)
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
    expect(home.mail.delivered).toHaveLength(1)
    restore()
    await passes(home, 6)
    expect(home.mail.delivered).toHaveLength(1)
    if (stage === 'ticked') {
      expect(await whereIs(home, fileName)).toBe('Pending_Approval/email')
      expect(await textAt(home, pending(fileName))).toContain('A box was ticked in it before this card was made')
      await edit(home, pending(fileName), tick('Approve'))
      await passes(home, 6)
      expect(home.mail.delivered).toHaveLength(1)
      expect(await textAt(home, pending(fileName))).toContain('stands in Sent already')
    } else {
      expect(await whereIs(home, fileName)).toBe('Done/2026-11')
      // Providers are asked from this moment on: after it the mail would not be looked for.
      expect(intendedAt(home)).toBeLessThan(MADE.getTime())
    }
  },
)

test.each(['approved', 'frozen'] as const)(
  'what stood %s in the backup, and leaves no trace at the provider, is asked of the person and not sent by itself',
  async (stage) => {
    const home = await open()
    const fileName = await approvedNotDone(home, stage)
    const restore = await backUp(home)
    home.now += 20_000
    await passes(home)
    expect(home.mail.delivered).toHaveLength(1)
    home.mail.filed.length = 0
    restore()
    await passes(home, 6)
    expect(home.mail.delivered).toHaveLength(1)
    expect(await whereIs(home, fileName)).toBe('Pending_Approval/email')
    const card = await textAt(home, pending(fileName))
    expect(card).toContain('- [ ] It was done')
    expect(card).toContain('restored on 2026-11-21 08:00 UTC from a backup of 2026-11-20 12:00 UTC')
    // Only the person's word, and then a new approval, sends it.
    await edit(home, pending(fileName), (text) => text.replace('- [ ] It was not done', '- [x] It was not done'))
    await passes(home, 6)
    expect(home.mail.delivered).toHaveLength(1)
    await edit(home, pending(fileName), tick('Approve'))
    await passes(home, 6)
    expect(home.mail.delivered).toHaveLength(2)
  },
)

test('a card that was shown before the restore is no approval, even when its file is moved after it', async () => {
  const home = await open()
  const { fileName } = await home.put('Pending_Approval/email')
  await passes(home, 1)
  const restore = await backUp(home)
  restore()
  await moveToApproved(home, fileName)
  await passes(home, 6)
  expect(home.mail.delivered).toHaveLength(0)
  expect(await textAt(home, pending(fileName))).toContain('- [ ] It was not done')
})

test('a draft that only waited is shown anew with what to look at, and goes out when it is approved then', async () => {
  const home = await open()
  const { fileName } = await home.put('Pending_Approval/email')
  await passes(home, 1)
  const restore = await backUp(home)
  restore()
  await passes(home)
  expect(await textAt(home, pending(fileName))).toContain('look whether this was, before you approve it')
  await edit(home, pending(fileName), tick('Approve'))
  await passes(home)
  expect(home.mail.delivered).toHaveLength(1)
  expect(readLedger(home).filter((type) => type === 'machine.restored')).toHaveLength(1)
  expect(await readDashboard(home)).toContain('this machine was restored')
})

test('what comes after the restore is done as ever, and its card speaks of no restore', async () => {
  const home = await open()
  await home.put('Pending_Approval/email')
  await passes(home, 1)
  const restore = await backUp(home)
  restore()
  await passes(home)
  const after = await home.put('Pending_Approval/email')
  await edit(home, after.path, (text) => text.replaceAll('2026-11-20T11:0', '2026-11-21T08:3'))
  // Its day has come before the machine's clock, and after the restore.
  home.now = Date.parse('2026-11-21T09:00:00.000Z')
  await passes(home, 1)
  expect(await textAt(home, after.path)).not.toContain('restored')
  await edit(home, after.path, tick('Approve'))
  await passes(home)
  expect(home.mail.delivered).toHaveLength(1)
})

test('the same restore counts once, another one again', async () => {
  const home = await open()
  const fileName = await approvedNotDone(home, 'approved')
  const restore = await backUp(home)
  restore()
  await passes(home, 6)
  await edit(home, pending(fileName), (text) => text.replace('- [ ] It was not done', '- [x] It was not done'))
  await passes(home)
  await moveToApproved(home, fileName)
  // Started anew in between: the mark still lies there, and is known.
  await passes(home)
  expect(home.mail.delivered).toHaveLength(1)
  restore()
  await passes(home, 6)
  expect(home.mail.delivered).toHaveLength(1)
  expect(await whereIs(home, fileName)).toBe('Done/2026-11')
})

test('a mark that cannot be read keeps the executor from starting', async () => {
  const home = await open()
  const state = join(home.folder, 'state')
  expect(readRestoreMark(state)).toBeUndefined()
  bumpRestoreEpoch(state, undefined)
  expect(readRestoreMark(state)?.backupOf).toBeNull()
  expect(existsSync(join(state, 'ledger.sqlite'))).toBe(false)
  writeFileSync(join(state, 'restored.json'), readFileSync(join(state, 'restored.json'), 'utf8').slice(0, 40))
  expect(() => readRestoreMark(state)).toThrow(expect.objectContaining({ code: 'ERR_JOURNAL_FAILED' }))
})
