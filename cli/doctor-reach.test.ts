import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { GMAIL_SCOPES } from '#adapters/gmail/gmail-scopes.ts'
import { startGmailEmulator } from '#tests/support/gmail-emulator.ts'
import { json, standIn } from '#tests/support/model/provider.ts'
import { ODOO_DB, ODOO_KEY, startOdooServer } from '#tests/support/odoo-server.ts'
import { startMastodon } from '#tests/support/social/mastodon.ts'
import { startDevMailServers } from '../demo/mailbox/dev-servers.ts'
import { mailFindings, modelFindings, odooFindings, socialFindings } from './doctor-reach.ts'

test('doctor asks each social account’s network whose credential it has, in the local zone alone', async () => {
  await using server = await startMastodon('mastodon-token')
  const secrets = mkdtempSync(join(tmpdir(), 'countersign-doctor-'))
  try {
    writeFileSync(join(secrets, 'mastodon'), 'mastodon-token')
    const env = {
      COUNTERSIGN_ZONE: 'local',
      COUNTERSIGN_SOCIAL_ACCOUNTS: `mastodon:${server.account}, x:@you`,
      COUNTERSIGN_SOCIAL_SECRETS: secrets,
      COUNTERSIGN_MASTODON_URL: server.url,
    }
    expect(await socialFindings('local', env)).toMatchObject([
      { check: 'mastodon', result: 'ok', found: 'the credential is that of @owner@social.example' },
      { check: 'x', result: 'failed', found: expect.stringContaining('cannot read the secret file') },
    ])
    expect(await socialFindings('cloud', env)).toEqual([])
    expect(await socialFindings('local', {})).toEqual([])
  } finally {
    rmSync(secrets, { recursive: true })
  }
})

test('doctor asks each model’s provider whether it has the model, in the cloud alone', async () => {
  await using server = await standIn()
  server.answers(json(200, { data: [{ id: 'llama3.2' }] }))
  const env = {
    COUNTERSIGN_ZONE: 'cloud',
    COUNTERSIGN_MODEL_LARGE: 'openai:llama3.2',
    COUNTERSIGN_MODEL_SMALL: 'anthropic:some-model',
    COUNTERSIGN_OPENAI_URL: server.url,
    COUNTERSIGN_ANTHROPIC_URL: server.url,
    COUNTERSIGN_MODEL_LARGE_PRICE: '0/0',
  }
  expect(await modelFindings('cloud', env)).toMatchObject([
    {
      check: 'model (large)',
      result: 'ok',
      found: expect.stringMatching(/has llama3\.2; price 0\/0, at most 2 USD a day$/),
    },
    { check: 'model (small)', result: 'failed', found: expect.stringContaining('there is no key') },
  ])
  expect(await modelFindings('local', env)).toEqual([])
  expect(await modelFindings('cloud', {})).toEqual([])
})

