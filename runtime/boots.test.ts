import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
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

test('four replicas that start together are four first starts, and the one that fails most is what counts', () => {
  const dir = folder()
  for (const host of ['a', 'b', 'c', 'd']) noteBoot(dir, 'drafter', 0, host)
  expect(readBoots(dir, 'drafter')).toBe(1)
  for (let start = 0; start < 3; start++) noteBoot(dir, 'drafter', 0, 'c')
  for (const host of ['a', 'b', 'd']) noteStable(dir, 'drafter', 0, host)
  expect(readBoots(dir, 'drafter')).toBe(4)
})

test('a replica that is there no more counts no more', () => {
  const dir = folder()
  for (let start = 0; start < 4; start++) noteBoot(dir, 'drafter', 0, 'gone')
  const longAgo = Date.now() / 1_000 - 601
  utimesSync(join(dir, 'boots', 'drafter@gone.json'), longAgo, longAgo)
  expect(readBoots(dir, 'drafter')).toBe(0)
  noteBoot(dir, 'drafter', 0, 'a')
  expect(readdirSync(join(dir, 'boots'))).toEqual(['drafter@a.json'])
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
  noteBoot(dir, 'sync', 0, 'a')
  writeFileSync(join(dir, 'boots', 'sync@a.json'), '{"boots":"many"}')
  expect(readBoots(dir, 'sync')).toBe(0)
  writeFileSync(join(dir, 'file'), '')
  noteBoot(join(dir, 'file'), 'sync', 0)
  expect(readdirSync(dir).sort()).toEqual(['boots', 'file'])
})
