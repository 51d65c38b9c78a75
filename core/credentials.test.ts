import { describe, expect, it, test } from 'vitest'
import {
  baseName,
  CREDENTIALS,
  credentialNamed,
  credentialsOf,
  foreignFault,
  foreignTo,
  isAt,
  modeFault,
  readBy,
  secretSettings,
} from './credentials.ts'

describe('the table of credentials', () => {
  it('names each one once, by its name, its file and its setting', () => {
    for (const key of ['name', 'file', 'setting'] as const) {
      const all = CREDENTIALS.flatMap((one) => one[key] ?? [])
      expect(all).toEqual([...new Set(all)])
    }
  })

  it('says of each one how another takes its place', () => {
    for (const { name, origin, steps } of CREDENTIALS)
      if (origin === 'other') expect([name, steps?.length]).not.toEqual([name, undefined])
  })

  it.each([
    'smtp-password',
    'gmail-token',
    'countersign-key',
    'countersign-passphrase',
    'whatsapp',
    'browser',
    'social',
  ])('gives %s to the local zone alone: it acts', (name) => {
    expect(Object.keys(credentialNamed(name)?.zones ?? {})).toEqual(['local'])
    expect(foreignTo('cloud').map((one) => one.name)).toContain(name)
    expect(credentialsOf('cloud').map((one) => one.name)).not.toContain(name)
  })

  it.each(['gmail-read-token', 'odoo-db-password', 'hub-host-key'])('gives %s to the cloud alone', (name) => {
    expect(foreignTo('local').map((one) => one.name)).toContain(name)
  })
})

test('a setting leads to its file in the zone that may have it, and in no other', () => {
  expect(secretSettings('local')).toMatchObject({ COUNTERSIGN_SMTP_PASSWORD_FILE: 'smtp-password' })
  expect(secretSettings('cloud')).not.toHaveProperty('COUNTERSIGN_SMTP_PASSWORD_FILE')
  expect(secretSettings('cloud')).toMatchObject({ COUNTERSIGN_IMAP_PASSWORD_FILE: 'imap-password' })
  expect(secretSettings('local')).not.toHaveProperty('COUNTERSIGN_SOCIAL_SECRETS')
})

test('a service has a use for its own files', () => {
  const names = (service: string) => readBy('cloud', service).map(({ name }) => name)
  expect(names('sync')).toEqual(['redis-password', 'signing', 'deploy', 'ledger.pem'])
  expect(names('egress')).toEqual([])
})

test.each([
  [0o600, undefined],
  [0o640, undefined],
  [0o400, undefined],
  [0o644, /everybody on this machine can open it; chmod 600/],
  [0o604, /everybody/],
  [0o660, /others than its owner can change it/],
  [0o100_666, /^has mode 0666/],
])('a file of mode %o is judged', (mode, fault) => {
  if (fault === undefined) expect(modeFault(mode)).toBeUndefined()
  else expect(modeFault(mode)).toMatch(fault)
})

test('a refusal says what it is, whose it is, and what to do', () => {
  const smtp = credentialNamed('smtp-password')
  expect(smtp && foreignFault('cloud', '/zone/secrets/smtp-password', smtp)).toMatch(
    /send mail in your name.*does not start with it: remove it here, and get a new one for the local zone/,
  )
})

test('the name of a folder keeps its slash', () => {
  expect([baseName('state/whatsapp/'), baseName('keys/signing')]).toEqual(['whatsapp/', 'signing'])
})

test.each([
  ['/run/secrets/smtp-password', 'smtp-password', true],
  ['/run/secrets/old-smtp-password', 'smtp-password', false],
  ['/zone/social/mastodon', 'social', true],
  ['/zone/whatsapp/session/Default/Cookies', 'whatsapp', true],
  ['/zone/secrets/social', 'social', false],
] as const)('the file %s is %s: %s', (path, name, expected) => {
  const credential = credentialNamed(name)
  expect(credential && isAt(path, credential)).toBe(expected)
})
