import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { addAgent, revokeAgent } from '#adapters/keys/trust-files.ts'
import { createZoneKeys } from '#adapters/keys/zone-keys.ts'
import { type ConfigHost, loadServiceConfig } from './config.ts'
import { contradictions } from './config-rules.ts'
import { credentialFaults } from './credential-rules.ts'
import { processSettings } from './settings.ts'

/** A zone home with these files, and what one of its processes is told. */
function home(zone: 'cloud' | 'local', files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(tmpdir(), 'credentials-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const folder of ['state', 'keys', 'secrets', 'mounted']) mkdirSync(join(root, folder))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text, { mode: 0o600 })
  }
  const env = {
    COUNTERSIGN_ZONE: zone,
    COUNTERSIGN_STATE: join(root, 'state'),
    COUNTERSIGN_KEYS: join(root, 'keys'),
  }
  return { root, env, faults: (more = {}) => credentialFaults({ ...env, ...more }, join(root, 'mounted')) }
}

describe('the cloud does not start with what acts', () => {
  test.each([
    ['the sending password', 'secrets/smtp-password', /the server that mail is sent through/],
    ['a Gmail token that sends', 'secrets/gmail-token', /send mail in your name/],
    ['the countersigning key', 'keys/countersign.pem', /countersign: make an action count as approved/],
    ['its passphrase', 'secrets/countersign-passphrase', /open the countersigning key/],
    ['a WhatsApp session', 'state/whatsapp/session/Default', /read and write all your chats/],
    ['a browser logged in at a bank', 'state/browser/Cookies', /logged in at your bank/],
    ['a social token', 'social/mastodon', /post in your name/],
    ['one that a container is given', 'mounted/smtp-password', /send mail in your name/],
  ])('%s', (_what, file, why) => {
    const { root, faults } = home('cloud', { [file]: 'x' })
    expect(faults()).toEqual([expect.stringMatching(why)])
    const [fault = ''] = faults()
    expect(fault).toContain(root)
    expect(fault).toMatch(/belongs to the local zone .* remove it here/)
  })

  test('not even beside a secret that a setting names', () => {
    const { root, faults } = home('cloud', { 'elsewhere/imap-password': 'x', 'elsewhere/smtp-password': 'y' })
    const given = { COUNTERSIGN_IMAP_PASSWORD_FILE: join(root, 'elsewhere/imap-password') }
    expect(faults(given)).toEqual([expect.stringContaining(join(root, 'elsewhere/smtp-password'))])
  })

  test('not in the backup of the whole home, which has no state of its own', () => {
    const { root, env } = home('cloud', { 'secrets/smtp-password': 'x' })
    const told = { COUNTERSIGN_ZONE: env.COUNTERSIGN_ZONE, COUNTERSIGN_HOME: root }
    expect(credentialFaults(told, join(root, 'mounted'))).toHaveLength(1)
  })

  test('an empty file or folder is none', () => {
    const { root, faults } = home('cloud', { 'secrets/smtp-password': '' })
    mkdirSync(join(root, 'social'))
    expect(faults()).toEqual([])
  })
})

test.each(['secrets/gmail-read-token', 'secrets/odoo-db-password', 'hub/ssh_host_ed25519_key'])(
  'the local zone does not start with %s of the cloud',
  (file) => {
    expect(home('local', { [file]: 'x' }).faults()).toEqual([expect.stringMatching(/belongs to the cloud zone/)])
  },
)

