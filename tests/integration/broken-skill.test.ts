import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { draftOf, parseTaskFile, type TaskFile } from '#core/task-file.ts'
import { WORLD_PREFIX } from '../../demo/reaper.ts'
import { REDIS_SOURCES } from '../../demo/redis.ts'
import { openWorld, type World } from '../../demo/world.ts'
import { deliver, eventually } from '../support/mail.ts'

// The cloud zone with every process of its own: what the owner writes into the folder of their skills counts at the next draft.
const LIMIT_MS = 60_000

let world: World
beforeAll(async () => {
  world = await openWorld({
    ...{ root: await mkdtemp(join(tmpdir(), WORLD_PREFIX)), isTemporary: true, undoMs: 1_000 },
    ...{ redis: REDIS_SOURCES, mailbox: 'dev', env: process.env },
    ...{ say: () => {}, signal: new AbortController().signal },
  })
  await world.startZone('cloud')
})
afterAll(() => world?.[Symbol.asyncDispose]())

async function taskIn(folder: string, subject: string): Promise<TaskFile | undefined> {
  const root = join(world.homes.cloud.vault, folder)
  for (const name of await readdir(root)) {
    const parsed = parseTaskFile(await readFile(join(root, name), 'utf8').catch(() => ''))
    if (parsed.ok && parsed.task.front.title === subject) return parsed.task
  }
  return undefined
}

const own = async (path: string, text: string) => {
  const folder = join(world.homes.cloud.skills, 'cloud-draft-email')
  await mkdir(join(folder, 'assets'), { recursive: true })
  await writeFile(join(folder, path), text)
}

const mail = (subject: string) =>
  deliver(
    world.mailbox,
    `From: Ana <ana@acme.example>\r\nTo: ${world.mailbox.accounts.owner.address}\r\nSubject: ${subject}\r\nMessage-ID: <${subject.replace(/ /g, '')}@acme.example>\r\n\r\nWhen do you open?\r\n`,
  )

const find = (folder: string, subject: string) =>
  eventually(`“${subject}” in ${folder}`, () => taskIn(folder, subject), LIMIT_MS)

test('a template of the owner’s counts at the next draft; a broken skill gives the task back until somebody hands it out again', async () => {
  await mail('First mail')
  expect(draftOf(await find('Pending_Approval/email', 'First mail'))).toMatch(/^Hello|^Dear/)

  await own('assets/reply.en.md', 'Ahoy!\n')
  await mail('Second mail')
  expect(draftOf(await find('Pending_Approval/email', 'Second mail'))).toBe('Ahoy!')

  await own('SKILL.md', '---\nname: [\n---\n')
  await mail('Third mail')
  const { id, generation } = (
    await eventually(
      'the third mail, given back',
      async () => {
        const task = await taskIn('Needs_Action/email', 'Third mail')
        return (task?.front.generation ?? 0) > 1 ? task : undefined
      },
      LIMIT_MS,
    )
  ).front
  expect(generation).toBe(2)
  const notes = await Promise.all(
    (await readdir(join(world.homes.cloud.vault, 'Updates/cloud'))).map((name) =>
      readFile(join(world.homes.cloud.vault, 'Updates/cloud', name), 'utf8'),
    ),
  )
  expect(notes.filter((note) => note.startsWith('Not drafted: '))).toEqual([expect.stringContaining('Third mail')])

  await own('SKILL.md', '---\nname: cloud-draft-email\ndescription: Drafts. Use when mail comes.\n---\nBe brief.\n')
  await promisify(execFile)(process.execPath, [
    ...[resolve('cli/main.ts'), '--home', world.homes.cloud.root, 'task', 'transfer', id, 'cloud'],
  ])
  expect(draftOf(await find('Pending_Approval/email', 'Third mail'))).toBe('Ahoy!')
})
