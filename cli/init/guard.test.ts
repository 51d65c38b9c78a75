import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readGuard } from '#adapters/keys/guard-file.ts'
import { parseVaultPath } from '#core/vault-path.ts'
import { guardFindings } from '../doctor-guard.ts'
import { initZone } from './init-zone.ts'
import { VAULT_GITIGNORE } from './starting-notes.ts'

async function madeZone(secrets: Record<string, string>, settings: Record<string, string> = {}) {
  const root = await mkdtemp(join(tmpdir(), 'guard-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const plan = { root, zone: 'cloud' as const, settings, secrets }
  return { ...(await initZone(plan)), again: () => initZone(plan) }
}

test('knows every secret, key and password in an address of the zone', async () => {
  const hub = 'https://me:hubs-own-password-1@hub.example/vault.git'
  const { home } = await madeZone({ 'imap-password': 'a-mailbox-password' }, { COUNTERSIGN_HUB_URL: hub })
  const guard = await readGuard(home.keys)
  const find = (text: string) => guard.find(Buffer.from(text))
  expect(find('so a-mailbox-password opens it')).toBe('imap-password')
  expect(find('hubs-own-password-1')).toBe('hub-url')
  for (const name of ['redis-password', 'redis-board', 'board-password', 'grafana-password'])
    expect(find(await readFile(join(home.secrets, name), 'utf8'))).toBe(name)
  const ofExporter = Object.values(JSON.parse(await readFile(join(home.secrets, 'redis-watch'), 'utf8')))
  expect(find(String(ofExporter[0]))).toBe('redis-watch')
  for (const [name, file] of [
    ['signing', join(home.keys, 'signing')],
    ['deploy', join(home.keys, 'deploy')],
    ['ledger.pem', join(home.keys, 'ledger.pem')],
    ['ssh-host-ed25519-key', join(home.hub, 'ssh_host_ed25519_key')],
  ] as const)
    expect(find(await readFile(file, 'utf8'))).toBe(name)
  expect(find(await readFile(join(home.keys, 'signing.pub'), 'utf8'))).toBeUndefined()
  expect((await stat(join(home.keys, 'guard.json'))).mode & 0o777).toBe(0o600)
})

test('knows a model’s key, and none where there is none', async () => {
  const { home } = await madeZone({ 'anthropic-key': 'sk-a-key-of-a-provider' })
  expect((await readGuard(home.keys)).find(Buffer.from('sk-a-key-of-a-provider'))).toBe('anthropic-key')
  expect(await readFile(join(home.secrets, 'openai-key'), 'utf8')).toBe('')
})

test('a key that is set later goes where none was', async () => {
  const { home } = await madeZone({})
  await initZone({ root: home.root, zone: 'cloud', settings: {}, secrets: { 'openai-key': 'a-key-that-came-later' } })
  expect((await readGuard(home.keys)).find(Buffer.from('a-key-that-came-later'))).toBe('openai-key')
})

test('is made anew when a secret changed, and doctor tells until then', async () => {
  const { home, again } = await madeZone({ 'imap-password': 'a-mailbox-password' })
  const results = async () => (await guardFindings(home)).map(({ result, found }) => `${result}: ${found}`)
  expect(await results()).toEqual(['ok: knows every secret of this zone'])
  await writeFile(join(home.secrets, 'imap-password'), 'another-password-7')
  expect(await results()).toEqual([expect.stringMatching(/^failed: a secret was changed .* run init cloud again/)])
  expect((await again()).steps.join('\n')).toMatch(/anew: restart sync/)
  expect(await results()).toEqual(['ok: knows every secret of this zone'])
  expect((await readGuard(home.keys)).find(Buffer.from('another-password-7'))).toBe('imap-password')
})

test.each([
  ['missing', (path: string) => rm(path)],
  ['damaged', (path: string) => writeFile(path, '{')],
])('is made again when it is %s', async (_what, spoil) => {
  const { home, again } = await madeZone({ 'imap-password': 'a-mailbox-password' })
  await spoil(join(home.keys, 'guard.json'))
  const [finding] = await guardFindings(home)
  expect(finding).toMatchObject({ result: 'failed', hint: expect.stringContaining('countersign init') })
  await expect(readGuard(home.keys)).rejects.toMatchObject({ code: 'ERR_GUARD_MISSING' })
  await again()
  expect((await guardFindings(home))[0]?.result).toBe('ok')
})

test('cannot know a short value, and doctor names it', async () => {
  const { home } = await madeZone({ 'imap-password': 'short7' })
  expect(await guardFindings(home)).toContainEqual({
    check: 'guard',
    result: 'failed',
    found: expect.stringMatching(/^imap-password is shorter than 8 bytes/),
  })
})

test('the vault’s .gitignore says that it is not what keeps them out', async () => {
  const { home } = await madeZone({})
  expect(await readFile(join(home.vault, '.gitignore'), 'utf8')).toBe(VAULT_GITIGNORE)
  expect(VAULT_GITIGNORE).toContain('does not rely on this file')
  const patterns = VAULT_GITIGNORE.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  for (const pattern of ['.env*', '*.session', 'credentials*.json', 'token*.json', 'banking/', '.wwebjs_auth/'])
    expect(patterns).toContain(pattern)
  // Each of them is out by its path anyway.
  for (const pattern of patterns)
    expect(parseVaultPath(pattern.replaceAll('*', 'x').replace(/\/$/, '/x.md')).ok, pattern).toBe(false)
})
