import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openSeenMail } from './seen-sqlite.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seen-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('remembers messages and positions over a restart', () => {
  const path = join(folder, 'state', 'triage.sqlite')
  {
    using seen = openSeenMail(path)
    expect(seen.has('k')).toBe(false)
    expect(seen.highWater('INBOX', '7')).toBeUndefined()
    expect(seen.lastActivity('INBOX')).toBeUndefined()
    seen.add('k', { at: 1 })
    seen.add('k', { at: 2 })
    seen.raiseHighWater('INBOX', '7', 12, 1000)
  }
  using again = openSeenMail(path)
  expect(again.has('k')).toBe(true)
  expect(again.highWater('INBOX', '7')).toBe(12)
  expect(again.highWater('INBOX', '8')).toBeUndefined()
  expect(again.lastActivity('INBOX')).toBe(1000)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

it('never lowers a position', () => {
  using seen = openSeenMail(join(folder, 'triage.sqlite'))
  seen.raiseHighWater('INBOX', '7', 12, 1000)
  seen.raiseHighWater('INBOX', '7', 3, 900)
  expect(seen.highWater('INBOX', '7')).toBe(12)
  expect(seen.lastActivity('INBOX')).toBe(1000)
})
