import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { diskFinding, roomAt, sayBytes } from './doctor-disk.ts'

test('says how much room there is, also where the home is still to be made', async () => {
  const root = await mkdtemp(join(tmpdir(), 'doctor-disk-'))
  onTestFinished(() => rm(root, { recursive: true }))
  expect(await diskFinding(root)).toEqual({
    check: 'disk',
    result: 'ok',
    found: expect.stringMatching(/^[\d.]+ GB free/),
  })
  expect((await roomAt(join(root, 'not/yet/there'))).free).toBeGreaterThan(0)
  expect([sayBytes(999_999_999), sayBytes(1_500_000_000), sayBytes(400_000)]).toEqual(['999 MB', '1.5 GB', '0 MB'])
})
