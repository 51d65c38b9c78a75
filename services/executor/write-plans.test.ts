import { afterEach, beforeEach, expect, test } from 'vitest'
import { vaultPath } from '#core/vault-path.ts'
import { type Executor, type ExecutorHome, makeHome } from '#tests/support/executor.ts'

let home: ExecutorHome
let executor: Executor
beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
})
afterEach(() => home[Symbol.asyncDispose]())
const notes = () => home.vault.list('Plans')
const note = async () => (await home.vault.read((await notes())[0] ?? vaultPath('Plans/none.md'))) ?? ''
const approve = (path: string) => home.vault.move(vaultPath(path), vaultPath(`Approved/${path.split('/').at(-1)}`))

test('a plan shows in its note and on the dashboard how far it is, until all of it is done', async () => {
  const first = await home.put('Pending_Approval/email')
  const second = await home.put('Pending_Approval/email', { after: [first.id] })
  await executor.pass()
  expect(await notes()).toHaveLength(1)
  expect(await note()).toMatch(/^0 of 2 steps done; next: step 1, waits for you\.$/m)
  expect(await home.vault.read(vaultPath('Dashboard.md'))).toMatch(/## Plans\n\n- \[.*\]\(Plans\/Plan%20\w{6}\.md\)/)

  await approve(second.path)
  await executor.pass()
  await approve(first.path)
  for (let round = 0; round < 4; round++) await executor.pass()
  expect(home.mail.delivered).toHaveLength(2)
  expect(await note()).toMatch(/^done\.$/m)
  expect(await home.vault.read(vaultPath('Dashboard.md'))).not.toContain('## Plans')
})

test('a rejected step stops those after it, in plain words; what is over is written once', async () => {
  const first = await home.put('Pending_Approval/email')
  const second = await home.put('Pending_Approval/email', { after: [first.id] })
  await executor.pass()
  await home.vault.move(first.path, vaultPath(`Rejected/${first.fileName}`))
  await executor.pass()
  expect(await note()).toContain('**stopped**: what it was to follow')
  await home.vault.move(second.path, vaultPath(`Rejected/${second.fileName}`))
  await executor.pass()
  expect(await note()).toContain('*This plan is over.*')
  const [path = vaultPath('Plans/none.md')] = await notes()
  await home.vault.replace(path, `${await note()}\nmine\n`)
  await executor.pass()
  expect(await note()).toContain('mine')
})

test('a task without others makes no note', async () => {
  await home.put('Pending_Approval/email')
  await executor.pass()
  expect(await notes()).toEqual([])
})
