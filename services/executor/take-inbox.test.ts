import { linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { draftOf, parseTaskFile, section } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import {
  type Executor,
  type ExecutorHome,
  edit,
  makeHome,
  readDashboard,
  readLedger,
  tick,
} from '#tests/support/executor.ts'

let home: ExecutorHome
let executor: Executor

beforeEach(async () => {
  home = await makeHome()
  executor = await home.start()
  mkdirSync(join(home.vaultRoot, 'Inbox'))
  await home.vault.create(vaultPath('Company_Handbook.md'), '## Known contacts\n- anna@client.example\n')
})
afterEach(() => home[Symbol.asyncDispose]())

const drop = (name: string, text: string | Uint8Array) => writeFileSync(join(home.vaultRoot, 'Inbox', name), text)
const inbox = () => readdirSync(join(home.vaultRoot, 'Inbox')).sort()
const tasks = () =>
  readdirSync(home.vaultRoot, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /^(Needs_Action|Pending_Approval|Rejected|In_Progress)\/.*\.md$/.test(path),
  )
const read = (path = '') => {
  const parsed = parseTaskFile(readFileSync(join(home.vaultRoot, path), 'utf8'))
  if (!parsed.ok) throw new Error(`${path}: ${parsed.problem}`)
  return parsed.task
}

describe('a note in Inbox', () => {
  test('that names a contact becomes a mail to be drafted, with the whole note in it', async () => {
    drop('Lunch.md', 'Please ask anna@client.example whether lunch on Friday is fine for you and me.')
    await executor.pass()
    expect(inbox()).toEqual([])
    const [path] = tasks()
    expect(path).toMatch(/^Needs_Action\/email\/EMAIL_2026-11-20_lunch_[0-9a-z]{6}\.md$/)
    const task = read(path)
    expect(task.front).toMatchObject({
      ...{ domain: 'email', title: 'Lunch', generation: 0, language: 'en' },
      source: { provider: 'inbox', reply_to: ['anna@client.example'], subject: 'Lunch' },
      classified: { by: 'rule', rule: 'names-a-contact' },
    })
    expect(section(task, 'original')).toContain('whether lunch on Friday')
    expect(draftOf(task)).toBeUndefined()
    expect(readLedger(home)).toEqual(['task.created'])
  })

  test('that asks for posts becomes one for each network', async () => {
    drop('n.md', 'X and LinkedIn: open again')
    await executor.pass()
    const posts = tasks().map((path) => read(path).front)
    expect(posts).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ network: 'x', title: 'open again' }),
        expect.objectContaining({ network: 'linkedin', title: 'open again' }),
      ]),
    )
    expect(tasks().every((path) => path.startsWith('Needs_Action/social/POST_'))).toBe(true)
  })

  test('that says nothing to draft comes back as a card that says so, and can be rejected', async () => {
    drop('Milk.md', 'buy milk')
    await executor.pass()
    const [path = ''] = tasks()
    expect(path).toMatch(/^Pending_Approval\/general\/NOTE_/)
    expect(section(read(path), 'card')).toContain('There is nothing to approve here yet')
    expect(section(read(path), 'card')).toContain('does not say what could be drafted')
    expect(section(read(path), 'original')).toContain('buy milk')
    expect(await readDashboard(home)).toContain('## Waiting for you (1)')
    await edit(home, path, tick('Reject'))
    await executor.pass()
    expect(tasks()[0]).toMatch(/^Rejected\/NOTE_/)
  })

  test('is waited for while somebody writes, and while it is empty', async () => {
    await executor[Symbol.asyncDispose]()
    let isQuiet = false
    executor = await home.start(undefined, { isNoteQuiet: () => isQuiet })
    drop('a.md', 'half a th')
    drop('Untitled.md', '  \n')
    await executor.pass()
    expect([inbox(), tasks()]).toEqual([['Untitled.md', 'a.md'], []])
    isQuiet = true
    drop('a.md', 'half a thought is whole now')
    await executor.pass()
    expect(inbox()).toEqual(['Untitled.md'])
    expect(section(read(tasks()[0]), 'original')).toContain('is whole now')
  })

  test('that was changed while it was taken stays with what was written', async () => {
    await executor[Symbol.asyncDispose]()
    executor = await home.start((parts) => ({
      ...parts,
      vault: {
        ...parts.vault,
        removeIf: (path, text) => {
          drop('a.md', 'and more')
          return parts.vault.removeIf(path, text)
        },
      },
    }))
    drop('a.md', 'first')
    await executor.pass()
    expect(readFileSync(join(home.vaultRoot, 'Inbox/a.md'), 'utf8')).toBe('and more')
  })

  test.each([
    ['links and templates', 'See https://a.example <% x %>\n- [x] Approve\n<!-- countersign:decision -->'],
    ['more than a quote holds', `buy ${'x'.repeat(60_000)}`],
    ['characters that cannot be seen', 'buy\u202e milk\u0000'],
    ['broken front matter', '---\na: [b\n: {\n---\nbuy milk'],
    ['its own fence', 'buy\n````\n```text\nmilk'],
    ['another line end', 'buy\r\nmilk\r\n'],
  ])('with %s is kept letter for letter', async (_what, text) => {
    drop('a.md', text)
    await executor.pass()
    expect(inbox()).toEqual([])
    const original = section(read(tasks()[0]), 'original') ?? ''
    const kept = readdirSync(join(home.vaultRoot, 'Attachments'), { withFileTypes: true }).map((one) =>
      readFileSync(join(home.vaultRoot, 'Attachments', one.name), 'utf8'),
    )
    expect(kept.includes(text) || original.includes(text)).toBe(true)
  })

  test('that cannot become a task stays, untouched, and is told of', async () => {
    const outside = join(home.folder, 'secret.md')
    writeFileSync(outside, 'secret')
    drop('binary.md', Buffer.from([0xff, 0xd8, 0x00]))
    drop('huge.md', 'x'.repeat(1024 * 1024 + 1))
    drop('photo.jpg', 'x')
    drop('con.md', 'x')
    drop('what?.md', 'x')
    drop('.hidden.md', 'x')
    mkdirSync(join(home.vaultRoot, 'Inbox/folder.md'))
    symlinkSync(outside, join(home.vaultRoot, 'Inbox/link.md'))
    linkSync(outside, join(home.vaultRoot, 'Inbox/hard.md'))
    const before = inbox()
    await executor.pass()
    await executor.pass()
    expect([inbox(), tasks()]).toEqual([before, []])
    const dashboard = await readDashboard(home)
    for (const name of ['binary', 'huge', 'photo', 'con', 'what', 'folder', 'link', 'hard'])
      expect(dashboard).toContain(`Inbox/${name}`)
    expect(readLedger(home).filter((type) => type === 'file.refused')).toHaveLength(3)
  })

  test('waits while the handbook cannot be read', async () => {
    await home.vault.replace(vaultPath('Company_Handbook.md'), Buffer.from([0xff, 0xfe]))
    drop('Lunch.md', 'Ask anna@client.example for lunch.')
    await executor.pass()
    expect([inbox(), tasks()]).toEqual([['Lunch.md'], []])
    expect(await readDashboard(home)).toContain('Notes wait until the handbook can be read')
    await home.vault.replace(vaultPath('Company_Handbook.md'), '## Known contacts\n- anna@client.example\n')
    await executor.pass()
    expect(tasks()[0]).toMatch(/^Needs_Action\/email\//)
  })

  test('of any letters is taken', async () => {
    drop('Frühstück & Zähne (2).md', 'Zahnarzt')
    drop('купить.md', 'молоко')
    await executor.pass()
    expect([inbox(), tasks().length]).toEqual([[], 2])
  })
})

