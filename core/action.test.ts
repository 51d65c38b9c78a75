import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { actionDigest, readAction } from './action.ts'
import { describeFile } from './attachment.ts'
import { canonicalJson } from './canonical-json.ts'
import { audienceOf, signReceipt, verifyReceipt } from './countersignature.ts'
import type { EmailAction } from './email-action.ts'
import { newTaskFile, renderSection } from './task-file.ts'

const ID = '01J8Z3W6Q0ABCDEFGHJKMNPQRS'
const ACTION = {
  tool: 'email.send_email',
  account: 'owner@countersign.test',
  to: ['ana@acme.example'],
  subject: 'Re: Invoice for March',
  in_reply_to: '<m1@acme.example>',
  references: ['<m1@acme.example>'],
}
const FILE = describeFile('offer.pdf', Buffer.from('offer'))
const taskWith = (action: object, draft = 'Dear Ana,\nthanks.') =>
  newTaskFile(
    {
      id: ID,
      schema: '1',
      kind: 'EMAIL',
      domain: 'email',
      title: 't',
      created: '2026-11-20T10:00:00Z',
      generation: '1',
      action: action as { tool: string },
    },
    renderSection('draft', draft),
  )

describe('canonical JSON (RFC 8785)', () => {
  test.each([
    [{ b: 1, a: [true, null, 'x'] }, '{"a":[true,null,"x"],"b":1}'],
    [{ '\u20ac': 'Euro', '\r': 'CR', '1': 'One' }, '{"\\r":"CR","1":"One","\u20ac":"Euro"}'],
    [1e21, '1e+21'],
    ['\u0007"\\', '"\\u0007\\"\\\\"'],
  ])('%j', (value, text) => expect(canonicalJson(value)).toBe(text))

  test.each([[undefined], [Number.NaN], ['\ud800'], [new Date()], [{ a: undefined }], [1n]])('refuses %s', (value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError)
  })
})

describe('an e-mail action', () => {
  test('is the front matter’s arguments with the draft as its body', () => {
    expect(readAction(taskWith(ACTION))).toEqual({
      ok: true,
      action: { ...ACTION, cc: [], body: 'Dear Ana,\nthanks.' },
    })
  })

  test.each([
    ['an unknown tool', { ...ACTION, tool: 'bank.pay' }, 'action-tool'],
    ['an unknown field', { ...ACTION, bcc: ['x@y.example'] }, 'action-unrecognized_keys'],
    ['no recipient', { ...ACTION, to: [] }, 'action-to'],
    ['a display name', { ...ACTION, to: ['Ana <ana@acme.example>'] }, 'action-to'],
    ['two addresses in one', { ...ACTION, to: ['ana@acme.example,eve@evil.example'] }, 'action-to'],
    [
      'a file that is not its content',
      { ...ACTION, attachments: [{ ...FILE, sha256: '0'.repeat(64) }] },
      'action-attachments',
    ],
    ['a list of no files', { ...ACTION, attachments: [] }, 'action-attachments'],
    ['a header injection', { ...ACTION, subject: 'hi\u2028Bcc: x@y.example' }, 'action-subject'],
    ['an invisible subject', { ...ACTION, subject: 'hi\u202egnp' }, 'action-subject'],
    ['an empty subject', { ...ACTION, subject: '' }, 'action-subject'],
    ['a Message-ID with a space', { ...ACTION, in_reply_to: '<a b>' }, 'action-in_reply_to'],
  ])('refuses %s', (_name, action, rule) => {
    let verdict: ReturnType<typeof readAction>
    try {
      verdict = readAction(taskWith(action))
    } catch {
      return // Front matter itself refuses the character.
    }
    expect(verdict).toMatchObject({ ok: false, ...(rule === 'action-unrecognized_keys' ? {} : { rule }) })
  })

  test('has every address in its one spelling, so that a domain of other letters is seen to be one', () => {
    const read = readAction(taskWith({ ...ACTION, to: ['ana@аcme.example', 'Jörg@BÜCHER.example'] }))
    expect(read).toMatchObject({ action: { to: ['ana@xn--cme-5cd.example', 'Jörg@xn--bcher-kva.example'] } })
  })

  test('refuses an empty draft', () => {
    expect(readAction(taskWith(ACTION, ' \n'))).toMatchObject({ ok: false, rule: 'action-body' })
  })

  test('has a digest that any change changes', () => {
    const action = { ...ACTION, cc: [], body: 'x' } as EmailAction
    const variants: EmailAction[] = [
      action,
      { ...action, body: 'x ' },
      { ...action, to: ['ana@acme.examp1e'] },
      { ...action, cc: ['b@c.example'] },
      { ...action, attachments: [FILE] },
      { ...action, attachments: [{ ...FILE, name: 'other.pdf' }] },
      { ...action, attachments: [FILE, FILE] },
      { ...action, subject: 'Re: Invoice for April' },
      { ...action, account: 'other@countersign.test' },
      { ...action, references: [] },
    ]
    expect(new Set(variants.map(actionDigest)).size).toBe(variants.length)
    expect(actionDigest(action)).toBe('sha256:c65e827268d6e3c36417dde73351611677f03e5efc640cb911ff6f8211f6b7ec')
  })
})

