import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { watchHub } from './watch-hub.ts'

let hub: string
beforeEach(() => {
  hub = mkdtempSync(join(tmpdir(), 'hub-'))
  mkdirSync(join(hub, 'refs/heads'), { recursive: true })
})
afterEach(() => rmSync(hub, { recursive: true }))

it.each([
  ['a path', (path: string) => path],
  ['a file URL', (path: string) => pathToFileURL(path).href],
])('notices a push to a hub given as %s', async (_, addressOf) => {
  let pushes = 0
  using _watch = watchHub(addressOf(hub), () => pushes++) as Disposable
  // As git writes a ref: a lock file, then a rename.
  writeFileSync(join(hub, 'refs/heads/main.lock'), 'x')
  renameSync(join(hub, 'refs/heads/main.lock'), join(hub, 'refs/heads/main'))
  await vi.waitFor(() => expect(pushes).toBeGreaterThan(0), { timeout: 5_000, interval: 10 })
})

it.each(['ssh://git@hub/vault.git', 'git@hub:vault.git', '/nowhere/vault.git'])('has nothing to watch at %s', (url) => {
  expect(watchHub(url, () => {})).toBeUndefined()
})
