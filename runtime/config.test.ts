import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type ConfigHost, type Env, loadConfig, parseConfig } from './config.ts'
import { contradictions } from './config-rules.ts'
import { notifyWaysOf } from './notify-ways.ts'
import {
  mailboxSettings,
  notifySettings,
  ownerSettings,
  sendingSettings,
  smtpSettings,
  zoneSettings,
} from './settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'config-'))
afterAll(() => rmSync(folder, { recursive: true }))
const secretPath = join(folder, 'imap-password')
writeFileSync(secretPath, 'hunter2\n')

const shape = { ...zoneSettings, ...mailboxSettings, ...ownerSettings }
const good: Env = {
  COUNTERSIGN_ZONE: 'cloud',
  COUNTERSIGN_VAULT: '/data/vault',
  COUNTERSIGN_STATE: '/data/state',
  COUNTERSIGN_KEYS: '/data/keys',
  COUNTERSIGN_TRUST: '/data/trust',
  COUNTERSIGN_REDIS_URL: 'redis://redis:6379',
  COUNTERSIGN_IMAP_HOST: 'mail.example.org',
  COUNTERSIGN_IMAP_USER: 'ann@example.org',
  COUNTERSIGN_IMAP_PASSWORD_FILE: secretPath,
  COUNTERSIGN_OWNER_ADDRESS: 'ann@example.org',
}
const faultsOf = (env: Env) => {
  const verdict = parseConfig(shape, env)
  return verdict.ok ? [] : verdict.faults
}

describe('a configuration', () => {
  it('has every field, defaults filled in, frozen', () => {
    const verdict = parseConfig(shape, good)
    expect(verdict).toMatchObject({
      ok: true,
      config: {
        zone: 'cloud',
        agent: 'cloud',
        httpHost: '127.0.0.1',
        httpPort: 8080,
        logLevel: 'info',
        drainMs: 8000,
        vault: '/data/vault',
        redisUrl: 'redis://redis:6379',
        imapPort: 993,
        imapTls: 'tls',
        imapMailbox: 'INBOX',
        ownerName: '',
      },
    })
    expect(verdict.ok && verdict.config.redisPassword).toBeUndefined()
    expect(verdict.ok && Object.isFrozen(verdict.config)).toBe(true)
  })

  it('takes an empty variable for an absent one', () => {
    const verdict = parseConfig(shape, { ...good, COUNTERSIGN_HTTP_PORT: '', COUNTERSIGN_AGENT: '' })
    expect(verdict).toMatchObject({ ok: true, config: { httpPort: 8080, agent: 'cloud' } })
  })

  it('writes the owner’s domain as an action does, and takes any free port to listen on', () => {
    const env = { ...good, COUNTERSIGN_OWNER_ADDRESS: 'Ann@Example.ORG', COUNTERSIGN_HTTP_PORT: '0' }
    expect(parseConfig(shape, env)).toMatchObject({
      ok: true,
      config: { ownerAddress: 'Ann@example.org', httpPort: 0 },
    })
  })

  it('reports all faults together', () => {
    const { COUNTERSIGN_VAULT: _, COUNTERSIGN_OWNER_ADDRESS: __, ...rest } = good
    const env = { ...rest, COUNTERSIGN_ZONE: 'moon', COUNTERSIGN_HTTP_PORT: '99999', COUNTERSIGN_SMTP_HOST: 'x' }
    expect(faultsOf(env)).toEqual([
      'COUNTERSIGN_HTTP_PORT: expected a whole number from 0 to 65535, got "99999"',
      'COUNTERSIGN_OWNER_ADDRESS: missing; expected the e-mail address of the owner',
      'COUNTERSIGN_VAULT: missing; expected the path of a folder',
      'COUNTERSIGN_ZONE: expected one of cloud, local, got "moon"',
    ])
  })

  it.each([
    [{ COUNTERSIGN_HTTP_PORT: '80a' }, 'COUNTERSIGN_HTTP_PORT: expected a whole number from 0 to 65535, got "80a"'],
    [{ COUNTERSIGN_DRAIN_MS: '-1' }, 'COUNTERSIGN_DRAIN_MS: expected a whole number from 0 to 86400000, got "-1"'],
    [{ COUNTERSIGN_AGENT: '../x' }, 'COUNTERSIGN_AGENT: expected a-z, 0-9 and -, got "../x"'],
    [
      { COUNTERSIGN_REDIS_URL: 'http://secret@x' },
      'COUNTERSIGN_REDIS_URL: expected redis://host:port or rediss://host:port',
    ],
    [{ COUNTERSIGN_IMAP_TLS: 'ssl' }, 'COUNTERSIGN_IMAP_TLS: expected one of tls, starttls, none, got "ssl"'],
    [{ COUNTERSIGN_IMAP_PORT: '0' }, 'COUNTERSIGN_IMAP_PORT: expected a whole number from 1 to 65535, got "0"'],
    [
      { COUNTERSIGN_IMAP_HOST: 'imaps://mail.example.org' },
      'COUNTERSIGN_IMAP_HOST: expected the host of the IMAP server: a host name or an address, got "imaps://mail.example.org"',
    ],
    [
      { COUNTERSIGN_OWNER_ADDRESS: 'Ann <ann@example.org>' },
      'COUNTERSIGN_OWNER_ADDRESS: expected the e-mail address of the owner, such as you@example.org, got "Ann <ann@example.org>"',
    ],
    [
      { COUNTERSIGN_IMAP_PASSWORD_FILE: '/nowhere/password' },
      'COUNTERSIGN_IMAP_PASSWORD_FILE: cannot read the secret file /nowhere/password: ENOENT',
    ],
  ])('names the fault of %j', (patch, fault) => {
    expect(faultsOf({ ...good, ...patch })).toEqual([fault])
  })
})

