import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { watchTree } from './watch-tree.ts'

let root: string
let seen: Set<string>
let losses: number
const handlers = { onChange: (path: string) => seen.add(path), onLost: () => losses++ }
const put = (path: string) => {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), 'x')
}
const untilSeen = (...paths: string[]) =>
  vi.waitFor(() => expect([...seen]).toEqual(expect.arrayContaining(paths)), { timeout: 10_000, interval: 10 })

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vault-'))
  seen = new Set()
  losses = 0
})
afterEach(() => rmSync(root, { recursive: true }))

it('names what is written, moved and removed', async () => {
  put('Approved/a.md')
  put('Inbox/note.md')
  put('Dashboard.md')
  using _watch = watchTree(root, handlers)
  writeFileSync(join(root, 'Dashboard.md'), 'more')
  renameSync(join(root, 'Inbox/note.md'), join(root, 'Approved/note.md'))
  rmSync(join(root, 'Approved/a.md'))
  await untilSeen('Dashboard.md', 'Inbox/note.md', 'Approved/note.md', 'Approved/a.md')
})

it('sees into folders that came later, and into those that replaced one', async () => {
  put('In_Progress/cloud/a.md')
  using _watch = watchTree(root, handlers)
  put('Done/2026-11/a.md')
  await untilSeen('Done/2026-11/a.md')
  put('Done/2026-11/b.md')
  await untilSeen('Done/2026-11/b.md')
  renameSync(join(root, 'In_Progress'), join(root, 'elsewhere'))
  await untilSeen('In_Progress')
  put('In_Progress/cloud/c.md')
  await untilSeen('In_Progress/cloud/c.md')
  put('In_Progress/cloud/d.md')
  await untilSeen('In_Progress/cloud/d.md')
})

it('leaves alone what is not of the contract', async () => {
  put('Photos/me.md')
  put('.obsidian/app.json')
  put('Plans/.tmp-1')
  using _watch = watchTree(root, handlers)
  put('Photos/you.md')
  put('Review.md')
  put('.obsidian/workspace.json')
  put('Plans/.tmp-2')
  put('Plans/plan.md')
  await untilSeen('Plans/plan.md')
  expect([...seen].filter((path) => !path.startsWith('Plans/plan'))).toEqual([])
})

it('says regularly that anything may have changed where nothing can be watched', async () => {
  using _watch = watchTree(root, handlers, 10)
  await vi.waitFor(() => expect(losses).toBeGreaterThan(2), { timeout: 5_000, interval: 10 })
})

it('says what it could not watch', () => {
  expect(() => watchTree(join(root, 'nowhere'), handlers)).toThrow(/cannot watch the vault .*nowhere: ENOENT/)
})
