import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ServiceProof } from '#core/proof.ts'
import { answerProof, cloudProof } from './cloud-proof.ts'

function world(tries: () => Promise<never[]>) {
  const root = mkdtempSync(join(tmpdir(), 'countersign-proof-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const clock = { nowMs: 0, now: () => clock.nowMs }
  return { clock, ask: cloudProof({ service: 'sync', outside: [], settings: [], clock, root, tries }) }
}

test('what is tried is tried once for all who ask at once, and anew when they ask later', async () => {
  let count = 0
  const { clock, ask } = world(async () => {
    count++
    return []
  })
  await Promise.all([ask(), ask()])
  clock.nowMs = 4_999
  await ask()
  expect(count).toBe(1)
  clock.nowMs = 5_001
  expect(await ask()).toMatchObject({ service: 'sync', findings: [] })
  expect(count).toBe(2)
})

test('a try that breaks is not checked, and what was seen is told all the same', async () => {
  const { ask } = world(() => Promise.reject(new Error('no key')))
  const { look, findings } = await ask()
  expect(look.sockets).toEqual([])
  expect(findings).toEqual([{ check: 'what sync holds', result: 'skipped', found: 'no key' }])
})

test('a service of the cloud answers with it, and one of the local zone, which acts, does not', async () => {
  const documents = new Map<string, () => Promise<ServiceProof>>()
  const service = { document: (path: string, make: () => Promise<ServiceProof>) => void documents.set(path, make) }
  const options = { service: 'triage', outside: [], settings: [] }
  answerProof(service, { ...options, zone: 'local' })
  expect([...documents.keys()]).toEqual([])
  answerProof(service, { ...options, zone: 'cloud' })
  expect(await documents.get('/proof')?.()).toMatchObject({ service: 'triage' })
})
