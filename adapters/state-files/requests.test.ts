import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { TaskId } from '#core/ids.ts'
import type { SyncRequest } from '#core/sync-request.ts'
import { askSync, openRequests } from './requests.ts'

let state: string
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'requests-'))
})
afterEach(() => rm(state, { recursive: true }))

const claim = (digit: string): SyncRequest => ({
  kind: 'claim',
  id: digit.repeat(32),
  task: '01K9ZZZZZZZZZZZZZZZZ7H3K9Q' as TaskId,
  file: 'EMAIL_2026-11-20_invoice_7h3k9q.md',
})

it('carries a request to sync and its answer back; the request ends with it', async () => {
  const [sync, command] = [await openRequests(state, Date.now()), await askSync(state)]
  await command.ask(claim('a'))
  expect(await sync.open()).toEqual([claim('a')])
  await sync.answer('a'.repeat(32), { kind: 'landed', generation: 3 })
  expect(await sync.open()).toEqual([])
  expect(await command.answerTo('a'.repeat(32))).toEqual({ kind: 'landed', generation: 3 })
  await command.forget('a'.repeat(32))
  expect(await command.answerTo('a'.repeat(32))).toBeUndefined()
})

it('leaves a request standing that has to wait, over a restart too', async () => {
  const command = await askSync(state)
  await command.ask(claim('a'))
  await (await openRequests(state, Date.now())).answer('a'.repeat(32), { kind: 'waiting', say: 'no hub' })
  expect(await (await openRequests(state, Date.now())).open()).toEqual([claim('a')])
  expect(await command.answerTo('a'.repeat(32))).toEqual({ kind: 'waiting', say: 'no hub' })
})

it('gives requests in the order in which they were made, and nothing that is none', async () => {
  const [sync, command] = [await openRequests(state, Date.now()), await askSync(state)]
  for (const [at, digit] of ['c', 'a', 'b'].entries()) {
    await command.ask(claim(digit))
    await utimes(join(state, 'requests', `${digit.repeat(32)}.json`), at, at)
  }
  await writeFile(join(state, 'requests', `${'d'.repeat(32)}.json`), '{"kind":"claim"}')
  await writeFile(join(state, 'requests', `${'e'.repeat(32)}.json`), JSON.stringify(claim('f')))
  await writeFile(join(state, 'requests', 'note.txt'), 'x')
  expect((await sync.open()).map(({ id }) => id[0])).toEqual(['c', 'a', 'b'])
})

it('throws away answers that nobody fetched', async () => {
  const sync = await openRequests(state, Date.now())
  await sync.answer('a'.repeat(32), { kind: 'held', generation: 1 })
  await utimes(join(state, 'answers', `${'a'.repeat(32)}.json`), 0, 0)
  await sync.answer('b'.repeat(32), { kind: 'held', generation: 1 })
  await openRequests(state, Date.now())
  expect(await readdir(join(state, 'answers'))).toEqual([`${'b'.repeat(32)}.json`])
})