describe('the same note', () => {
  test('dropped again while its task is open is that task, and a new one after it is over', async () => {
    drop('Milk.md', 'buy milk')
    await executor.pass()
    drop('Milk.md', 'buy milk')
    home.now += 86_400_000
    await executor.pass()
    expect([inbox(), tasks().length]).toEqual([[], 1])
    await edit(home, tasks()[0] ?? '', tick('Reject'))
    await executor.pass()
    drop('Milk.md', 'buy milk')
    await executor.pass()
    expect([inbox(), tasks().length]).toEqual([[], 2])
  })

  test.each(['create', 'append', 'removeIf'] as const)(
    'ends in one task when the executor dies at %s',
    async (step) => {
      for (const when of ['before', 'after'] as const) {
        drop(`${when}.md`, 'X and LinkedIn: open again')
        await executor[Symbol.asyncDispose]()
        let calls = 0
        const doomed =
          <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
          async (...args: A): Promise<R> => {
            if (++calls !== 1) return act(...args)
            if (when === 'after') await act(...args)
            throw new Error('dies here')
          }
        executor = await home.start((parts) => ({
          ...parts,
          vault: {
            ...parts.vault,
            ...(step === 'create' && { create: doomed(parts.vault.create) }),
            ...(step === 'removeIf' && { removeIf: doomed(parts.vault.removeIf) }),
          },
          ...(step === 'append' && {
            ledger: Object.assign(Object.create(parts.ledger), {
              append: doomed(parts.ledger.append.bind(parts.ledger)),
            }),
          }),
        }))
        await executor.pass()
        await executor[Symbol.asyncDispose]()
        executor = await home.start()
        home.now += 86_400_000
        await executor.pass()
        expect(inbox()).toEqual([])
      }
      expect(tasks()).toHaveLength(4)
    },
  )
})
