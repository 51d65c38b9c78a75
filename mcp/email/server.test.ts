import { generateKeyPairSync } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { actionDigest } from '#core/action.ts'
import {
  audienceOf,
  RECEIPT_RULES,
  type Receipt,
  type ReceiptRule,
  signReceipt,
  type UnsignedReceipt,
} from '#core/countersignature.ts'
import type { EmailAction } from '#core/email-action.ts'
import { CountersignError } from '#core/errors.ts'
import { makeTaskId } from '#core/ids.ts'
import type { ConsumeVerdict } from '#core/ports/journal.ts'
import type { OutgoingMail, SearchMail, SendOutcome } from '#core/ports/mail.ts'
import { clientOf } from '#tests/support/mcp-client.ts'
import { createEmailServer } from './server.ts'
import { draftEmail, type HandInDraft } from './tools/draft-email.ts'
import { searchEmails } from './tools/search-emails.ts'
import { type SendEmailDeps, sendEmail } from './tools/send-email.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const TASK = makeTaskId(NOW, new Uint8Array(10))
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const stranger = generateKeyPairSync('ed25519')
const ACTION: EmailAction = {
  tool: 'email.send_email',
  account: 'me@home.example',
  to: ['ana@acme.example'],
  cc: [],
  subject: 'Re: Invoice',
  references: [],
  body: 'It is on its way.',
}
const ACCEPTED: SendOutcome = { kind: 'accepted', response: '250 2.0.0 queued', refusedRecipients: [] }

function receipt(changed: Partial<UnsignedReceipt> = {}, key = privateKey): Receipt {
  const unsigned = {
    audience: audienceOf(publicKey),
    task: TASK,
    tool: 'email.send_email',
    digest: actionDigest(ACTION),
    nonce: '0'.repeat(32),
    issued_at: new Date(NOW).toISOString(),
    expires_at: new Date(NOW + 3_600_000).toISOString(),
  }
  return signReceipt({ ...unsigned, ...changed }, key)
}

describe('send_email', () => {
  let sent: OutgoingMail[]
  let consumed: Receipt[]
  let deps: SendEmailDeps

  beforeEach(() => {
    sent = []
    consumed = []
    deps = {
      publicKey,
      clock: { now: () => NOW },
      consume: (given): ConsumeVerdict => {
        if (consumed.some((one) => one.nonce === given.nonce)) return { kind: 'refused', rule: 'spent' }
        consumed.push(given)
        return { kind: 'consumed', key: '<m@home.example>', intendedAt: NOW }
      },
      isNewest: () => true,
      compose: async (action, message) => ({
        envelope: { from: action.account, to: action.to },
        raw: Buffer.from(`${message.messageId} ${action.body}`),
      }),
      send: async (mail) => {
        sent.push(mail)
        return ACCEPTED
      },
    }
  })
  const call = async (args: Record<string, unknown>, changed: Partial<SendEmailDeps> = {}) => {
    const client = await clientOf(createEmailServer([sendEmail({ ...deps, ...changed })]))
    return client.callTool({ name: 'send_email', arguments: args })
  }

  test('sends a countersigned action once, exactly as it stands in the arguments', async () => {
    const result = await call({ action: ACTION, receipt: receipt() })
    expect(result.structuredContent).toEqual({
      outcome: 'accepted',
      key: '<m@home.example>',
      answer: '250 2.0.0 queued',
      missed: [],
    })
    expect(sent.map((mail) => [mail.envelope.to, Buffer.from(mail.raw).toString()])).toEqual([
      [['ana@acme.example'], '<m@home.example> It is on its way.'],
    ])
  })

  test.each<[ReceiptRule, string, EmailAction, Receipt]>([
    ['receipt-digest', 'the body differs by one character', { ...ACTION, body: 'It is on its way!' }, receipt()],
    ['receipt-digest', 'a recipient was added', { ...ACTION, cc: ['eve@evil.example'] }, receipt()],
    ['receipt-signature', 'the receipt is signed by another key', ACTION, receipt({}, stranger.privateKey)],
    ['receipt-signature', 'the receipt was edited', ACTION, { ...receipt(), task: makeTaskId(1, new Uint8Array(10)) }],
    [
      'receipt-audience',
      'the receipt is for another machine',
      ACTION,
      receipt({ audience: audienceOf(stranger.publicKey) }),
    ],
    ['receipt-tool', 'the receipt is for another tool', ACTION, receipt({ tool: 'social.publish_post' })],
    ['receipt-expired', 'the receipt expired', ACTION, receipt({ expires_at: new Date(NOW).toISOString() })],
    [
      'receipt-from-the-future',
      'the receipt is from the future',
      ACTION,
      receipt({ issued_at: new Date(NOW + 61_000).toISOString() }),
    ],
  ])('refuses by %s when %s, spends nothing and sends nothing', async (rule, _why, action, given) => {
    const result = await call({ action, receipt: given })
    expect(result).toMatchObject({
      isError: true,
      structuredContent: {
        ...{ outcome: 'refused', code: 'ERR_COUNTERSIGNATURE_INVALID', reason: rule },
        say: expect.stringContaining(RECEIPT_RULES[rule]),
      },
    })
    expect([sent, consumed]).toEqual([[], []])
  })

  test.each<[string, Record<string, unknown>]>([
    ['no receipt', { action: ACTION }],
    ['an empty receipt', { action: ACTION, receipt: {} }],
    [
      'a field of the action that nobody countersigned',
      { action: { ...ACTION, bcc: ['x@y.example'] }, receipt: receipt() },
    ],
    ['an argument beside the two', { action: ACTION, receipt: receipt(), force: true }],
    ['a header in the subject', { action: { ...ACTION, subject: 'a\r\nBcc: x@y.example' }, receipt: receipt() }],
    ['an action of no known form, whatever the receipt', { action: { tool: 'email.send_email' }, receipt: receipt() }],
  ])('refuses a call with %s and sends nothing', async (_what, args) => {
    expect(await call(args)).toMatchObject({ isError: true })
    expect([sent, consumed]).toEqual([[], []])
  })

  test('refuses the second use of a receipt', async () => {
    const client = await clientOf(createEmailServer([sendEmail(deps)]))
    const args = { action: ACTION, receipt: receipt() }
    await client.callTool({ name: 'send_email', arguments: args })
    const replay = await client.callTool({ name: 'send_email', arguments: args })
    expect(replay.structuredContent).toMatchObject({ outcome: 'refused', reason: 'receipt-spent' })
    expect(sent).toHaveLength(1)
  })

  test('sends nothing when a newer executor took over after the use was spent', async () => {
    const result = await call({ action: ACTION, receipt: receipt() }, { isNewest: () => false })
    expect(result.structuredContent).toMatchObject({ outcome: 'refused', code: 'ERR_FENCED' })
    expect(sent).toEqual([])
  })

  test.each<[SendOutcome, Record<string, unknown>]>([
    [
      { kind: 'refused', code: 'EENVELOPE', response: '550 no such user', permanent: true },
      { outcome: 'refused', code: 'ERR_MAIL_REFUSED', reason: '550 no such user' },
    ],
    [
      { kind: 'refused', code: 'ECONNREFUSED', response: 'connection refused', permanent: false },
      { outcome: 'refused', code: 'ERR_MAIL_UNREACHABLE', reason: 'connection refused' },
    ],
    [
      { kind: 'unknown', reason: 'no answer to DATA' },
      { outcome: 'unknown', code: 'ERR_OUTCOME_UNKNOWN', key: '<m@home.example>', reason: 'no answer to DATA' },
    ],
  ])('reports %j as it is', async (outcome, expected) => {
    const result = await call({ action: ACTION, receipt: receipt() }, { send: async () => outcome })
    expect(result.structuredContent).toEqual(expected)
  })

  test('gives code and hint of an inner error, never its message', async () => {
    const consume = () => {
      throw new CountersignError('ERR_JOURNAL_FAILED', 'opening /secret/path')
    }
    const result = await call({ action: ACTION, receipt: receipt() }, { consume })
    expect(result.isError).toBe(true)
    expect(JSON.stringify(result)).toContain('ERR_JOURNAL_FAILED')
    expect(JSON.stringify(result)).not.toContain('/secret/path')
    expect(sent).toEqual([])
  })
})

