import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
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
    seen.raiseHighWater('INBOX', { epoch: '7', mark: '12' }, 1000)
  }
  using again = openSeenMail(path)
  expect(again.has('k')).toBe(true)
  expect(again.highWater('INBOX', '7')).toBe('12')
  expect(again.highWater('INBOX', '8')).toBeUndefined()
  expect(again.lastActivity('INBOX')).toBe(1000)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

it('never lowers a position', () => {
  using seen = openSeenMail(join(folder, 'triage.sqlite'))
  seen.raiseHighWater('INBOX', { epoch: '7', mark: '12' }, 1000)
  seen.raiseHighWater('INBOX', { epoch: '7', mark: '3' }, 900)
  expect(seen.highWater('INBOX', '7')).toBe('12')
  expect(seen.lastActivity('INBOX')).toBe(1000)
})

it('compares positions as numbers, however long they are', () => {
  using seen = openSeenMail(join(folder, 'triage.sqlite'))
  const raise = (mark: string) => seen.raiseHighWater('Gmail', { epoch: 'history', mark }, 1)
  raise('9')
  raise('10')
  expect(seen.highWater('Gmail', 'history')).toBe('10')
  raise('184467440737095516151')
  raise('184467440737095516150')
  raise('99')
  expect(seen.highWater('Gmail', 'history')).toBe('184467440737095516151')
  expect(() => raise('0x1F')).toThrow(RangeError)
  expect(() => raise('007')).toThrow(RangeError)
})

it('takes over the positions of a file of version 0.1', () => {
  const path = join(folder, 'triage.sqlite')
  const old = new DatabaseSync(path)
  old.exec(`CREATE TABLE positions (
      mailbox TEXT NOT NULL, uid_validity TEXT NOT NULL, uid INTEGER NOT NULL, at INTEGER NOT NULL,
      PRIMARY KEY (mailbox, uid_validity)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO positions VALUES ('INBOX', '7', 12, 1000), ('INBOX', '8', 9, 2000);`)
  old.close()
  for (const _again of [1, 2]) {
    using seen = openSeenMail(path)
    expect([seen.highWater('INBOX', '7'), seen.highWater('INBOX', '8')]).toEqual(['12', '9'])
    expect(seen.lastActivity('INBOX')).toBe(2000)
  }
})
