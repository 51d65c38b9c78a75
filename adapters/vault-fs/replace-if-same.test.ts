import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { vaultPath } from '#core/vault-path.ts'
import { removeIfSame, replaceIfSame } from './replace-if-same.ts'
import { openVault } from './vault-fs.ts'

let folder: string
let target: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-replace-'))
  target = join(folder, 'F.md')
  writeFileSync(target, 'old')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a file that is as expected is replaced, and nothing stays beside it', async () => {
  expect(await replaceIfSame(target, (bytes) => String(bytes) === 'old', 'new')).toBe('replaced')
  expect([readFileSync(target, 'utf8'), readdirSync(folder)]).toEqual(['new', ['F.md']])
})

test('a file that is not as expected stays', async () => {
  expect(await replaceIfSame(target, () => false, 'new')).toBe('changed')
  expect([readFileSync(target, 'utf8'), readdirSync(folder)]).toEqual(['old', ['F.md']])
})

test.each<[string, () => void]>([
  ['in place', () => writeFileSync(target, 'a save of the person')],
  ['in place, with as many bytes', () => writeFileSync(target, 'OLD')],
])('what an editor writes %s between the look and the rename is what stands there', async (_how, save) => {
  const saveAndAgree = () => {
    save()
    return true
  }
  const saved = await replaceIfSame(target, saveAndAgree, 'new')
  expect(saved).toBe('changed')
  expect(readFileSync(target, 'utf8')).toMatch(/^(a save of the person|OLD)$/)
  expect(readdirSync(folder)).toEqual(['F.md'])
})

test('what is gone or no plain file is not written', async () => {
  renameSync(target, join(folder, 'G.md'))
  expect(await replaceIfSame(target, () => true, 'new')).toBe('gone')
  symlinkSync(join(folder, 'G.md'), target)
  expect(await replaceIfSame(target, () => true, 'new')).toBe('changed')
  expect(readFileSync(join(folder, 'G.md'), 'utf8')).toBe('old')
})

test('the vault compares text as it reads it', async () => {
  const vault = await openVault(folder)
  const path = vaultPath('Approved/EMAIL_2026-11-20_x_abcdef.md')
  expect(await vault.replaceIf(path, 'a', 'b')).toBe('gone')
  await vault.create(path, '\ufeffa')
  expect(await vault.replaceIf(path, 'x', 'b')).toBe('changed')
  expect(await vault.replaceIf(path, (await vault.read(path)) ?? '', 'b')).toBe('replaced')
  expect(await vault.read(path)).toBe('b')
})

describe('removing', () => {
  test('only what still is as it was read', async () => {
    expect(await removeIfSame(target, () => false)).toBe('changed')
    expect(await removeIfSame(target, (bytes) => String(bytes) === 'old')).toBe('removed')
    expect(await removeIfSame(target, () => true)).toBe('gone')
    expect(readdirSync(folder)).toEqual([])
  })

  test('puts back what an editor wrote between the look and the removal', async () => {
    const saveAndAgree = () => {
      writeFileSync(target, 'a save of the person')
      return true
    }
    expect(await removeIfSame(target, saveAndAgree)).toBe('changed')
    expect([readFileSync(target, 'utf8'), readdirSync(folder)]).toEqual(['a save of the person', ['F.md']])
  })

  test('never a link', async () => {
    renameSync(target, join(folder, 'G.md'))
    symlinkSync(join(folder, 'G.md'), target)
    expect(await removeIfSame(target, () => true)).toBe('changed')
    expect(readdirSync(folder)).toEqual(['F.md', 'G.md'])
  })
})
