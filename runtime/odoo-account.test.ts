import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseConfig } from './config.ts'
import { hasOdoo, odooAccountOf } from './odoo-account.ts'
import { optionalOdooSettings } from './odoo-settings.ts'

function configOf(env: Record<string, string>) {
  const verdict = parseConfig(optionalOdooSettings, env)
  if (!verdict.ok) throw new Error(verdict.faults.join('; '))
  return verdict.config
}

test('books are set up whole or not at all, and a new key is taken up', () => {
  const folder = mkdtempSync(join(tmpdir(), 'odoo-account-'))
  try {
    const file = join(folder, 'key')
    writeFileSync(file, 'first\n')
    const whole = {
      COUNTERSIGN_ODOO_URL: 'https://odoo.example',
      COUNTERSIGN_ODOO_DB: 'books',
      COUNTERSIGN_ODOO_KEY_FILE: file,
    }
    const config = configOf(whole)
    if (!hasOdoo(config)) throw new Error('not set up')
    const account = odooAccountOf(config)
    expect([account.url, account.database, account.key()]).toEqual(['https://odoo.example', 'books', 'first'])
    writeFileSync(file, 'second\n')
    expect(account.key()).toBe('second')
    writeFileSync(file, '')
    expect(configOf({ COUNTERSIGN_ODOO_KEY_FILE: file }).odooKey).toBeUndefined()
    expect(() => hasOdoo(configOf(whole))).toThrow(/a key in COUNTERSIGN_ODOO_KEY_FILE/)
    rmSync(file)
    expect(() => account.key()).toThrow(expect.objectContaining({ code: 'ERR_ODOO_AUTH' }))
    expect(hasOdoo(configOf({}))).toBe(false)
    const { COUNTERSIGN_ODOO_DB: _, ...half } = { ...whole, COUNTERSIGN_ODOO_KEY_FILE: '' }
    expect(() => hasOdoo(configOf(half))).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.each([
  ['http beyond this machine', { COUNTERSIGN_ODOO_URL: 'http://odoo.example' }],
  ['a path', { COUNTERSIGN_ODOO_URL: 'https://odoo.example/web' }],
  ['a user in the address', { COUNTERSIGN_ODOO_URL: 'https://me:pw@odoo.example' }],
  ['a database that is a header', { COUNTERSIGN_ODOO_DB: 'a\nb: c' }],
  ['the key itself', { COUNTERSIGN_ODOO_KEY: 'abc' }],
])('%s is refused', (_what, env) => {
  expect(parseConfig(optionalOdooSettings, env).ok).toBe(false)
})
