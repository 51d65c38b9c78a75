import { expect, it } from 'vitest'
import { memoryHub, memoryRepo } from '#adapters/memory/repo.ts'
import type { Oid } from '#core/ports/repo.ts'
import { cachedRepo } from './cached-repo.ts'

/** A repository that counts how often it was asked. */
function counted() {
  const repo = memoryRepo(memoryHub(), 'cloud', { now: Date.now })
  const calls = { readBlob: 0, writeBlob: 0 }
  const cached = cachedRepo({
    ...repo,
    readBlob: (...args) => {
      calls.readBlob++
      return repo.readBlob(...args)
    },
    writeBlob: (...args) => {
      calls.writeBlob++
      return repo.writeBlob(...args)
    },
  })
  return { repo, cached, calls }
}
const bytes = (text: string) => new TextEncoder().encode(text)

it('asks once for what it has written or read', async () => {
  const { cached, calls } = counted()
  const blob = await cached.writeBlob(bytes('one'))
  await cached.writeBlob(bytes('one'))
  expect(Buffer.from(await cached.readBlob(blob, 10)).toString()).toBe('one')
  expect(calls).toEqual({ readBlob: 0, writeBlob: 1 })
})

it('holds a cached blob to the limit all the same', async () => {
  const { cached } = counted()
  const blob = await cached.writeBlob(bytes('one'))
  await expect(cached.readBlob(blob, 2)).rejects.toMatchObject({ code: 'ERR_GIT_FAILED' })
})

it('does not remember a failure, nor more than a few megabytes', async () => {
  const { repo, cached, calls } = counted()
  await expect(cached.readBlob('1'.repeat(40) as Oid, 10)).rejects.toMatchObject({ code: 'ERR_GIT_FAILED' })
  const first = await repo.writeBlob(bytes('first'))
  await cached.readBlob(first, 10)
  for (let at = 0; at < 40; at++) await cached.writeBlob(Buffer.alloc(200_000, at))
  calls.readBlob = 0
  await cached.readBlob(first, 10)
  expect(calls.readBlob).toBe(1)
})