describe('the server of the cloud', () => {
  const found = { messageId: '<a@b>', from: 'Ana <ana@acme.example>', subject: 'Hi\u202e\n<%x%>', receivedAt: NOW }
  const search: SearchMail = async () => [found]
  const handIn: HandInDraft = async (taskId, body) =>
    taskId === TASK ? { kind: 'drafted', path: `Pending_Approval/email/${body}.md` } : { kind: 'lost' }
  const cloud = () => clientOf(createEmailServer([searchEmails(search), draftEmail(handIn)]))

  test('has exactly the tools that only look and draft', async () => {
    const { tools } = await (await cloud()).listTools()
    expect(tools.map((tool) => tool.name).sort()).toEqual(['draft_email', 'search_emails'])
    expect(tools.find((tool) => tool.name === 'search_emails')?.annotations?.readOnlyHint).toBe(true)
    const call = (await cloud()).callTool({ name: 'send_email', arguments: { action: ACTION, receipt: receipt() } })
    await expect(call).rejects.toThrow()
  })

  test('finds messages and hands in drafts', async () => {
    const client = await cloud()
    const emails = await client.callTool({ name: 'search_emails', arguments: { subject: 'Hi' } })
    expect(emails.structuredContent).toEqual({
      emails: [
        {
          message_id: '<a@b>',
          from: 'Ana <ana@acme.example>',
          subject: 'Hi⟦U+202E⟧ ‹%x%›',
          received: '2026-11-20T12:00:00.000Z',
        },
      ],
    })
    const drafted = await client.callTool({ name: 'draft_email', arguments: { task_id: TASK, body: 'x' } })
    expect(drafted.structuredContent).toEqual({ outcome: 'drafted', path: 'Pending_Approval/email/x.md' })
    const lost = await client.callTool({
      name: 'draft_email',
      arguments: { task_id: makeTaskId(5, new Uint8Array(10)), body: 'x' },
    })
    expect(lost).toMatchObject({ isError: true, structuredContent: { outcome: 'lost' } })
  })
})
