import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { measureDisks } from './measure-disks.ts'

test('tells how much room there is, of those that can be asked', async () => {
  const [disk, ...others] = await measureDisks({ vault: tmpdir(), state: '/nowhere/at/all' })
  expect(others).toEqual([])
  expect(disk?.of).toBe('vault')
  expect(disk?.size).toBeGreaterThan(1e6)
  expect(disk?.free).toBeLessThanOrEqual(disk?.size ?? 0)
})
