import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { START } from '#tests/support/executor.ts'
import { openJournal } from './journal.ts'
import { openJournalReader } from './journal-reader.ts'

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'journal-reader-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('a journal that was never made is empty, and is not made by reading it', () => {
  const folder = makeFolder()
  using reader = openJournalReader(join(folder, 'journal.sqlite'))
  expect([reader.intentsIn('unknown'), reader.updates(5)]).toEqual([[], []])
  expect(readdirSync(folder)).toEqual([])
})

test('reads what an executor beside it writes, and does not fence it off', () => {
  const path = join(makeFolder(), 'journal.sqlite')
  using journal = openJournal(path, { epoch: 'take', now: START })
  using reader = openJournalReader(path)
  for (const name of ['a', 'b', 'c']) journal.keepUpdate({ agent: 'cloud', name, text: `note ${name}` })
  expect(reader.updates(2)).toEqual(journal.updates(2))
  expect(reader.updates(2).map(({ text }) => text)).toEqual(['note c', 'note b'])
  expect(reader.intentsIn('unknown')).toEqual([])
  expect(journal.isNewest()).toBe(true)
})

test('what is no journal is a failure with its path', () => {
  const path = join(makeFolder(), 'journal.sqlite')
  writeFileSync(path, 'not a database at all, but long enough to be looked at as one'.repeat(50))
  using reader = openJournalReader(path)
  expect(() => reader.updates(1)).toThrow(expect.objectContaining({ code: 'ERR_JOURNAL_FAILED' }))
})
