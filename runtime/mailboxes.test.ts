import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Env, parseConfig } from './config.ts'
import { gmailPushOf } from './mail-accounts.ts'
import { mailboxesOf } from './mailboxes.ts'
import { furtherMailboxSettings, mailboxSettings, ownerSettings } from './settings.ts'

const shape = { ...mailboxSettings, ...ownerSettings, ...furtherMailboxSettings }
const OFFICE = {
  ...{ name: 'office', provider: 'imap', address: 'me@Office.example' },
  ...{ host: 'imap.office.example', user: 'me', password_file: 'office-password' },
}
const PRIVATE = { name: 'private', provider: 'gmail', address: 'me@gmail.example', token_file: 'private-token' }

let folder: string
let env: Env
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mailboxes-'))
  for (const name of ['main-password', 'office-password', 'private-token'])
    writeFileSync(join(folder, name), `${name}\n`)
  env = {
    COUNTERSIGN_ZONE: 'cloud',
    COUNTERSIGN_OWNER_ADDRESS: 'owner@example.org',
    COUNTERSIGN_IMAP_HOST: 'imap.example.org',
    COUNTERSIGN_IMAP_USER: 'owner',
    COUNTERSIGN_IMAP_PASSWORD_FILE: join(folder, 'main-password'),
  }
})
afterEach(() => rmSync(folder, { recursive: true }))

function parse(content: unknown, changes: Env = {}) {
  const path = join(folder, 'mailboxes.json')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return parseConfig(shape, { ...env, COUNTERSIGN_MAILBOXES_FILE: path, ...changes })
}
const faultsOf = (content: unknown) => {
  const verdict = parse(content)
  return verdict.ok ? [] : verdict.faults
}

describe('the mailboxes that are watched', () => {
  it('are the one of the settings and those of the file, whose paths count from the file', async () => {
    const verdict = parse({ mailboxes: [OFFICE, PRIVATE] })
    if (!verdict.ok) throw new Error(verdict.faults.join())
    const boxes = mailboxesOf(verdict.config)
    expect(boxes.map(({ name, address, place }) => [name, address, place])).toEqual([
      ['main', 'owner@example.org', 'owner@imap.example.org/INBOX'],
      ['office', 'me@office.example', 'me@imap.office.example/INBOX'],
      ['private', 'me@gmail.example', 'gmail/me@gmail.example'],
    ])
    const [, office, gmail] = boxes
    expect(office).toMatchObject({ account: { port: 993, tls: 'tls' } })
    expect(office?.provider === 'imap' && (await office.account.password())).toBe('office-password')
    expect(gmail).toMatchObject({ account: { may: 'read', address: 'me@gmail.example' } })
    expect(gmail?.provider === 'gmail' && (await gmail.account.credentials())).toBe('private-token')
    expect(String(verdict.config.mailboxes)).toBe(`${join(folder, 'mailboxes.json')} (office, private)`)
  })

  it('are one where no file is named', () => {
    const verdict = parseConfig(shape, env)
    if (!verdict.ok) throw new Error(verdict.faults.join())
    expect(mailboxesOf(verdict.config).map(({ name }) => name)).toEqual(['main'])
  })

  it('may not hold the one of the settings again', () => {
    const again = { ...OFFICE, host: 'imap.example.org', user: 'owner' }
    const verdict = parse({ mailboxes: [again] })
    if (!verdict.ok) throw new Error(verdict.faults.join())
    expect(() => mailboxesOf(verdict.config)).toThrow(/office .* is the one of the settings/)
  })

  it.each<[string, unknown, RegExp]>([
    ['no JSON', '{', /it is no JSON/],
    ['a list alone', [OFFICE], /expected object/],
    ['an unknown key', { mailboxes: [{ ...OFFICE, pasword_file: 'x' }] }, /mailboxes\.1: .*pasword_file/],
    ['an unknown provider', { mailboxes: [{ ...OFFICE, provider: 'pop3' }] }, /mailboxes\.1\.provider/],
    [
      'a name for people',
      { mailboxes: [{ ...OFFICE, name: 'The Office' }] },
      /mailboxes\.1\.name: expected a short name/,
    ],
    ['the name of the first', { mailboxes: [{ ...OFFICE, name: 'main' }] }, /is the mailbox of the settings/],
    ['two of a name', { mailboxes: [OFFICE, { ...PRIVATE, name: 'office' }] }, /mailboxes\.2: the same mailbox as 1/],
    ['one twice', { mailboxes: [PRIVATE, { ...PRIVATE, name: 'other' }] }, /mailboxes\.2: the same mailbox as 1/],
    ['a password in it', { mailboxes: [{ ...OFFICE, password: 'x' }] }, /password/],
    [
      'no secret',
      { mailboxes: [{ ...OFFICE, password_file: 'nowhere' }] },
      /office: cannot read the secret file .*nowhere/,
    ],
    ['no encryption', { mailboxes: [{ ...OFFICE, tls: 'none' }] }, /mailboxes\.1\.tls: none would send the password/],
    ['no address', { mailboxes: [{ ...PRIVATE, address: 'me' }] }, /mailboxes\.1\.address/],
    [
      'too many',
      { mailboxes: Array.from({ length: 21 }, (_, n) => ({ ...PRIVATE, name: `p${n}`, address: `${n}@x.example` })) },
      /mailboxes: .*20/,
    ],
  ])('are refused with %s', (_what, content, fault) => {
    expect(faultsOf(content).join('\n')).toMatch(fault)
  })

  it('are refused where the file is missing', () => {
    const verdict = parseConfig(shape, { ...env, COUNTERSIGN_MAILBOXES_FILE: join(folder, 'none.json') })
    expect(verdict.ok ? '' : verdict.faults.join()).toMatch(
      /COUNTERSIGN_MAILBOXES_FILE: cannot read .*none\.json: ENOENT/,
    )
  })
})

