import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openJournal } from '#adapters/journal/journal.ts'
import { spkiOf } from '#adapters/keys/countersign-key.ts'
import { rotateCountersignKey } from '#adapters/keys/trust-files.ts'
import { createZoneKeys, readPrivateKey } from '#adapters/keys/zone-keys.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { actionDigest } from '#core/action.ts'
import { audienceOf, type Receipt, signReceipt, type UnsignedReceipt } from '#core/countersignature.ts'
import type { EmailAction } from '#core/email-action.ts'
import type { TaskId } from '#core/ids.ts'
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
  writeFileSync(secret, mailbox.accounts.owner.password, { mode: 0o600 })
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
    COUNTERSIGN_TRUST: join(home, 'trust'),
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

  const TASK = '01J8Z3W6Q0ABCDEFGHJKMNPQRS' as TaskId

  /** A client of the server, and receipts for the action as the executor would make them. */
  async function acting() {
    const { client, home } = await connect('local')
    const key = await readPrivateKey(join(home, 'keys/countersign.pem'))
    const receipt = (changed: Partial<UnsignedReceipt> = {}, signedWith = key) => {
      const unsigned = {
        audience: audienceOf(createPublicKey(signedWith)),
        task: TASK,
        tool: 'email.send_email',
        digest: actionDigest(ACTION),
        nonce: 'a'.repeat(32),
        issued_at: new Date().toISOString(),
        expires_at: new Date(Date.now() + 60_000).toISOString(),
      }
      return signReceipt({ ...unsigned, ...changed }, signedWith)
    }
    const journal = openJournal(join(home, 'state/journal.sqlite'), { epoch: 'take' })
    onTestFinished(() => journal[Symbol.dispose]())
    /** As the executor does before the call. */
    const intend = (given: Receipt) => {
      const [generation, fileName, intendedAt] = [1, 'F.md', Date.now()]
      const intent = { taskId: TASK, generation, fileName, digest: given.digest, receipt: given, intendedAt }
      journal.intend({ ...intent, key: '<m@countersign.test>', action: JSON.stringify(ACTION) })
    }
    const send = async (args: Record<string, unknown>) => {
      const result = await client.callTool({ name: 'send_email', arguments: args })
      const [first] = result.content as { text: string }[]
      return { ...result, text: first?.text ?? '' }
    }
    return { client, home, key, receipt, intend, send }
  }
  const subjects = async () => (await lookInto(mailbox, 'client')).messages.map((one) => one.subject)
  const stranger = generateKeyPairSync('ed25519').privateKey

  test('has the tool that sends, and tells its rule where tools are listed', async () => {
    const { client } = await acting()
    const { tools } = await client.listTools()
    expect(tools.map((tool) => tool.name).sort()).toEqual(['draft_email', 'search_emails', 'send_email'])
    expect(tools.find((tool) => tool.name === 'send_email')?.description).toContain('countersignature (receipt)')
  })

  test.each<[string, string, RegExp, (make: Awaited<ReturnType<typeof acting>>['receipt']) => unknown]>([
    ['receipt-missing', 'none', /there is none/, () => undefined],
    ['receipt-malformed', 'an empty one', /no receipt of the form/, () => ({})],
    ['receipt-malformed', 'a text', /no receipt of the form/, () => 'approved'],
    ['receipt-audience', 'one of another machine', /another machine/, (make) => make({}, stranger)],
    [
      'receipt-signature',
      'one that a stranger signed in this machine’s name',
      /did not sign it/,
      (make) => make({ audience: make().audience }, stranger),
    ],
    ['receipt-tool', 'one for another tool', /another tool/, (make) => make({ tool: 'social.publish_post' })],
    [
      'receipt-digest',
      'one for another action',
      /letter for letter/,
      (make) => make({ digest: `sha256:${'b'.repeat(64)}` }),
    ],
    [
      'receipt-expired',
      'one that has expired',
      /has expired/,
      (make) => make({ expires_at: new Date().toISOString() }),
    ],
    [
      'receipt-from-the-future',
      'one of the future',
      /still to come/,
      (make) => make({ issued_at: new Date(Date.now() + 120_000).toISOString() }),
    ],
    ['receipt-no-intent', 'a true one that the executor never journaled', /has not made it/, (make) => make()],
  ])('sends for no client by %s: with %s, and tells the rule in words', async (rule, _what, words, given) => {
    const { receipt, send } = await acting()
    const result = await send({ action: ACTION, receipt: given(receipt) })
    expect(result).toMatchObject({
      isError: true,
      structuredContent: { outcome: 'refused', code: 'ERR_COUNTERSIGNATURE_INVALID', reason: rule },
      text: expect.stringMatching(words),
    })
    expect(result.text).toContain('after the person approved the task in the vault')
    expect(await subjects()).not.toContain('unapproved')
  })

  test('sends what the executor countersigned, once, and then says that its use is over', async () => {
    const { receipt, intend, send } = await acting()
    const action = { ...ACTION, subject: 'approved once' }
    const given = receipt({ digest: actionDigest(action) })
    intend(given)
    expect((await send({ action, receipt: given })).structuredContent).toMatchObject({ outcome: 'accepted' })
    const again = await send({ action, receipt: given })
    expect(again).toMatchObject({ isError: true, structuredContent: { reason: 'receipt-spent' } })
    expect(again.text).toContain('its one use is over')
    await eventually('it arrived', async () => (await subjects()).includes('approved once'))
    expect((await subjects()).filter((subject) => subject === 'approved once')).toHaveLength(1)
  })

  test('a server that runs on knows a replaced key at once', async () => {
    const { home, receipt, intend, send } = await acting()
    intend(receipt())
    await rotateCountersignKey(join(home, 'trust'), 'local', spkiOf(stranger), new Date().toISOString())
    const result = await send({ action: ACTION, receipt: receipt() })
    expect(result.structuredContent).toMatchObject({ outcome: 'refused', reason: 'receipt-audience' })
    expect(await subjects()).not.toContain('unapproved')
  })
})
