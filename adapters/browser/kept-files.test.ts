import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { evidenceFiles, keepEvidence, notePress, readPress } from './kept-files.ts'
import { requireOutside } from './launch.ts'

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'countersign-kept-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}
const PRESS = { key: 'task.1', bank: 'demo', before: 2, at: 1 }

test('a press is noted once, for its owner only', async () => {
  const state = folder()
  expect(await readPress(state, PRESS.key)).toBeUndefined()
  const noted = await Promise.all([1, 2, 3, 4].map(() => notePress(state, PRESS)))
  expect(noted.filter(Boolean)).toHaveLength(1)
  expect(await readPress(state, PRESS.key)).toEqual(PRESS)
  expect(await readPress(state, 'task.2')).toBeUndefined()
  const [file = ''] = readdirSync(join(state, 'pressed'))
  expect(statSync(join(state, 'pressed', file)).mode & 0o777).toBe(0o600)
})

test('a note that a crash cut off still says: not again', async () => {
  const state = folder()
  await notePress(state, PRESS)
  truncateSync(join(state, 'pressed', readdirSync(join(state, 'pressed'))[0] ?? ''), 5)
  expect(await readPress(state, PRESS.key)).toBeDefined()
  expect(await notePress(state, PRESS)).toBe(false)
})

test('a picture is kept by its digest', async () => {
  const state = folder()
  const evidence = await keepEvidence(state, Buffer.from('picture'))
  expect(await keepEvidence(state, Buffer.from('picture'))).toBe(evidence)
  const [file = ''] = await evidenceFiles(state, evidence.slice(0, 23))
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(await evidenceFiles(state, 'sha256:000000000000')).toEqual([])
})

test('a folder in the vault is refused, also behind a link', async () => {
  const root = folder()
  const vault = join(root, 'vault')
  await mkdir(join(vault, 'state'), { recursive: true })
  await mkdir(join(root, 'vault-state'))
  await symlink(join(vault, 'state'), join(root, 'linked'))
  for (const inside of [vault, join(vault, 'state'), join(root, 'linked')])
    await expect(requireOutside(vault, inside, 'it lies')).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
  for (const outside of [root, join(root, 'vault-state')]) await requireOutside(vault, outside, 'it lies')
})
