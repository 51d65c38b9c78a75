import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openJournal } from '#adapters/journal/journal.ts'
import { createZoneKeys, readPrivateKey } from '#adapters/keys/zone-keys.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { actionDigest } from '#core/action.ts'
import { audienceOf, signReceipt } from '#core/countersignature.ts'
import type { EmailAction } from '#core/email-action.ts'
import { vaultPath } from '#core/vault-path.ts'
import type { Zone } from '#core/zone-policy.ts'
import { makeDraft } from '#tests/support/executor.ts'
import { startDevMailServers } from '../../demo/mailbox/dev-servers.ts'
import type { Mailbox } from '../../demo/mailbox/mailbox.ts'
import { deliver, eventually, lookInto } from '../support/mail.ts'

const MAIN = join(import.meta.dirname, '../../mcp/email/main.ts')
let mailbox: Mailbox

beforeAll(async () => {
  mailbox = await startDevMailServers()
})
afterAll(async () => mailbox?.[Symbol.asyncDispose]())

/** A zone's home, and a client of the e-mail server as an outside program starts it. */
async function connect(zone: Zone) {
  const home = mkdtempSync(join(tmpdir(), 'countersign-mcp-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  for (const folder of ['vault', 'state']) mkdirSync(join(home, folder))
  const secret = join(home, 'password')
  writeFileSync(secret, mailbox.accounts.owner.password)
  await createZoneKeys(home, zone)
  const smtp = {
    COUNTERSIGN_SMTP_HOST: mailbox.smtp.host,
    COUNTERSIGN_SMTP_PORT: String(mailbox.smtp.port),
    COUNTERSIGN_SMTP_USER: mailbox.accounts.owner.address,
    COUNTERSIGN_SMTP_PASSWORD_FILE: secret,
    COUNTERSIGN_SMTP_TLS: 'none',
  }
  const env = {
    COUNTERSIGN_ZONE: zone,
    COUNTERSIGN_VAULT: join(home, 'vault'),
    COUNTERSIGN_STATE: join(home, 'state'),
    COUNTERSIGN_KEYS: join(home, 'keys'),
    COUNTERSIGN_IMAP_HOST: mailbox.imap.host,
    COUNTERSIGN_IMAP_PORT: String(mailbox.imap.port),
    COUNTERSIGN_IMAP_USER: mailbox.accounts.owner.address,
    COUNTERSIGN_IMAP_PASSWORD_FILE: secret,
    COUNTERSIGN_IMAP_TLS: 'none',
    COUNTERSIGN_OWNER_ADDRESS: mailbox.accounts.owner.address,
    ...(zone === 'local' ? smtp : {}),
  }
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [MAIN], env }))
  onTestFinished(() => client.close())
  return { client, home, vault: await openVault(join(home, 'vault')) }
}

describe('the e-mail server of the cloud, on stdin and stdout', () => {
  test('has exactly the tools that look and draft', async () => {
    const { client } = await connect('cloud')
    const { tools } = await client.listTools()
    expect(tools.map((tool) => tool.name).sort()).toEqual(['draft_email', 'search_emails'])
  })

  test('finds messages by sender, subject, text and day, the newest first', async () => {
    const { client } = await connect('cloud')
    const mail = (subject: string, text: string) =>
      `From: Client <client@countersign.test>\nTo: owner@countersign.test\nMessage-ID: <${subject}@countersign.test>\nSubject: ${subject}\n\n${text}\n`
    await deliver(mailbox, mail('alpha', 'about bananas'))
    await deliver(mailbox, mail('beta', 'about pears'))
    await eventually('both are there', async () => (await lookInto(mailbox, 'owner')).messages.length >= 2)
    const search = async (query: Record<string, unknown>) => {
      const { structuredContent } = await client.callTool({ name: 'search_emails', arguments: query })
      return (structuredContent as { emails: { subject: string }[] }).emails.map((one) => one.subject)
    }
    expect((await search({})).sort()).toEqual(['alpha', 'beta'])
    expect(await search({ subject: 'alpha' })).toEqual(['alpha'])
    expect(await search({ from: 'nobody@else.example' })).toEqual([])
    expect(await search({ limit: 1 })).toHaveLength(1)
  })

  test('hands in the draft of a claimed task under its own words, and of no other task', async () => {
    const { client, vault } = await connect('cloud')
    const { id, fileName, text } = makeDraft()
    const source = 'source:\n  provider: imap\n  reply_to: [client@countersign.test]\n'
    await vault.create(
      vaultPath(`In_Progress/cloud/${fileName}`),
      text.replace('generation: 1\n', `${source}generation: 1\n`),
    )
    const call = (task_id: string) =>
      client.callTool({ name: 'draft_email', arguments: { task_id, body: 'Words of a client.' } })
    expect((await call('01J8Z3W6Q0ABCDEFGHJKMNPQRS')).structuredContent).toMatchObject({ outcome: 'lost' })
    expect((await call(id)).structuredContent).toEqual({
      outcome: 'drafted',
      path: `Pending_Approval/email/${fileName}`,
    })
    expect(await vault.read(vaultPath(`Pending_Approval/email/${fileName}`))).toContain('Words of a client.')
  })
})

describe('the e-mail server of the local zone', () => {
  const ACTION: EmailAction = {
    tool: 'email.send_email',
    account: 'owner@countersign.test',
    to: ['client@countersign.test'],
    cc: [],
    subject: 'unapproved',
    references: [],
    body: 'never',
  }

  test('sends for no outside client: not with a forged receipt, nor with a true one the executor never journaled', async () => {
    const { client, home } = await connect('local')
    const { tools } = await client.listTools()
    expect(tools.map((tool) => tool.name).sort()).toEqual(['draft_email', 'search_emails', 'send_email'])
    openJournal(join(home, 'state/journal.sqlite'), { epoch: 'take' })[Symbol.dispose]()
    const key = await readPrivateKey(join(home, 'keys/countersign.pem'))
    const send = async (signedWith: typeof key) => {
      const unsigned = {
        audience: audienceOf(createPublicKey(key)),
        task: '01J8Z3W6Q0ABCDEFGHJKMNPQRS',
        tool: 'email.send_email',
        digest: actionDigest(ACTION),
        nonce: 'a'.repeat(32),
        issued_at: new Date().toISOString(),
        expires_at: new Date(Date.now() + 60_000).toISOString(),
      }
      const receipt = signReceipt(unsigned, signedWith)
      return (await client.callTool({ name: 'send_email', arguments: { action: ACTION, receipt } })).structuredContent
    }
    expect(await send(generateKeyPairSync('ed25519').privateKey)).toMatchObject({ reason: 'receipt-signature' })
    expect(await send(key)).toMatchObject({ outcome: 'refused', reason: 'receipt-no-intent' })
    expect((await lookInto(mailbox, 'client')).messages.map((one) => one.subject)).not.toContain('unapproved')
  })
})
