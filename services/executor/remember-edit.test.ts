import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { examplesPath } from '#core/examples.ts'
import { readHandbookRules } from '#core/handbook-rules.ts'
import { draftOf, renderTaskFile, withSection } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import { examplesFor } from '#services/drafter/examples.ts'
import {
  CLIENT,
  type DraftOptions,
  type Executor,
  type ExecutorHome,
  edit,
  makeHome,
  moveToApproved,
  readTaskAt,
  whereIs,
} from '#tests/support/executor.ts'

const NOTE = examplesPath(CLIENT)
let home: ExecutorHome
let executor: Executor

beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
})
afterEach(() => home[Symbol.asyncDispose]())

const noted = () => home.vault.read(NOTE)
/** As the cloud reads them once the note has crossed. */
const examples = () => examplesFor(CLIENT, readHandbookRules(''), home.vault)

/** The person reads, edits, approves; it goes out. */
async function sendEdited(change: (draft: string) => string, options: DraftOptions = {}, before = async () => {}) {
  const { path, fileName } = await home.put('Pending_Approval/email', options)
  await executor.pass()
  await before()
  const task = await readTaskAt(home, path)
  await home.vault.replace(vaultPath(path), renderTaskFile(withSection(task, 'draft', change(draftOf(task) ?? ''))))
  await executor.pass()
  await moveToApproved(home, fileName)
  await executor.pass()
  await executor.pass()
  expect(await whereIs(home, fileName)).toBe('Done/2026-11')
}

test('what the person made of a draft is the drafter’s example for that correspondent', async () => {
  await sendEdited((draft) => draft.replace('Dear client', 'Hi Clara'), { body: 'Dear client,\n\nit comes.' })
  expect(await examples()).toEqual([
    'They sent:\n\nHi Clara,\n\nit comes.\n\nThe draft had been:\n\nDear client,\n\nit comes.',
  ])
  await sendEdited(() => 'Short.')
  expect((await examples()).map((one) => one.split('\n')[2])).toEqual(['Short.', 'Hi Clara,'])
  expect(await examplesFor('other@countersign.test', readHandbookRules(''), home.vault)).toEqual([])
  expect(await examplesFor(CLIENT, { remembersEdits: false }, home.vault)).toEqual([])
})

test('a draft that was approved as it came is no example', async () => {
  await sendEdited((draft) => `${draft}\n`)
  expect(await noted()).toBeUndefined()
})

test('what was rejected, or taken back, is no example', async () => {
  const { path } = await home.put('Pending_Approval/email')
  await executor.pass()
  await edit(home, path, (text) => text.replace('it is on its way', 'never mind'))
  await executor.pass()
  await edit(home, path, (text) => text.replace('- [ ] Reject', '- [x] Reject'))
  await executor.pass()
  expect(await noted()).toBeUndefined()
})

test.each(['- Remember my edits: no', '- Remember my edits: perhaps'])(
  'the handbook’s “%s” is kept to',
  async (rule) => {
    await home.vault.create(vaultPath('Company_Handbook.md'), `## Rules\n\n${rule}\n`)
    await sendEdited(() => 'Short.')
    expect(await noted()).toBeUndefined()
  },
)

test('a pair that the person deletes stays deleted, and so does the note', async () => {
  await sendEdited(() => 'One.')
  await sendEdited(() => 'Two.')
  await edit(home, NOTE, (text) =>
    text.replace(/<!-- countersign:example \w+ -->(?:(?!<!--)[\s\S])*?One\.[\s\S]*?\/example -->/, ''),
  )
  await executor.pass()
  expect((await examples()).map((one) => one.split('\n')[2])).toEqual(['Two.'])
  await home.vault.remove(NOTE)
  await executor.pass()
  expect(await noted()).toBeUndefined()
  await sendEdited(() => 'Three.')
  expect(await examples()).toHaveLength(1)
})

test.each(['payment', 'whatsapp'] as const)(
  'a mail of a task in the private domain %s is no example',
  async (domain) => {
    const { path, fileName } = await home.put('Pending_Approval/email')
    const text = ((await home.vault.read(path)) ?? '').replace('domain: email', `domain: ${domain}`)
    const pending = vaultPath(`Pending_Approval/${domain}/${fileName}`)
    await home.vault.remove(path)
    await home.vault.create(pending, text)
    await executor.pass()
    await edit(home, pending, (one) => one.replace('it is on its way', 'here it is'))
    await executor.pass()
    await edit(home, pending, (one) => one.replace('- [ ] Approve', '- [x] Approve').replace(/Code:.*/, 'Code:'))
    const code = /type `(\w{5})`/.exec((await home.vault.read(pending)) ?? '')?.[1] ?? ''
    await edit(home, pending, (one) => one.replace(/^Code:.*$/m, `Code: ${code}`))
    for (let passes = 0; passes < 3; passes++) await executor.pass()
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
    expect(await noted()).toBeUndefined()
  },
)

test('a note that cannot be written holds nothing up, and a secret does not stay in it', async () => {
  mkdirSync(join(home.vaultRoot, NOTE), { recursive: true })
  await sendEdited(() => 'Short.')
  expect(readdirSync(join(home.vaultRoot, NOTE))).toEqual([])
  const to = ['other@countersign.test']
  await sendEdited((draft) => `${draft}\nThe password is: Tr0ub4dor-${'hunter2'}`, { to })
  expect(readFileSync(join(home.vaultRoot, examplesPath('other@countersign.test')), 'utf8')).toContain('⟦masked:')
})

test.each(['before', 'after'] as const)(
  'an executor that dies %s the note is written adds the pair once',
  async (moment) => {
    await executor[Symbol.asyncDispose]()
    let armed = true
    executor = await home.start((parts) => ({
      ...parts,
      vault: {
        ...parts.vault,
        root: parts.vault.root,
        create: async (path, content) => {
          const isNote = armed && path === NOTE
          if (isNote && moment === 'after') await parts.vault.create(path, content)
          if (!isNote) return parts.vault.create(path, content)
          armed = false
          // Not an error that is caught and told: the process is gone.
          return new Promise(() => {})
        },
      },
    }))
    const { path, fileName } = await home.put('Pending_Approval/email')
    await executor.pass()
    await edit(home, path, (text) => text.replace('it is on its way', 'soon'))
    await executor.pass()
    await moveToApproved(home, fileName)
    const lives = executor.pass().then(() => executor.pass())
    const died = await Promise.race([lives.then(() => 'lived'), until(() => !armed).then(() => 'died')])
    expect(died).toBe('died')
    await executor[Symbol.asyncDispose]()
    executor = await home.start()
    await executor.pass()
    await executor.pass()
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
    expect(await examples()).toHaveLength(1)
    expect(home.mail.delivered).toHaveLength(1)
  },
)

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