describe('contradictions', () => {
  const local: Env = { ...good, COUNTERSIGN_ZONE: 'local' }
  it.each<[string, Env, RegExp]>([
    [
      'an SMTP setting in the cloud',
      { ...good, COUNTERSIGN_SMTP_HOST: 'x' },
      /^COUNTERSIGN_SMTP_HOST: the cloud zone never sends/,
    ],
    ...['SOCIAL_SECRETS', 'MASTODON_URL', 'X_ANY', 'INSTAGRAM_IMAGES'].map((name): [string, Env, RegExp] => [
      `${name} in the cloud`,
      { ...good, [`COUNTERSIGN_${name}`]: 'x' },
      new RegExp(`^COUNTERSIGN_${name}: the cloud zone never posts`),
    ]),
    [
      'a Gmail token in the cloud',
      { ...good, COUNTERSIGN_GMAIL_TOKEN_FILE: '/x' },
      /^COUNTERSIGN_GMAIL_TOKEN_FILE: the/,
    ],
    ['even an unknown SMTP setting in the cloud', { ...good, COUNTERSIGN_SMTP_ANY: 'x' }, /^COUNTERSIGN_SMTP_ANY/],
    [
      'a secret in a variable',
      { ...local, COUNTERSIGN_IMAP_PASSWORD: 'x' },
      /^COUNTERSIGN_IMAP_PASSWORD: secrets come as files/,
    ],
    ['a password in the Redis URL', { ...local, COUNTERSIGN_REDIS_URL: 'redis://:pw@redis:6379' }, /holds a password/],
    [
      'plain IMAP to another host',
      { ...local, COUNTERSIGN_IMAP_TLS: 'none' },
      /^COUNTERSIGN_IMAP_TLS: none would send/,
    ],
    [
      'plain SMTP to another host',
      { ...local, COUNTERSIGN_SMTP_HOST: '10.0.0.1', COUNTERSIGN_SMTP_TLS: 'none' },
      /^COUNTERSIGN_SMTP_TLS: none would send the password to 10\.0\.0\.1/,
    ],
    [
      'a loopback look-alike',
      { ...local, COUNTERSIGN_IMAP_HOST: '127.0.0.1.evil.org', COUNTERSIGN_IMAP_TLS: 'none' },
      /IMAP_TLS/,
    ],
    [
      'keys inside the vault',
      { ...local, COUNTERSIGN_KEYS: '/data/vault/keys' },
      /^COUNTERSIGN_KEYS: lies inside the vault/,
    ],
    [
      'notices in clear text',
      { ...local, COUNTERSIGN_NOTIFY_NTFY_URL: 'http://ntfy.example.org/topic' },
      /^COUNTERSIGN_NOTIFY_NTFY_URL: http would send/,
    ],
    [
      'a webhook whose host only begins like this machine',
      { ...local, COUNTERSIGN_NOTIFY_WEBHOOK_URL: 'http://127.0.0.1.evil.example/' },
      /^COUNTERSIGN_NOTIFY_WEBHOOK_URL: http would send/,
    ],
    ['the vault as state folder', { ...local, COUNTERSIGN_STATE: '/data/vault' }, /^COUNTERSIGN_STATE: lies inside/],
  ])('refuses %s', (_, env, fault) => {
    expect(contradictions(env)).toEqual([expect.stringMatching(fault)])
  })

  it.each<[string, Env]>([
    ['the cloud without SMTP', good],
    ['the cloud with the names of accounts', { ...good, COUNTERSIGN_SOCIAL_ACCOUNTS: 'x:@me' }],
    ['local with SMTP', { ...local, COUNTERSIGN_SMTP_HOST: 'mail.example.org' }],
    ['plain IMAP on this machine', { ...local, COUNTERSIGN_IMAP_HOST: '127.0.0.1', COUNTERSIGN_IMAP_TLS: 'none' }],
    ['plain IMAP when allowed', { ...local, COUNTERSIGN_IMAP_TLS: 'none', COUNTERSIGN_ALLOW_PLAINTEXT: 'true' }],
    ['notices by https', { ...local, COUNTERSIGN_NOTIFY_NTFY_URL: 'https://ntfy.sh/topic' }],
    ['a webhook on this machine', { ...local, COUNTERSIGN_NOTIFY_WEBHOOK_URL: 'http://[::1]:9/hook' }],
    ['a folder that only begins like the vault', { ...local, COUNTERSIGN_KEYS: '/data/vault-keys' }],
    ['a folder beside the vault that begins with dots', { ...local, COUNTERSIGN_KEYS: '/data/vault/../keys' }],
  ])('allows %s', (_, env) => {
    expect(contradictions(env)).toEqual([])
  })
})

