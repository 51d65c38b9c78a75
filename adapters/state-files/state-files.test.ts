import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openTrash, writeStateFile } from './state-files.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'state-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('replaces a document and leaves nothing beside it', async () => {
  await writeStateFile(folder, 'a.json', '1')
  await writeStateFile(folder, 'a.json', '2')
  expect(await readFile(join(folder, 'a.json'), 'utf8')).toBe('2')
  expect(await readdir(folder)).toEqual(['a.json'])
})

it('keeps each version of a file once, for 30 days', async () => {
  const trash = join(folder, 'trash')
  const keep = await openTrash(trash, Date.now())
  for (const text of ['one', 'two', 'one']) await keep('Plans/a.md', Buffer.from(text))
  const names = await readdir(trash)
  expect(names).toHaveLength(2)
  expect(names.every((name) => name.endsWith('-a.md'))).toBe(true)
  await writeFile(join(trash, 'old'), 'x')
  await utimes(join(trash, 'old'), new Date(0), new Date(0))
  await openTrash(trash, Date.now())
  expect((await readdir(trash)).sort()).toEqual(names.sort())
})
