import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { gatherProof, proofPlaces } from './prove.ts'

const env = { COUNTERSIGN_ZONE: 'cloud', COUNTERSIGN_HEALTH_TARGETS: 'sync=http://sync:8080' }

test('the backup service is asked for its proof, whether or not health was told to watch it', () => {
  const backup = { name: 'backup', url: 'http://backup:8080' }
  expect(proofPlaces(env, '/app/countersign.mjs').unlisted).toEqual([backup])
  const told = { ...env, COUNTERSIGN_HEALTH_TARGETS: 'sync=http://sync:8080,backup=http://backup:8080' }
  const { targets, unlisted } = proofPlaces(told, '/app/countersign.mjs')
  expect([targets.filter(({ name }) => name === 'backup'), unlisted]).toEqual([[backup], []])
})

test('what health was not told of is asked where there is one, and missed nowhere', async () => {
  const server = createServer((_request, response) => response.end('not an account'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const programs = import.meta.dirname
  const { lines } = await gatherProof({ targets: [], unlisted: [{ name: 'backup', url }], programs }, 0, 0)
  expect(lines).toContainEqual(
    expect.objectContaining({ service: 'backup', result: 'skipped', found: 'it answered something else' }),
  )
  const nowhere = { name: 'backup', url: 'http://backup.countersign.invalid:8080' }
  const without = await gatherProof({ targets: [], unlisted: [nowhere], programs }, 0, 0)
  expect(without.lines.filter(({ service }) => service === 'backup')).toEqual([])
})