describe('a countersignature', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const other = generateKeyPairSync('ed25519')
  const now = Date.parse('2026-11-20T10:00:00Z')
  const unsigned = {
    audience: audienceOf(publicKey),
    task: ID,
    tool: 'email.send_email',
    digest: `sha256:${'a'.repeat(64)}`,
    nonce: '0'.repeat(32),
    issued_at: '2026-11-20T10:00:00.000Z',
    expires_at: '2026-11-20T11:00:00.000Z',
  }
  const receipt = signReceipt(unsigned, privateKey)
  const expected = { publicKey, task: ID, tool: 'email.send_email', digest: unsigned.digest, now }

  test('holds for exactly what was signed', () => {
    expect(verifyReceipt(receipt, expected)).toEqual({ ok: true, receipt })
    expect(verifyReceipt(JSON.parse(JSON.stringify(receipt)), expected).ok).toBe(true)
  })

  test.each([
    ['nothing', undefined, expected, 'receipt-missing'],
    ['an empty one', {}, expected, 'receipt-malformed'],
    ['an extra field', { ...receipt, admin: true }, expected, 'receipt-malformed'],
    [
      'another key',
      signReceipt({ ...unsigned, audience: audienceOf(publicKey) }, other.privateKey),
      expected,
      'receipt-signature',
    ],
    ['a changed digest', { ...receipt, digest: `sha256:${'b'.repeat(64)}` }, expected, 'receipt-signature'],
    ['a longer life', { ...receipt, expires_at: '2027-11-20T11:00:00.000Z' }, expected, 'receipt-signature'],
    [
      'another machine',
      signReceipt({ ...unsigned, audience: audienceOf(other.publicKey) }, privateKey),
      expected,
      'receipt-audience',
    ],
    ['another task', receipt, { ...expected, task: '01J8Z3W6Q0ABCDEFGHJKMNPQRT' }, 'receipt-task'],
    ['another tool', receipt, { ...expected, tool: 'email.delete' }, 'receipt-tool'],
    ['another action', receipt, { ...expected, digest: `sha256:${'c'.repeat(64)}` }, 'receipt-digest'],
    ['too late', receipt, { ...expected, now: Date.parse('2026-11-20T11:00:00Z') }, 'receipt-expired'],
    ['a clock set back', receipt, { ...expected, now: Date.parse('2026-11-20T09:58:59Z') }, 'receipt-from-the-future'],
  ])('refuses %s', (_name, candidate, expectation, rule) => {
    expect(verifyReceipt(candidate, expectation)).toEqual({ ok: false, rule })
  })
})
