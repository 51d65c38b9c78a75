import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { claimedBy, withHistory } from '#core/claim.ts'
import { draftOf, renderTaskFile, type SectionName, section, withFront, withSection } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import {
  CLIENT,
  type Executor,
  type ExecutorHome,
  edit,
  makeHome,
  moveToApproved,
  readTaskAt,
  tick,
  type Wrap,
  whereIs,
} from '#tests/support/executor.ts'

const PENDING = 'Pending_Approval/email'
let home: ExecutorHome
let executor: Executor

beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
})
afterEach(() => home[Symbol.asyncDispose]())

const AT = '2026-11-20T11:30:00.000Z'
const note = (text: string) => (file: string) =>
  file.replace('<!-- countersign:notes -->', `<!-- countersign:notes -->\n${text}`)
const sectionAt = async (path: string, name: SectionName) => section(await readTaskAt(home, path), name) ?? ''
const cardAt = (path: string) => sectionAt(path, 'card')

/** The person writes in the draft. */
async function write(path: string, change: (draft: string) => string): Promise<void> {
  const task = await readTaskAt(home, path)
  await home.vault.replace(vaultPath(path), renderTaskFile(withSection(task, 'draft', change(draftOf(task) ?? ''))))
}

/** The person asks; what the drafter makes of it comes back through the hub. */
async function redraft(
  { path, fileName }: { path: string; fileName: string },
  notes: string,
  draft: (before: string) => string,
  { pass = () => executor.pass(), returned = (text: string) => text } = {},
): Promise<void> {
  await edit(home, path, (text) => tick('Redraft')(note(notes)(text)))
  await pass()
  await comesAgain({ path, fileName }, draft, returned)
}

/** What the drafter makes of it, through the hub. */
async function comesAgain(
  { path, fileName }: { path: string; fileName: string },
  draft: (before: string) => string,
  returned = (text: string) => text,
): Promise<void> {
  const asked = vaultPath(`Needs_Action/email/${fileName}`)
  const task = await readTaskAt(home, asked)
  await home.vault.remove(asked)
  const claimed = withFront(claimedBy(task, 'cloud', AT), { action: task.front.action })
  const drafted = withSection(claimed, 'draft', draft(draftOf(task) ?? ''))
  const handedIn = renderTaskFile(withHistory(drafted, 'Pending_Approval/email', 'cloud', AT))
  home.received.note(fileName)
  await home.vault.create(vaultPath(path), returned(handedIn))
}

describe('a draft that was asked for again', () => {
  test('comes with its number, the notes it answers, and what changed; the notes are struck through', async () => {
    const put = await home.put(PENDING)
    const { path } = put
    await executor.pass()
    expect(await cardAt(path)).not.toContain('Revision')
    await redraft(put, 'say *when*', (draft) => draft.replace('its way', 'its way since Monday'))
    await executor.pass()
    const card = await cardAt(path)
    expect(card).toContain('| Revision | 2 |')
    expect(card).toContain('**It answers your notes**\n\n```text\n  say *when*\n```')
    expect(card).toContain('~ it is on its way{+ since Monday+}.')
    expect(await sectionAt(path, 'notes')).toBe('~~say *when*~~')
    await redraft(put, 'and greet warmly', (draft) => draft.replace('Dear client', 'Dear Clara'))
    await executor.pass()
    const next = await cardAt(path)
    expect(next).toContain('| Revision | 3 |')
    expect(next).toContain('~ Dear [-client-]{+Clara+},')
    expect(next).toContain('  and greet warmly\n')
    expect(next).not.toContain('say *when*')
    expect(await sectionAt(path, 'notes')).toBe('~~and greet warmly~~\n~~say *when*~~')
  })

  test('has the notes again that were lost on the way, and what was forged into them is struck, too', async () => {
    const put = await home.put(PENDING)
    const { path } = put
    await executor.pass()
    const returned = (text: string) => text.replace('\nshorter\n', '\npay at once\n')
    await redraft(put, 'shorter', () => 'soon', { returned })
    await executor.pass()
    expect(await sectionAt(path, 'notes')).toBe('~~shorter~~\n~~pay at once~~')
    expect(await cardAt(path)).toContain('  shorter\n')
  })

  test('keeps the notes open when the drafter wrote the same again', async () => {
    const put = await home.put(PENDING)
    const { path } = put
    await executor.pass()
    await write(path, (draft) => draft.replace('it is on its way', 'sent on Monday'))
    await executor.pass()
    await redraft(put, 'shorter', (draft) => draft.replace('sent on Monday', 'it is on its way'))
    await executor.pass()
    const card = await cardAt(path)
    expect(card).toContain('⚠ The drafter wrote the same again')
    expect(card).toContain('- sent on Monday.\n+ it is on its way.')
    expect(await sectionAt(path, 'notes')).toBe('shorter')
  })

  test('is compared anew after the person edits it, and new notes stay open', async () => {
    const put = await home.put(PENDING)
    const { path } = put
    await executor.pass()
    await redraft(put, 'shorter', () => 'soon')
    await executor.pass()
    await write(path, () => 'very soon')
    await edit(home, path, note('shorter'))
    await executor.pass()
    expect(await cardAt(path)).toContain('| Revision | 2 |')
    expect(await cardAt(path)).toContain('+ very soon')
    expect(await sectionAt(path, 'notes')).toBe('shorter\n~~shorter~~')
  })

  test('is forgotten once it is done', async () => {
    const { fileName, id } = await home.put(PENDING)
    await executor.pass()
    expect(executor.deps.journal.draftMemory(id)).toMatchObject({ revision: 1 })
    await moveToApproved(home, fileName)
    await executor.pass()
    await executor.pass()
    expect([await whereIs(home, fileName), executor.deps.journal.draftMemory(id)]).toEqual(['Done/2026-11', undefined])
  })
})

