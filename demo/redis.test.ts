import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findRedis, redisProcess } from './redis.ts'

/** A folder with programs that only tell a version. */
async function pathWith(programs: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-path-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [name, version] of Object.entries(programs))
    await writeFile(join(folder, name), `#!/bin/sh\necho "${version}"\n`, { mode: 0o755 })
  return folder
}

const search = (path: string) => findRedis({ sources: ['path'], env: { PATH: path }, say() {} })

test('takes a redis-server from the PATH', async () => {
  const folder = await pathWith({ 'redis-server': 'Redis server v=7.0.15 sha=00000000:0' })
  expect(await search(`/nowhere:${folder}`)).toMatchObject({ kind: 'binary', file: join(folder, 'redis-server') })
})

test('takes a valkey-server where there is no redis-server', async () => {
  const folder = await pathWith({ 'valkey-server': 'Valkey server v=8.1.0 sha=00000000:0' })
  expect(await search(folder)).toMatchObject({ file: join(folder, 'valkey-server') })
})

test.each([
  ['one that is too old', { 'redis-server': 'Redis server v=6.0.16 sha=0' }],
  ['one that says something else', { 'redis-server': 'hello' }],
  ['none', {}],
])('passes over %s and says what was tried and what to install', async (_what, programs) => {
  const failing = search(await pathWith(programs as Record<string, string>))
  await expect(failing).rejects.toMatchObject({
    code: 'ERR_REDIS_MISSING',
    message: 'looked for a Redis to start: no redis-server of 6.2 or newer on the PATH',
    hint: expect.stringContaining('apt install redis-server'),
  })
})

test.each([
  [{ kind: 'binary', file: '/usr/bin/redis-server', label: '' }],
  [{ kind: 'docker', image: 'redis:8', label: '' }],
] as const)('keeps the password out of the argument list and the port on loopback: %j', (found) => {
  const instance = { name: 'cloud/redis', port: 4711, password: 'geheim', dataDir: '/d', logFile: '/l', world: '/w' }
  const spec = redisProcess(found, instance, {})
  expect(JSON.stringify([spec.command, spec.args, spec.env])).not.toContain('geheim')
  expect(spec.stdin).toContain('requirepass geheim\n')
  expect(`${spec.args.join(' ')} ${spec.stdin}`).toMatch(/127\.0\.0\.1:4711:6379|bind 127\.0\.0\.1\nport 4711/)
})
