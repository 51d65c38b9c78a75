import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeTaskId } from '#core/ids.ts'
import { changeOver } from './change-over.ts'
import { openJournal } from './journal.ts'

const TASK = makeTaskId(1, new Uint8Array(10).fill(1))

function scratch() {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-change-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'journal.sqlite')
}

test('the running executor is fenced off, and the next one is not', () => {
  const path = scratch()
  using running = openJournal(path, { epoch: 'take' })
  changeOver(path, (open) => {
    expect(open).toEqual([])
    expect(running.isNewest()).toBe(true)
  })
  expect(running.isNewest()).toBe(false)
  expect(() => running.unfreeze(TASK)).toThrow(expect.objectContaining({ code: 'ERR_FENCED' }))
  using next = openJournal(path, { epoch: 'take' })
  expect(next.isNewest()).toBe(true)
})

test('a change that is not made fences nobody off', () => {
  const path = scratch()
  using running = openJournal(path, { epoch: 'take' })
  expect(() =>
    changeOver(path, () => {
      throw new Error('not now')
    }),
  ).toThrow('not now')
  running.unfreeze(TASK)
  expect(running.isNewest()).toBe(true)
})

test('a journal that is none is an error, and nothing is changed', () => {
  const path = scratch()
  writeFileSync(path, 'not a database '.repeat(100))
  const made: string[] = []
  expect(() => changeOver(path, () => made.push('change'))).toThrow(
    expect.objectContaining({ code: 'ERR_JOURNAL_FAILED' }),
  )
  expect(made).toEqual([])
})