test('doctor asks Odoo whether its key opens the books', async () => {
  await using odoo = await startOdooServer()
  const folder = mkdtempSync(join(tmpdir(), 'countersign-doctor-'))
  try {
    const file = join(folder, 'odoo-key')
    writeFileSync(file, ODOO_KEY)
    const settings = { COUNTERSIGN_ODOO_URL: odoo.url, COUNTERSIGN_ODOO_DB: ODOO_DB, COUNTERSIGN_ODOO_KEY_FILE: file }
    const found = 'the key opens books; invoices there can be in EUR, USD'
    expect(await odooFindings('cloud', settings)).toEqual([{ check: 'odoo', result: 'ok', found }])
    expect(await odooFindings('cloud', { ...settings, COUNTERSIGN_ODOO_DB: 'other' })).toMatchObject([
      { result: 'failed' },
    ])
    expect(await odooFindings('cloud', { COUNTERSIGN_ODOO_URL: odoo.url })).toMatchObject([
      { result: 'failed', found: expect.stringContaining('COUNTERSIGN_ODOO_KEY_FILE: missing') },
    ])
    expect(await odooFindings('cloud', {})).toEqual([])
    odoo.powers.add('account.payment')
    const tooMuch = expect.stringContaining('this key can record payments')
    expect(await odooFindings('cloud', settings)).toMatchObject([{ result: 'failed', found: tooMuch }])
    expect(await odooFindings('local', settings)).toMatchObject([{ result: 'ok' }])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('doctor asks Gmail what each mailbox’s token may do', async () => {
  await using gmail = await startGmailEmulator('owner@gmail.test')
  const folder = mkdtempSync(join(tmpdir(), 'countersign-doctor-'))
  try {
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    }
    const reading = write('reading', await gmail.tokenFile())
    const sending = write('sending', await gmail.tokenFile(GMAIL_SCOPES['read-and-send']))
    const second = { name: 'second', provider: 'gmail', address: 'second@gmail.test', token_file: 'sending' }
    const common = {
      COUNTERSIGN_MAILBOX_PROVIDER: 'gmail',
      COUNTERSIGN_OWNER_ADDRESS: 'owner@gmail.test',
      COUNTERSIGN_GMAIL_URL: gmail.url,
    }
    const cloud = {
      ...{ ...common, COUNTERSIGN_ZONE: 'cloud', COUNTERSIGN_GMAIL_READ_TOKEN_FILE: reading },
      COUNTERSIGN_MAILBOXES_FILE: write('mailboxes.json', JSON.stringify({ mailboxes: [second] })),
    }
    expect(await mailFindings('cloud', cloud)).toMatchObject([
      { check: 'mailbox', result: 'ok', found: expect.stringContaining('owner@gmail.test') },
      { check: 'mailbox-second', result: 'failed', found: expect.stringContaining('may do too much: gmail.send') },
    ])
    const local = {
      ...{ ...common, COUNTERSIGN_ZONE: 'local', COUNTERSIGN_MAIL_PROVIDER: 'gmail' },
      COUNTERSIGN_GMAIL_TOKEN_FILE: sending,
    }
    expect(await mailFindings('local', local)).toMatchObject([
      { check: 'mailbox', result: 'ok' },
      { check: 'sending', result: 'ok' },
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('doctor says of a wrong password that it is the password, at the mailbox and at the sending server', async () => {
  await using mail = await startDevMailServers()
  const folder = mkdtempSync(join(tmpdir(), 'countersign-doctor-'))
  try {
    const file = join(folder, 'password')
    const { address, password } = mail.accounts.owner
    const env = {
      ...{ COUNTERSIGN_ZONE: 'local', COUNTERSIGN_OWNER_ADDRESS: address, COUNTERSIGN_IMAP_USER: address },
      ...{
        COUNTERSIGN_IMAP_HOST: '127.0.0.1',
        COUNTERSIGN_IMAP_PORT: String(mail.imap.port),
        COUNTERSIGN_IMAP_TLS: 'none',
      },
      ...{
        COUNTERSIGN_SMTP_HOST: '127.0.0.1',
        COUNTERSIGN_SMTP_PORT: String(mail.smtp.port),
        COUNTERSIGN_SMTP_TLS: 'none',
      },
      ...{ COUNTERSIGN_SMTP_USER: address, COUNTERSIGN_IMAP_PASSWORD_FILE: file, COUNTERSIGN_SMTP_PASSWORD_FILE: file },
    }
    writeFileSync(file, password, { mode: 0o600 })
    expect((await mailFindings('local', env)).map(({ result }) => result)).toEqual(['ok', 'ok'])
    writeFileSync(file, 'another')
    expect(await mailFindings('local', env)).toMatchObject([
      { check: 'mailbox', result: 'failed', hint: expect.stringContaining(`the right password into ${file}`) },
      { check: 'sending', result: 'failed', hint: expect.stringContaining(`the right password into ${file}`) },
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('doctor says in words what the network says of a mail server', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-doctor-'))
  try {
    const file = join(folder, 'password')
    writeFileSync(file, 'a-password', { mode: 0o600 })
    const env = {
      ...{ COUNTERSIGN_ZONE: 'cloud', COUNTERSIGN_OWNER_ADDRESS: 'you@example.org', COUNTERSIGN_IMAP_USER: 'you' },
      ...{ COUNTERSIGN_IMAP_HOST: '127.0.0.1', COUNTERSIGN_IMAP_PORT: '1', COUNTERSIGN_IMAP_TLS: 'none' },
      COUNTERSIGN_IMAP_PASSWORD_FILE: file,
    }
    expect(await mailFindings('cloud', env)).toEqual([
      {
        ...{ check: 'mailbox', result: 'failed' },
        found: 'reading IMAP you@127.0.0.1:1 (tls: none): nothing answers at that port',
        hint: 'Correct COUNTERSIGN_IMAP_HOST, _PORT or _TLS in .env.cloud, or see to the network; then run doctor',
      },
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
