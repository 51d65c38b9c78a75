import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { shortId } from '#core/ids.ts'
import { REVIEW_SHEET } from '#core/vault-path.ts'
import { type Executor, type ExecutorHome, edit, makeHome } from '#tests/support/executor.ts'
import { askForReview } from './ask-for-review.ts'
import type { ZoneHome } from './zone-home.ts'

let home: ExecutorHome
let executor: Executor
let zone: ZoneHome
let isRunning = false
let passing: Promise<void> = Promise.resolve()

beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
  zone = { zone: 'local', agent: 'local', vault: home.vaultRoot, state: join(home.folder, 'state') } as ZoneHome
})
afterEach(async () => {
  isRunning = false
  await passing
  await home[Symbol.asyncDispose]()
})

/** Passes one after the other, as a running executor makes them, until the test is over. */
function run(): void {
  isRunning = true
  passing = (async () => {
    for (; isRunning; await delay(20)) await executor.pass()
  })()
}

test('asks for a sheet and waits for it; asked again, it gives way to a new one once its ticks are obeyed', async () => {
  const one = await home.put('Pending_Approval/email')
  await executor.pass()
  run()
  expect(await askForReview(zone, 60_000)).toEqual({ path: 'Review.md', drafts: [one.id] })
  const two = await home.put('Pending_Approval/email')
  const sheet = (await home.vault.read(REVIEW_SHEET)) ?? ''
  await home.vault.replace(
    REVIEW_SHEET,
    sheet.replace(`[ ] Approve ${shortId(one.id)}`, `[x] Approve ${shortId(one.id)}`),
  )
  expect(await askForReview(zone, 60_000)).toEqual({ path: 'Review.md', drafts: [two.id] })
  expect(home.mail.delivered).toHaveLength(1)
})

test('a sheet that was changed is kept aside by the executor, and a new one comes', async () => {
  const { id } = await home.put('Pending_Approval/email')
  await executor.pass()
  run()
  await askForReview(zone, 60_000)
  await home.vault.replace(REVIEW_SHEET, `${await home.vault.read(REVIEW_SHEET)}\nwords of mine\n`)
  expect(await askForReview(zone, 60_000)).toEqual({ path: 'Review.md', drafts: [id] })
})

test('without an executor it says so, and what was asked stands; ticks that wait are not thrown away', async () => {
  const { id, path } = await home.put('Pending_Approval/email')
  await expect(askForReview(zone, 300)).rejects.toMatchObject({ code: 'ERR_NOT_RUNNING' })
  await executor.pass()
  await executor.pass()
  const sheet = (await home.vault.read(REVIEW_SHEET)) ?? ''
  const ticked = sheet.replace(`[ ] Approve ${shortId(id)}`, `[x] Approve ${shortId(id)}`)
  expect(ticked).not.toBe(sheet)
  await home.vault.replace(REVIEW_SHEET, ticked)
  await edit(home, path, (text) => text)
  await expect(askForReview(zone, 300)).rejects.toMatchObject({ code: 'ERR_NOT_RUNNING' })
  expect(await home.vault.read(REVIEW_SHEET)).toBe(ticked)
})

test('a note of one’s own stays, and the cloud has nothing to review', async () => {
  await home.vault.create(REVIEW_SHEET, 'my review of a book')
  await expect(askForReview(zone, 300)).rejects.toMatchObject({ code: 'ERR_TASK_STATE' })
  expect(await home.vault.read(REVIEW_SHEET)).toBe('my review of a book')
  await expect(askForReview({ ...zone, zone: 'cloud' }, 300)).rejects.toMatchObject({ code: 'ERR_ZONE_FORBIDDEN' })
})