describe('keys that have the same name in both zones', () => {
  test.each([
    ['signing', /signs this agent’s commits/],
    ['deploy', /opens the hub/],
    ['ledger.pem', /signs checkpoints/],
  ])('the other zone’s %s is refused', async (name, why) => {
    const { root, env, faults } = await homeWithKeys()
    const given = { COUNTERSIGN_TRUST: join(root, 'trust') }
    expect(faults(given)).toEqual([])
    copyFileSync(join(root, 'other/keys', name), join(root, 'keys', name))
    expect(faults(given)).toEqual([expect.stringMatching(why)])
    // As the backup is told of it.
    const told = { COUNTERSIGN_ZONE: env.COUNTERSIGN_ZONE, COUNTERSIGN_HOME: root }
    expect(credentialFaults(told, join(root, 'mounted'))).toEqual(faults(given))
  })

  test('also after it was revoked', async () => {
    const { root, faults } = await homeWithKeys()
    await revokeAgent(join(root, 'trust'), 'local', null)
    copyFileSync(join(root, 'other/keys/signing'), join(root, 'keys/signing'))
    expect(faults({ COUNTERSIGN_TRUST: join(root, 'trust') })).toHaveLength(1)
  })

  async function homeWithKeys() {
    const made = home('cloud', {})
    await createZoneKeys(made.root, 'cloud')
    await addAgent(join(made.root, 'trust'), await createZoneKeys(join(made.root, 'other'), 'local'))
    return made
  }
})

test('each zone starts with its own', () => {
  const own = { 'secrets/imap-password': 'x', 'keys/signing': 'k', 'keys/signing.pub': 'p' }
  expect(home('cloud', own).faults()).toEqual([])
  expect(home('local', { ...own, 'secrets/smtp-password': 'x', 'keys/countersign.pem': 'c' }).faults()).toEqual([])
})

describe('a secret that others can open is none', () => {
  test.each(['secrets/imap-password', 'keys/signing'])('%s', (file) => {
    const { root, faults } = home('cloud', { [file]: 'x' })
    const path = join(root, file)
    const given = { COUNTERSIGN_IMAP_PASSWORD_FILE: join(root, 'secrets/imap-password') }
    expect(faults(given)).toEqual([])
    chmodSync(path, 0o640)
    expect(faults(given)).toEqual([])
    chmodSync(path, 0o644)
    expect(faults(given)).toEqual([`${path} has mode 0644: everybody on this machine can open it; chmod 600`])
  })

  test('what an account posts with, too', () => {
    const { root, faults } = home('local', { 'social/mastodon': 'x' })
    const given = { COUNTERSIGN_SOCIAL_SECRETS: join(root, 'social') }
    expect(faults(given)).toEqual([])
    chmodSync(join(root, 'social/mastodon'), 0o644)
    expect(faults(given)).toHaveLength(1)
  })

  test('but the public half of a key, a certificate authority and an empty file may be', () => {
    const files = { 'keys/signing.pub': 'p', 'secrets/ca': 'c', 'secrets/openai-key': '' }
    const { root, faults } = home('cloud', files)
    for (const file of Object.keys(files)) chmodSync(join(root, file), 0o644)
    const given = {
      COUNTERSIGN_IMAP_TLS_CA_FILE: join(root, 'secrets/ca'),
      COUNTERSIGN_OPENAI_KEY_FILE: join(root, 'secrets/openai-key'),
      COUNTERSIGN_GMAIL_PUSH_KEY_FILE: '/dev/null',
    }
    expect(faults(given)).toEqual([])
  })
})

test('a service says what is wrong, and does not start', () => {
  const { root, env } = home('cloud', { 'keys/countersign.pem': 'x' })
  const lines: string[] = []
  const host: ConfigHost = {
    ...{ env, argv: [] },
    print: (_stream, line) => void lines.push(line),
    exit: (code) => {
      throw new Error(`exit ${code}`)
    },
  }
  expect(() => loadServiceConfig('triage', processSettings, host)).toThrow('exit 2')
  expect(lines[0]).toBe('triage cannot start: ERR_CONFIG_INVALID, 1 wrong credential(s)')
  expect(lines[1]).toContain(join(root, 'keys/countersign.pem'))
})

test.each([
  ['cloud', 'COUNTERSIGN_KEY_PASSPHRASE_FILE', /open the countersigning key/],
  ['cloud', 'COUNTERSIGN_NOTIFY_NTFY_TOKEN_FILE', /belongs to the local zone/],
  ['local', 'COUNTERSIGN_GMAIL_READ_TOKEN_FILE', /belongs to the cloud zone/],
] as const)('the %s zone is not told of %s', (zone, name, why) => {
  expect(contradictions({ COUNTERSIGN_ZONE: zone, [name]: '/x' })).toEqual([expect.stringMatching(why)])
})
