import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { troubleIn } from './log-tail.ts'

test('shows warnings, errors and crashes of each log, and nothing else', async () => {
  const logs = await mkdtemp(join(tmpdir(), 'log-tail-'))
  onTestFinished(() => rm(logs, { recursive: true }))
  await writeFile(join(logs, 'cloud-sync.log'), '{"level":"info","msg":"a"}\n{"level":"warn","msg":"b"}\n')
  await writeFile(join(logs, 'cloud-triage.log'), "Error: Cannot find module 'x'\n    at somewhere\n")
  await writeFile(join(logs, 'cloud-redis.log'), '1:M 21 Nov 2026 * Ready to accept connections\n')
  expect((await troubleIn(logs)).sort()).toEqual([
    'cloud-sync.log: {"level":"warn","msg":"b"}',
    "cloud-triage.log: Error: Cannot find module 'x'",
  ])
  expect(await troubleIn(join(logs, 'nowhere'))).toEqual([])
})
