import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openReceived } from './received.ts'

const FILE = 'EMAIL_2026-11-20_invoice-for-march_abcdef.md'

test('counts each arrival under a name, visible to another opener, and never goes back', () => {
  const state = mkdtempSync(join(tmpdir(), 'received-'))
  onTestFinished(() => rmSync(state, { recursive: true }))
  const counts: number[] = []
  {
    using sync = openReceived(state)
    using executor = openReceived(state)
    counts.push(executor.count(FILE))
    for (let arrival = 0; arrival < 3; arrival++) {
      sync.note(FILE)
      counts.push(executor.count(FILE))
    }
    expect(executor.count('EMAIL_2026-11-20_other_abcdeg.md')).toBe(0)
  }
  rmSync(state, { recursive: true })
  using again = openReceived(state)
  counts.push(again.count(FILE))
  expect(counts.at(-1)).toBe(0)
  again.note(FILE)
  expect(again.count(FILE)).toBeGreaterThanOrEqual(counts.at(-2) ?? 0)
  expect(counts.slice(0, 4)).toEqual(counts.slice(0, 4).toSorted((a, b) => a - b))
  expect(new Set(counts.slice(0, 4)).size).toBe(4)
})
