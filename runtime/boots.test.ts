import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { noteBoot, noteStable, readBoots } from './boots.ts'
import { loadServiceConfig } from './config.ts'
import { setting, text } from './settings.ts'

const folder = () => {
  const dir = mkdtempSync(join(tmpdir(), 'boots-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  return dir
}

test('starts are counted until one was a success', () => {
  const dir = folder()
  expect(readBoots(dir, 'sync')).toBe(0)
  noteBoot(dir, 'sync', 0)
  noteBoot(dir, 'sync', 0)
  expect([readBoots(dir, 'sync'), readBoots(dir, 'triage')]).toEqual([2, 0])
  noteStable(dir, 'sync', 0)
  expect(readBoots(dir, 'sync')).toBe(0)
})

test('a start that fails at its settings counts, a look at the settings does not', () => {
  const dir = folder()
  const host = (argv: string[]) => ({
    env: { COUNTERSIGN_STATE: dir },
    argv,
    print: () => {},
    exit: (code: number): never => {
      throw new Error(`exit ${code}`)
    },
  })
  const shape = { needed: setting('COUNTERSIGN_NEEDED', text('something')) }
  expect(() => loadServiceConfig('sync', shape, host([]))).toThrow('exit 2')
  expect(() => loadServiceConfig('sync', shape, host(['--check-config']))).toThrow('exit 2')
  expect(readBoots(dir, 'sync')).toBe(1)
})

test('a damaged count, and a folder that cannot be written, stop nothing', () => {
  const dir = folder()
  noteBoot(dir, 'sync', 0)
  writeFileSync(join(dir, 'boots', 'sync.json'), '{"boots":"many"}')
  expect(readBoots(dir, 'sync')).toBe(0)
  writeFileSync(join(dir, 'file'), '')
  noteBoot(join(dir, 'file'), 'sync', 0)
  expect(readdirSync(dir).sort()).toEqual(['boots', 'file'])
})