describe('the ways to tell the person', () => {
  const parsed = (env: Env) => parseConfig(notifySettings, { ...env })

  it.each([
    ...['ntfy.sh/topic', 'https://ntfy.sh', 'https://ntfy.sh/', 'ftp://ntfy.sh/topic', 'https://u:p@ntfy.sh/topic'],
    ...['https://ntfy.sh/topic#x', 'javascript:alert(1)'],
  ])('refuse %s as a topic, and do not print it', (COUNTERSIGN_NOTIFY_NTFY_URL) => {
    const verdict = parsed({ COUNTERSIGN_NOTIFY_NTFY_URL })
    expect(verdict.ok ? [] : verdict.faults).toEqual(['COUNTERSIGN_NOTIFY_NTFY_URL: expected https://ntfy.sh/<topic>'])
  })

  it('read their secrets at each use', () => {
    const file = join(folder, 'ntfy-token')
    writeFileSync(file, 'one\n')
    const verdict = parsed({
      COUNTERSIGN_NOTIFY_NTFY_URL: 'https://ntfy.sh/topic',
      COUNTERSIGN_NOTIFY_NTFY_TOKEN_FILE: file,
    })
    if (!verdict.ok) throw new Error(verdict.faults.join())
    const ways = notifyWaysOf(verdict.config, 'linux')
    writeFileSync(file, 'two\n')
    expect([ways.ntfy?.url, ways.ntfy?.token?.(), ways.webhook, ways.desktop]).toEqual([
      ...['https://ntfy.sh/topic', 'two', undefined, 'auto'],
    ])
  })

  it('are no webhook without a secret to sign with', () => {
    const verdict = parsed({ COUNTERSIGN_NOTIFY_WEBHOOK_URL: 'https://example.org/hook' })
    if (!verdict.ok) throw new Error(verdict.faults.join())
    expect(() => notifyWaysOf(verdict.config, 'linux')).toThrow(/WEBHOOK_SECRET_FILE: missing/)
  })
})

