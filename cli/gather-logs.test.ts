import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { gatherLogs } from './gather-logs.ts'
import type { ZoneHome } from './zone-home.ts'

/** A zone's home and a `docker` that answers so. */
function zoneWith(docker: string) {
  const root = mkdtempSync(join(tmpdir(), 'logs-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const bin = join(root, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'docker'), `#!/bin/sh\n${docker}\n`)
  chmodSync(join(bin, 'docker'), 0o755)
  vi.stubEnv('PATH', `${bin}:/usr/bin:/bin`)
  onTestFinished(() => void vi.unstubAllEnvs())
  return { root: join(root, 'zone'), zone: 'local', agent: 'local' } as unknown as ZoneHome
}

test('the logs of containers are a source', async () => {
  const found = await gatherLogs(zoneWith('echo "{}"'), [])
  expect(found.logs).toEqual([{ source: 'docker compose -f compose.local.yml logs', text: '{}\n' }])
})

test.each([
  ['Docker is not to be reached', 'echo "permission denied" >&2; exit 1', 'permission denied'],
  ['no container has said anything', 'exit 0', 'no container of this zone has logged anything'],
])('it is said when %s', async (_what, docker, said) => {
  const { logs, missing } = await gatherLogs(zoneWith(docker), [])
  expect(logs).toEqual([])
  expect(missing.join('\n')).toContain(said)
})
