import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { noteSetBack, readRestoreMark } from './restore-mark.ts'

test('what a restore explains is no second one; what was done after it is', () => {
  const home = mkdtempSync(join(tmpdir(), 'restore-mark-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  noteSetBack(home, Date.parse('2026-11-20T10:00:00Z'), new Date('2026-11-20T11:00:00Z'))
  const first = readRestoreMark(home)
  expect(first).toMatchObject({ backupOf: null, at: '2026-11-20T11:00:00.000Z' })
  noteSetBack(home, Date.parse('2026-11-20T10:30:00Z'), new Date('2026-11-20T12:00:00Z'))
  expect(readRestoreMark(home)).toEqual(first)
  noteSetBack(home, Date.parse('2026-11-20T11:30:00Z'), new Date('2026-11-20T12:00:00Z'))
  expect(readRestoreMark(home)?.id).not.toBe(first?.id)
})