describe('loading', () => {
  const run = (env: Env, ...argv: string[]) => {
    const lines: string[] = []
    const host: ConfigHost = {
      env,
      argv,
      print: (stream, line) => void lines.push(`${stream} ${line}`),
      exit: (code) => {
        throw new Error(`exit ${code}`)
      },
    }
    try {
      return { config: loadConfig('triage', { ...shape, ...smtpSettings }, host), lines, exit: undefined }
    } catch (error) {
      return { config: undefined, lines, exit: (error as Error).message }
    }
  }
  const local = { ...good, COUNTERSIGN_ZONE: 'local', COUNTERSIGN_SMTP_HOST: 'mail.example.org' }

  it.each<[string, Env, RegExp | undefined]>([
    ['SMTP without its host', { COUNTERSIGN_SMTP_HOST: '' }, /COUNTERSIGN_SMTP_HOST: missing/],
    [
      'SMTP, said, without its host',
      { COUNTERSIGN_SMTP_HOST: '', COUNTERSIGN_MAIL_PROVIDER: 'smtp' },
      /COUNTERSIGN_SMTP_HOST: missing/,
    ],
    ['SMTP without a Gmail token', {}, undefined],
    [
      'Gmail without its token',
      { COUNTERSIGN_SMTP_HOST: '', COUNTERSIGN_MAIL_PROVIDER: 'gmail' },
      /COUNTERSIGN_GMAIL_TOKEN_FILE: missing/,
    ],
    [
      'Gmail without an SMTP host',
      { COUNTERSIGN_SMTP_HOST: '', COUNTERSIGN_MAIL_PROVIDER: 'gmail', COUNTERSIGN_GMAIL_TOKEN_FILE: secretPath },
      undefined,
    ],
    [
      'a host that is none',
      { COUNTERSIGN_SMTP_HOST: 'a b', COUNTERSIGN_MAIL_PROVIDER: 'gmail' },
      /SMTP_HOST: expected/,
    ],
    ['an unknown provider', { COUNTERSIGN_MAIL_PROVIDER: 'pigeon' }, /COUNTERSIGN_MAIL_PROVIDER: expected one of/],
  ])('judges %s', (_what, changes, fault) => {
    const verdict = parseConfig({ ...shape, ...sendingSettings }, { ...local, ...changes })
    if (fault === undefined) expect(verdict).toMatchObject({ ok: true })
    else expect(verdict.ok ? '' : verdict.faults.join()).toMatch(fault)
  })

  it('exits 2 with one line per fault and the hint', () => {
    const { lines, exit } = run({ ...local, COUNTERSIGN_HTTP_PORT: 'x', COUNTERSIGN_ZONE: '' })
    expect(exit).toBe('exit 2')
    expect(lines).toEqual([
      'stderr triage cannot start: ERR_CONFIG_INVALID, 2 wrong setting(s)',
      expect.stringMatching(/^stderr {3}COUNTERSIGN_HTTP_PORT: /),
      expect.stringMatching(/^stderr {3}COUNTERSIGN_ZONE: missing; expected one of cloud, local$/),
      expect.stringMatching(/^stderr Correct every setting/),
    ])
  })

  it('prints the effective configuration without secrets for --check-config and exits 0', () => {
    const { lines, exit } = run(local, 'node', 'main.ts', '--check-config')
    expect(exit).toBe('exit 0')
    expect(lines).toContain('stdout COUNTERSIGN_AGENT=local')
    expect(lines).toContain(`stdout COUNTERSIGN_IMAP_PASSWORD_FILE=(secret in ${secretPath})`)
    expect(lines.join()).not.toContain('hunter2')
  })

  it('reads a secret anew each time, so that it can be rotated', () => {
    const { config } = run(local)
    expect(config?.imapPassword?.read()).toBe('hunter2')
    writeFileSync(secretPath, 'hunter3')
    expect(config?.imapPassword?.read()).toBe('hunter3')
    expect(JSON.stringify(config)).not.toContain('hunter')
    writeFileSync(secretPath, '')
    expect(() => config?.imapPassword?.read()).toThrow(/is empty/)
    writeFileSync(secretPath, 'hunter2\n')
  })
})
