import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseConfig } from './config.ts'
import { socialSettings, webFolder, webServer } from './settings.ts'
import { networkOptionsOf } from './social-accounts.ts'

it.each([
  ['https://social.example', true],
  ['https://social.example:8443/', true],
  ['http://127.0.0.1:3000', true],
  ['http://[::1]:3000', true],
  ['http://localhost', true],
  ['http://social.example', false],
  ['http://127.0.0.1.evil.example', false],
  ['https://user@social.example', false],
  ['https://social.example/path', false],
  ['ftp://social.example', false],
])('the address of a server may be %j: %j', (text, ok) => {
  expect(webServer('a server').safeParse(text).success).toBe(ok)
})

it.each([
  ['https://cdn.example/posts/', true],
  ['https://cdn.example/', true],
  ['https://cdn.example/posts', false],
  ['http://cdn.example/posts/', false],
  ['https://cdn/', false],
])('a folder on the web may be %j: %j', (text, ok) => {
  expect(webFolder('a folder').safeParse(text).success).toBe(ok)
})

it('a credential of a social account is its network’s file, read again at each use', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-social-'))
  try {
    const read = (env: Record<string, string>) => {
      const verdict = parseConfig(socialSettings, env)
      if (!verdict.ok) throw new Error(verdict.faults.join())
      return networkOptionsOf(verdict.config)
    }
    const options = read({ COUNTERSIGN_SOCIAL_SECRETS: folder })
    expect(options).toMatchObject({ blueskyUrl: 'https://bsky.social', linkedinVersion: '202605' })
    expect(() => options.secretOf('x')).toThrow(expect.objectContaining({ code: 'ERR_SOCIAL_AUTH' }))
    writeFileSync(join(folder, 'x'), 'one\n')
    expect(options.secretOf('x')).toBe('one')
    writeFileSync(join(folder, 'x'), 'two\n')
    expect(options.secretOf('x')).toBe('two')
    expect(() => read({}).secretOf('x')).toThrow('COUNTERSIGN_SOCIAL_SECRETS names no folder')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