test('a draft that the cloud replaced is compared with the one that was shown', async () => {
  const { path, fileName } = await home.put(PENDING)
  await executor.pass()
  home.received.note(fileName)
  await write(path, (draft) => draft.replace('its way', 'the way'))
  await executor.pass()
  const card = await cardAt(path)
  expect(card).toContain('Another draft came in place of revision 1')
  expect(card).toContain('~ it is on [-its-]{+the+} way.')
})

test('a draft that a message joined comes again as a revision that answers the note of it', async () => {
  const put = await home.put(PENDING)
  await executor.pass()
  const message = await home.put('In_Progress/local', { action: undefined })
  const joining = (text: string) =>
    text.replace(
      /^source:\n|(?=^generation:)/m,
      `joins: ${put.id}\nsource:\n  provider: imap\n  from: ${CLIENT}\n  messages:\n    - <b@x>\n`,
    )
  await edit(home, message.path, joining)
  await executor.pass()
  expect(await whereIs(home, put.fileName)).toBe('Needs_Action/email')
  await comesAgain(put, () => 'both answered')
  await executor.pass()
  const card = await cardAt(put.path)
  expect(card).toContain('| Revision | 2 |')
  expect(card).toMatch(/\*\*It answers your notes\*\*[\s\S]*A new message has come in this thread/)
  expect(await sectionAt(put.path, 'notes')).toBe('~~A new message has come in this thread; answer it, too.~~')
})

test('a draft that the person takes out of Needs_Action again is no revision', async () => {
  const { path, fileName } = await home.put(PENDING)
  await executor.pass()
  await edit(home, path, (text) => tick('Redraft')(note('shorter')(text)))
  await executor.pass()
  await home.vault.move(vaultPath(`Needs_Action/email/${fileName}`), vaultPath(path))
  await executor.pass()
  expect(await cardAt(path)).not.toContain('Revision')
  expect(await sectionAt(path, 'notes')).toBe('shorter')
})

const STEPS = [
  'journal.presenting',
  'vault.replaceIf',
  'journal.present',
  'journal.rememberDraft',
  'journal.withdraw',
] as const

test.each(STEPS.flatMap((step) => [['before', step] as const, ['after', step] as const]))(
  'an executor that dies %s %s shows the same card in the end',
  async (moment, step) => {
    const put = await home.put(PENDING)
    const { path } = put
    await executor.pass()
    await executor[Symbol.asyncDispose]()
    let armed = true
    const dying: Wrap = (parts) => {
      const [name, method] = step.split('.') as ['vault' | 'journal', string]
      const proxy = new Proxy(parts[name] as object, {
        get(target, key) {
          const value = Reflect.get(target, key) as unknown
          if (typeof value !== 'function' || key !== method || !armed)
            return typeof value === 'function' ? value.bind(target) : value
          return (...args: unknown[]) => {
            armed = false
            if (moment === 'before') throw new Error('died')
            const done: unknown = (value as (...all: unknown[]) => unknown).apply(target, args)
            if (!(done instanceof Promise)) throw new Error('died')
            return done.then(() => {
              throw new Error('died')
            })
          }
        },
      })
      return { ...parts, [name]: proxy }
    }
    executor = await home.start(dying)
    const lives = async () => {
      for (let times = 0; times < 3; times++) {
        await executor.pass().catch(() => {})
        await executor[Symbol.asyncDispose]()
        executor = await home.start(dying)
      }
    }
    await redraft(put, 'say when', (draft) => draft.replace('it is on its way', 'gone'), { pass: lives })
    await lives()
    await executor.pass()
    const card = await cardAt(path)
    expect(armed).toBe(false)
    expect(card).toContain('| Revision | 2 |')
    expect(card).toContain('  say when\n')
    expect(card).toContain('+ gone.')
    expect(await sectionAt(path, 'notes')).toBe('~~say when~~')
  },
)
