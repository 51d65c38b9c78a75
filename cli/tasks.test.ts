import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { parseTaskFile, withFront } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import { makeDraft } from '#tests/support/executor.ts'
import { rewriteTask } from './tasks.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'countersign-tasks-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

test.each([
  ['a file as it was read', (text: string) => text, true],
  [
    'one with Windows line ends and a byte order mark',
    (text: string) => `\ufeff${text.replaceAll('\n', '\r\n')}`,
    true,
  ],
  ['one that was changed meanwhile', (text: string) => `${text}more\n`, false],
  ['one that was broken meanwhile', () => '---\n', false],
])('%s is written anew: %s', async (_what, saved, isWritten) => {
  const vault = await openVault(root)
  const { fileName, text } = makeDraft()
  const path = vaultPath(`Pending_Approval/email/${fileName}`)
  const read = parseTaskFile(text)
  if (!read.ok) throw new Error(read.problem)
  await vault.create(path, saved(text))
  expect(await rewriteTask(vault, path, read.task, withFront(read.task, { title: 'Another' }))).toBe(isWritten)
  expect(/^title: Another$/m.test((await vault.read(path)) ?? '')).toBe(isWritten)
})