describe('Gmail as the first mailbox', () => {
  const GMAIL = { COUNTERSIGN_MAILBOX_PROVIDER: 'gmail', COUNTERSIGN_IMAP_HOST: '', COUNTERSIGN_IMAP_USER: '' }
  const judged = (changes: Env) => {
    const given = { ...env, COUNTERSIGN_IMAP_PASSWORD_FILE: '', ...GMAIL, ...changes }
    return parseConfig(shape, given)
  }

  it('needs its reading token and nothing of IMAP, in the cloud', () => {
    expect(judged({})).toMatchObject({
      faults: [expect.stringContaining('COUNTERSIGN_GMAIL_READ_TOKEN_FILE: missing')],
    })
    const verdict = judged({ COUNTERSIGN_GMAIL_READ_TOKEN_FILE: join(folder, 'private-token') })
    if (!verdict.ok) throw new Error(verdict.faults.join())
    expect(mailboxesOf(verdict.config)).toMatchObject([
      { name: 'main', provider: 'gmail', place: 'gmail/owner@example.org', account: { may: 'read' } },
    ])
  })

  it('does not let a sending token into the cloud', () => {
    const token = join(folder, 'private-token')
    expect(judged({ COUNTERSIGN_GMAIL_READ_TOKEN_FILE: token, COUNTERSIGN_GMAIL_TOKEN_FILE: token })).toMatchObject({
      faults: [
        'COUNTERSIGN_GMAIL_TOKEN_FILE: the cloud zone never sends mail; remove it here and set it in the local zone',
      ],
    })
  })

  it('rings through Pub/Sub only where all is set that it needs', () => {
    const token = { COUNTERSIGN_GMAIL_READ_TOKEN_FILE: join(folder, 'private-token') }
    const topic = { COUNTERSIGN_GMAIL_TOPIC: 'projects/my-project/topics/mail' }
    const subscription = { COUNTERSIGN_GMAIL_SUBSCRIPTION: 'projects/my-project/subscriptions/mail' }
    const key = { COUNTERSIGN_GMAIL_PUSH_KEY_FILE: join(folder, 'main-password') }
    const pushOf = (changes: Env) => {
      const verdict = judged({ ...token, ...changes })
      if (!verdict.ok) throw new Error(verdict.faults.join())
      return gmailPushOf(verdict.config)
    }
    expect(pushOf({})).toBeUndefined()
    expect(() => pushOf({ ...topic, ...key })).toThrow(/set all of them, or none/)
    expect(pushOf({ ...topic, ...subscription, ...key })).toMatchObject({ topic: 'projects/my-project/topics/mail' })
    expect(judged({ ...token, COUNTERSIGN_GMAIL_TOPIC: 'mail' })).toMatchObject({
      faults: [expect.stringContaining('COUNTERSIGN_GMAIL_TOPIC: expected projects/<project>/topics/<name>')],
    })
  })

  it('is read with the sending token in the local zone, which it therefore must have', () => {
    expect(judged({ COUNTERSIGN_ZONE: 'local' })).toMatchObject({
      faults: [expect.stringContaining('set COUNTERSIGN_MAIL_PROVIDER=gmail too')],
    })
    expect(judged({ COUNTERSIGN_ZONE: 'local', COUNTERSIGN_MAIL_PROVIDER: 'gmail' })).toMatchObject({ ok: true })
  })
})
